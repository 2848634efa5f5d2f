#!/bin/sh
# Run the tests, or those that are named: `scripts/run-tests.sh [pytest arguments]`.
set -eu
cd -P "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
    exec make test
fi
scripts/install.sh dev
exec .venv/bin/python -m pytest "$@"
