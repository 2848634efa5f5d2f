"""Where a parameter may stand: as data, and never where it would be run."""

from collections.abc import Sequence

import pytest

from core.runs.templates import code
from core.runs.templates.reading import read

WITH_VARIABLE = """\
name: x
params: {properties: {x: {type: string}}}
steps:
  - name: a
    run: make
    env: {NAME: "{{ params.x }}"}
"""


@pytest.mark.parametrize(
    "elements",
    [
        ["sh", "-c", "echo {{ params.x }}"],
        ["/bin/bash", "-euo", "pipefail", "-c", "{{ params.x }}"],
        ["sh", "{{ params.x }}"],
        ["sh", "-{{ params.x }}", "a"],
        ["env", "A=1", "sh", "-c", "{{ params.x }}"],
        ["python3.11", "-c", "print('{{ params.x }}')"],
        ["docker", "run", "i", "bash", "-c", "a {{ params.x }}"],
        ["awk", "{{ params.x }}", "f"],
        ["{{ params.x }}", "a"],
        ["./{{ params.x }}.sh"],
        ["env", "{{ params.x }}"],
        ["/usr/bin/env", "A=1", "{{ params.x }}"],
        ["env", "A={{ params.x }}", "make"],
        ["env", "-S", "{{ params.x }}"],
        ["env", "-Smake {{ params.x }}"],
        ["env", "-i", "{{ params.x }}"],
        ["nice", "-n", "5", "{{ params.x }}"],
        ["timeout", "-k", "5", "10", "{{ params.x }}"],
        ["timeout", "{{ params.x }}", "make"],
        ["nohup", "setsid", "sudo", "-u", "bob", "{{ params.x }}"],
        ["sudo", "--", "A=1", "{{ params.x }}"],
        ["sudo", "bash", "{{ params.x }}"],
        ["xargs", "-n", "1", "{{ params.x }}"],
        ["xargs", "ssh", "host", "{{ params.x }}"],
        ["watch", "ls", "{{ params.x }}"],
        ["parallel", "{{ params.x }}"],
        ["ssh", "host", "{{ params.x }}"],
        ["ssh", "{{ params.x }}", "uptime"],
        ["flock", "x", "-c", "{{ params.x }}"],
        ["flock", "x", "{{ params.x }}"],
        ["script", "-qc", "{{ params.x }}", "log"],
        ["su", "bob", "-c", "{{ params.x }}"],
        ["su", "bob", "--command={{ params.x }}"],
        ["make", "--eval={{ params.x }}"],
        ["make", "--eval", "{{ params.x }}"],
        ["git", "-c", "alias.x={{ params.x }}", "x"],
        ["git", "clone", "--upload-pack", "{{ params.x }}", "a"],
        ["nice", "--", "git", "-c{{ params.x }}", "x"],
        ["tar", "cf", "a", "--checkpoint-action=exec={{ params.x }}", "."],
        ["tar", "-I", "{{ params.x }}", "-xf", "a"],
        ["find", ".", "-exec", "{{ params.x }}", ";"],
        ["rsync", "-e", "{{ params.x }}", "a", "b"],
    ],
)  # fmt: skip
def test_a_value_cannot_become_code(elements: Sequence[str]) -> None:
    """R-19: neither a program nor a script may hold a placeholder."""
    assert code.argv_flaw(elements)


@pytest.mark.parametrize(
    "elements",
    [
        ["sh", "-c", 'echo "$1"', "sh", "{{ params.x }}"],
        ["sh", "deploy.sh", "{{ params.x }}"],
        ["kubectl", "drain", "node", "{{ params.x }}"],
        ["deploy", "--to", "{{ params.x }}"],
        ["python3", "-m", "tool", "{{ params.x }}"],
        ["env", "A=1", "make", "{{ params.x }}"],
        ["env", "-u", "A", "make", "{{ params.x }}"],
        ["timeout", "-k", "5", "10", "make", "{{ params.x }}"],
        ["timeout", "--foreground", "--", "10", "make", "{{ params.x }}"],
        ["sudo", "-E", "--", "make", "{{ params.x }}"],
        ["nice", "-n", "5", "make", "{{ params.x }}"],
        ["git", "-C", "{{ params.x }}", "status"],
        ["git", "clone", "--", "{{ params.x }}", "a"],
        ["tar", "-czf", "{{ params.x }}.tgz", "."],
        ["find", ".", "-name", "{{ params.x }}"],
        ["make", "-C", "{{ params.x }}"],
        ["env"],
        [],
    ],
)
def test_a_value_may_be_an_argument(elements: Sequence[str]) -> None:
    assert code.argv_flaw(elements) == ""


@pytest.mark.parametrize(
    "name",
    [
        "BASH_ENV", "ENV", "GIT_SSH_COMMAND", "LD_PRELOAD", "PYTHONSTARTUP", "PERL5OPT",
        "NODE_OPTIONS", "MAKEFLAGS", "PAGER", "GIT_EDITOR", "GIT_CONFIG_COUNT", "PATH",
        "JAVA_TOOL_OPTIONS", "SSH_ASKPASS", "npm_config_script_shell",
    ],
)  # fmt: skip
def test_a_value_is_put_in_no_variable_that_is_run(name: str) -> None:
    """R-19."""
    flaws = read(WITH_VARIABLE.replace("NAME", name)).flaws

    assert [each.field for each in flaws] == [f"steps[0].env.{name}"]
    assert name in flaws[0].text


@pytest.mark.parametrize(
    "name", ["VERSION", "ENVIRONMENT", "GIT_AUTHOR_NAME", "PYTHON_VERSION"]
)
def test_a_value_is_put_in_any_other_variable(name: str) -> None:
    assert read(WITH_VARIABLE.replace("NAME", name)).flaws == ()


def test_what_is_written_out_may_be_code() -> None:
    text = WITH_VARIABLE.replace("NAME", "PAGER").replace("{{ params.x }}", "cat")

    assert read(text).flaws == ()
