#!/bin/sh
# Make .venv hold exactly what a lock file says: `scripts/install.sh runtime|dev`.
#
# A stamp remembers what was installed, from which lock and where, so a second call
# costs milliseconds. A runtime install never takes the dev tools away again.
set -eu
cd -P "$(dirname "$0")/.."

VENV=.venv
STAMP=$VENV/.installed
WANTED="Python 3.11 or newer"

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

can() { # can PYTHON CODE: does this interpreter exist and run CODE without an error?
    "$1" -c "$2" >/dev/null 2>&1
}

find_python() {
    found=
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        can "$python" 'import sys; sys.exit(sys.version_info < (3, 11))' || continue
        found=$python
        if can "$python" 'import venv, ensurepip'; then
            echo "$python"
            return
        fi
    done
    [ -n "$found" ] || fail "Opswire needs $WANTED; none was found." \
        "Install it, or name one: make run PYTHON=/path/to/python3"
    fail "$found cannot make virtual environments." \
        "On Debian and Ubuntu: apt install python3-venv"
}

need_node() { # the console is built with Node; without a console none is needed
    [ -f console/package.json ] || return 0
    for tool in node npm; do
        command -v "$tool" >/dev/null || fail "The console needs Node 20.19 or newer" \
            "with npm; $tool was not found. Install Node, then try again."
    done
    can_node='const [a, b] = process.versions.node.split(".").map(Number);
        process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
    node -e "$can_node" || fail "The console needs Node 20.19 or newer;" \
        "this one is $(node --version)."
}

fingerprint() { # the lock and the project file by content, the checkout by place
    echo "$1 $(cat "$2" pyproject.toml | cksum) $PWD"
}

make_venv() { # a good one stays; one that was moved or lost its Python is replaced
    if grep -qF "$PWD/$VENV" $VENV/bin/activate 2>/dev/null &&
        can $VENV/bin/python 'import pip, sys; sys.exit(sys.version_info < (3, 11))'; then
        return
    fi
    python=$(find_python)
    echo "Creating $VENV with $("$python" --version)"
    "$python" -m venv --clear $VENV || fail "Creating $VENV failed." \
        "On Debian and Ubuntu: apt install python3-venv"
}

pip_install() { # a lock is complete, and what is never imported need not be compiled
    $VENV/bin/python -m pip install --quiet --disable-pip-version-check \
        --no-deps --no-compile "$@"
}

plan() { # decide what to install, and by which fingerprint that is remembered
    kind=$1
    if [ "$(cut -d' ' -f1 $STAMP 2>/dev/null)" = dev ]; then
        kind=dev
    fi
    case $kind in
    runtime) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) fail "usage: scripts/install.sh runtime|dev" ;;
    esac
    wanted=$(fingerprint "$kind" $lock)
}

stop_if_done() {
    if [ "$(cat $STAMP 2>/dev/null)" = "$wanted" ] && [ -x $VENV/bin/ops ]; then
        exit 0
    fi
}

plan "${1:-runtime}"
stop_if_done
if command -v flock >/dev/null; then # another make may be installing just now
    exec 9>$VENV.lock
    flock 9
    plan "${1:-runtime}"
    stop_if_done
fi
need_node
make_venv
rm -f $STAMP
echo "Installing $lock into $VENV"
pip_install --require-hashes -r $lock
pip_install --no-build-isolation -e .
echo "$wanted" >$STAMP
