"""The shape tool measures what it says and fails past a hard cap."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts import shape
from scripts.measure import Source, find_cycles, read_source, read_sources


def a_file(root: Path, name: str, text: str) -> Source:
    """Write a file below `root` and measure it."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_source(root, path)


def test_function_is_measured_from_def_to_its_last_line(tmp_path: Path) -> None:
    source = a_file(
        tmp_path,
        "core/a.py",
        "def f(x: int, y) -> int:\n    if x:\n        y()\n    return x\n",
    )

    [function] = source.functions

    assert (function.lines, function.complexity) == (4, 2)
    assert (function.typed, function.slots) == (2, 3)


def test_inner_function_counts_for_itself(tmp_path: Path) -> None:
    source = a_file(
        tmp_path, "core/a.py", "def f():\n    def g():\n        if 1: pass\n"
    )

    assert sorted(each.complexity for each in source.functions) == [1, 2]


@pytest.mark.parametrize(
    ("body", "complexity"),
    [
        ("for x in y: pass", 2),
        ("while x: pass", 2),
        ("return [x for x in y]", 2),
        ("match x:\n        case 1: pass\n        case _: pass", 2),
        ("try: pass\n    except ValueError: pass", 2),
        ("return x and y or z", 1),
    ],
)
def test_complexity_counts_branches(tmp_path: Path, body: str, complexity: int) -> None:
    source = a_file(tmp_path, "core/a.py", f"def f(x, y, z):\n    {body}\n")

    assert source.functions[0].complexity == complexity


@pytest.mark.parametrize(
    "caught", ["except Exception", "except (OSError, BaseException)", "except"]
)
def test_swallowing_everything_is_seen(tmp_path: Path, caught: str) -> None:
    source = a_file(tmp_path, "core/a.py", f"try:\n    f()\n{caught}:\n    pass\n")

    assert source.broad_excepts == [3]
    assert list(shape.broken_caps([source])) == ["core/a.py:3 catches everything"]


def test_catching_everything_to_raise_it_again_is_fine(tmp_path: Path) -> None:
    source = a_file(
        tmp_path, "core/a.py", "try:\n    f()\nexcept BaseException:\n    raise\n"
    )

    assert not source.broad_excepts


def test_named_place_may_catch_everything(tmp_path: Path) -> None:
    text = "try:\n    f()\nexcept Exception:\n    pass\n"

    sources = [a_file(tmp_path, name, text) for name in shape.BROAD_EXCEPT_PLACES]

    assert not list(shape.broken_caps(sources))


def test_cycle_of_packages_is_found_through_modules(tmp_path: Path) -> None:
    for name, text in {
        "core/a/__init__.py": "",
        "core/a/one.py": "from core.b import two",
        "core/b/__init__.py": "",
        "core/b/two.py": "import core.c.three",
        "core/c/__init__.py": "",
        "core/c/three.py": "from core.a.one import thing",
        "core/d/__init__.py": "from core.a import one",
    }.items():
        a_file(tmp_path, name, text)

    assert find_cycles(read_sources(tmp_path, ["core"])) == [
        ["core.a", "core.b", "core.c"]
    ]


def test_cycle_of_modules_in_one_package_is_found(tmp_path: Path) -> None:
    sources = [
        a_file(tmp_path, "core/a/one.py", "from core.a import two"),
        a_file(tmp_path, "core/a/two.py", "from core.a.one import thing"),
    ]

    assert find_cycles(sources) == [["core.a.one", "core.a.two"]]


def test_package_and_the_modules_beside_it_may_share_words(tmp_path: Path) -> None:
    sources = [
        a_file(tmp_path, "core/a/__init__.py", "from core.a.one import thing"),
        a_file(tmp_path, "core/a/__main__.py", "from core.a import part"),
        a_file(tmp_path, "core/a/one.py", ""),
        a_file(tmp_path, "core/a/part/__init__.py", "from core.a import one, thing"),
    ]

    assert find_cycles(sources) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = 1\n" * 401, "core/a.py has 401 lines"),
        ("def f():\n" + "    x = 1\n" * 60, "core/a.py:1 f has 61 lines"),
        ("def f():\n" + "    if x: pass\n" * 10, "core/a.py:1 f has complexity 11"),
    ],
)
def test_hard_cap_fails_the_build(tmp_path: Path, text: str, fault: str) -> None:
    a_file(tmp_path, "core/a.py", text)
    printed: list[str] = []

    status = shape.main(tmp_path, printed.append)

    assert status == 1
    assert f"over the cap: {fault}" in printed


def test_small_code_passes_and_is_reported(tmp_path: Path) -> None:
    a_file(tmp_path, "core/a.py", "def f() -> int:\n    return 1\n")
    a_file(tmp_path, "tests/test_a.py", "x = 1\n" * 3)
    printed: list[str] = []

    status = shape.main(tmp_path, printed.append)

    assert status == 0
    assert any(
        line.startswith("test lines per source line") and "1.50" in line
        for line in printed
    )


@pytest.mark.parametrize(
    ("numbers", "percent", "found"),
    [([], 50, 0), ([7], 90, 7), ([1, 2, 3, 4], 50, 2), (list(range(1, 11)), 90, 9)],
)
def test_percentile_is_one_of_the_numbers(
    numbers: Sequence[int], percent: int, found: int
) -> None:
    assert shape.percentile(numbers, percent) == found
