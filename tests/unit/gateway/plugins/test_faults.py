"""The line that tells an author what failed, and where."""

from pathlib import Path

import pytest

from gateway.plugins.faults import fault_of
from gateway.plugins.folder import scan
from gateway.plugins.importing import import_plugin
from gateway.plugins.model import PluginFault
from tests.unit.gateway.plugins.conftest import Write


def fault_in(folder: Path, write: Write, text: str) -> BaseException:
    write("hello.py", text)
    try:
        import_plugin(scan(folder)["hello"], lambda _: None)
    except BaseException as fault:  # noqa: BLE001 - any fault is what is wanted
        return fault
    raise AssertionError("nothing failed")


@pytest.mark.parametrize(
    ("text", "told", "brief"),
    [
        (
            "\n\nx\n",
            "NameError: name 'x' is not defined (plugins/hello.py:3)",
            "NameError (plugins/hello.py:3)",
        ),
        (
            "a = 1\nb = = 2\n",
            "SyntaxError: invalid syntax (plugins/hello.py:2)",
            "SyntaxError (plugins/hello.py:2)",
        ),
        (
            "import sys\nsys.exit(3)\n",
            "SystemExit: 3 (plugins/hello.py:2)",
            "SystemExit (plugins/hello.py:2)",
        ),
        (
            "def f():\n    raise ValueError\nf()\n",
            "ValueError (plugins/hello.py:2)",
            "ValueError (plugins/hello.py:2)",
        ),
        (
            "import json\njson.loads('')\n",
            "JSONDecodeError: Expecting value: line 1 column 1 (char 0) (plugins/hello.py:2)",
            "JSONDecodeError (plugins/hello.py:2)",
        ),
    ],
)
def test_a_fault_is_told_with_its_line(
    folder: Path, write: Write, text: str, told: str, brief: str
) -> None:
    """The innermost line of the plugin, though it may have failed further inside."""
    fault = fault_of(fault_in(folder, write, text), folder)

    assert (fault.text, fault.brief) == (told, brief)


def test_our_own_words_need_no_kind(folder: Path) -> None:
    fault = fault_of(PluginFault("it has no scope"), folder)

    assert fault.text == fault.brief == "it has no scope"


def test_what_an_exception_says_becomes_one_short_clean_line(folder: Path) -> None:
    fault = fault_of(ValueError("\x1b[31mred\n\n  two " + "x" * 1000), folder)

    assert "\x1b" not in fault.text
    assert "\n" not in fault.text
    assert fault.text.startswith("ValueError: red two x")
    assert len(fault.text) < 350
    assert fault.brief == "ValueError"


def test_frames_elsewhere_are_not_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as caught:
        raise ValueError("here")

    assert fault_of(caught.value, tmp_path).text == "ValueError: here"
