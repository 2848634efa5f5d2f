"""Where the value of a parameter would become code; a net, and not a proof.

Known are interpreters, programs that start others, options that take code, and variables
that programs run or load. What any other program makes of a value is its own affair.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from core.runs.templates.placeholders import names_in

_INTERPRETER = re.compile(
    r"(?:ba|da|a|z|k|fi|pw)?sh|busybox|python[0-9.]*|perl|ruby|node|php|lua[0-9.]*|tclsh"
    r"|[gm]?awk|sed"
)
_TAKES_VALUE = re.compile(r"-[A-Za-z]*[oOWXIrdDF]")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")

_LAUNCHERS = {
    "chroot": 1, "chrt": 1, "command": 0, "doas": 0, "env": 0, "exec": 0, "fakeroot": 0,
    "firejail": 0, "flock": 1, "ionice": 0, "ltrace": 0, "nice": 0, "nohup": 0,
    "nsenter": 0, "prlimit": 0, "setarch": 0, "setpriv": 0, "setsid": 0, "sshpass": 0,
    "stdbuf": 0, "strace": 0, "sudo": 0, "systemd-run": 0, "taskset": 1, "time": 0,
    "timeout": 1, "unshare": 0, "xargs": 0,
}  # fmt: skip
"""Programs that start another one, and how many words of their own come before it."""

_SHELLS_OUT = {"at", "autossh", "batch", "eval", "parallel", "screen", "ssh", "tmux", "watch"}  # fmt: skip
"""Programs that hand their words to a shell, here or elsewhere."""

_CODE_OPTIONS = frozenset({
    "--checkpoint-action", "--command", "--compress-program", "--entrypoint", "--eval",
    "--exec", "--exec-path", "--execute", "--info-script", "--new-volume-script",
    "--receive-pack", "--rsh", "--rsh-command", "--rsync-path", "--session-command",
    "--to-command", "--upload-pack", "--use-compress-program",
    "-exec", "-execdir", "-ok", "-okdir",
})  # fmt: skip
_CODE_LETTERS = {
    "ex": "c", "flock": "c", "git": "c", "make": "E", "psql": "c", "rsync": "e",
    "runuser": "c", "scp": "oS", "script": "c", "sftp": "oS", "sg": "c", "su": "c",
    "tar": "FI", "vi": "c", "vim": "c",
}  # fmt: skip
"""Letters of options whose value is code, or settings that hold code."""

_CODE_VARIABLE = re.compile(
    r"LD_\w+|DYLD_\w+|BASH_ENV|BASH_FUNC\w*|ENV|PATH|IFS|PS4|PROMPT_COMMAND|SHELL|SHELLOPTS"
    r"|\w*PAGER|\w*EDITOR|VISUAL|BROWSER|LESSOPEN|LESSCLOSE|\w+_ASKPASS|\w+_RSH|TAR_OPTIONS"
    r"|GIT_SSH|GIT_SSH_COMMAND|GIT_EXTERNAL_DIFF|GIT_PROXY_COMMAND|GIT_CONFIG\w*"
    r"|GIT_EXEC_PATH|GIT_TEMPLATE_DIR"
    r"|PYTHON(?!_)\w+|PERL5(?:LIB|OPT|DB)|PERLLIB|RUBYOPT|RUBYLIB|NODE_OPTIONS|NODE_PATH|LUA_\w+|PHPRC|PHP_INI\w*"
    r"|\w*JAVA_\w*OPTIONS|CLASSPATH|(?:GNU)?MAKEFLAGS|MAKEFILES|RUSTC(?:_\w*WRAPPER)?|NPM_CONFIG_\w+"
)


def argv_flaw(argv: Sequence[str]) -> str:
    """Say why a command would run a parameter as code; "" when nothing is known of it.

    Shape:  no placeholder may be the program, or stand before it where one program
            starts another; nor in the script of an interpreter and the options before
            that; nor in an option that takes code.
    """
    if argv and names_in(argv[0]):
        return "the program itself is a parameter"
    if named := _first_name(_script_words(argv)):
        return f"the script holds the parameter {named}"
    return _flaw_of(PurePosixPath(argv[0]).name, argv[1:]) if argv else ""


def is_code_variable(name: str) -> bool:
    """Tell whether some program runs, or loads, what a variable holds."""
    return _CODE_VARIABLE.fullmatch(name.upper()) is not None


def _flaw_of(program: str, rest: Sequence[str]) -> str:
    if named := _first_name(_code_of(program, rest)):
        return f"{program} runs the parameter {named}"
    if program not in _LAUNCHERS:
        return ""
    own = _words_before_program(rest, operands=_LAUNCHERS[program])
    if named := _first_name(rest[:own]):
        return (
            f"{named} may decide what {program} starts; if it does not, put -- before "
            f"what {program} starts"
        )
    return argv_flaw(rest[own:])


def _first_name(words: Iterable[str]) -> str:
    return next((name for each in words for name in names_in(each)), "")


def _code_of(program: str, rest: Sequence[str]) -> Iterator[str]:
    """Yield the words that a program takes for code, whole."""
    if program in _SHELLS_OUT:
        yield from rest
    letters = _CODE_LETTERS.get(program)
    short = re.compile(f"-[A-Za-z]*[{letters}]") if letters else None
    for place, each in enumerate(rest):
        is_long = each.partition("=")[0] in _CODE_OPTIONS
        if is_long or (short and short.match(each)):
            yield each
            if is_long or (short and short.fullmatch(each)):
                yield from rest[place + 1 : place + 2]


def _words_before_program(rest: Sequence[str], *, operands: int) -> int:
    """Count what stands between a launcher and the program that it surely starts.

    Shape:  the word after an option may be its value or the program already, and counts
            as the first; `--` ends options, so that there is no doubt.
    """
    is_value = is_over = False
    for place, each in enumerate(rest):
        if each.startswith("-") and not is_over:
            is_over = each == "--"
            is_value = not is_over and "=" not in each
        elif is_value:
            is_value = False
        elif not _ASSIGNMENT.match(each):
            if not operands:
                return place
            operands -= 1
    return len(rest)


def _script_words(argv: Sequence[str]) -> Iterator[str]:
    """Yield the options and the scripts of all interpreters in a command."""
    for place, each in enumerate(argv):
        if _INTERPRETER.fullmatch(PurePosixPath(each).name):
            yield from _words_up_to_script(argv[place + 1 :], is_program=not place)


def _words_up_to_script(rest: Sequence[str], *, is_program: bool) -> Iterator[str]:
    """Yield an interpreter's options and its script.

    Shape:  further right than the program, a word such as `node` is an interpreter
            only if an option follows.
    """
    if not is_program and not (rest and rest[0].startswith("-")):
        return
    is_value = False
    for each in rest:
        yield each
        is_option = each.startswith("-")
        if not is_option and not is_value:
            return
        is_value = is_option and bool(_TAKES_VALUE.fullmatch(each))
