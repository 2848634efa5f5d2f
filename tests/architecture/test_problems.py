"""Problems are named, explained and told apart."""

import re
from collections import Counter
from collections.abc import Iterator

import core.kernel.problems
from core.kernel.problems import Problem


def all_problems(root: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Yield every problem class below `root`."""
    for each in root.__subclasses__():
        yield each
        yield from all_problems(each)


def test_every_problem_says_what_it_means() -> None:
    silent = [each.__name__ for each in all_problems() if not each.__doc__]

    assert silent == []


def test_every_problem_has_a_code_and_a_title_of_its_own() -> None:
    codes = Counter(each.code for each in all_problems())

    assert [code for code, count in codes.items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)
    assert all("title" in vars(each) for each in all_problems())


def test_drawn_tree_is_the_real_one() -> None:
    """The tree in the module's docstring shows each problem of it below its parent."""
    drawn = dict(drawn_parents(core.kernel.problems.__doc__ or ""))

    real = {
        each.__name__: each.__mro__[1].__name__
        for each in all_problems()
        if each.__module__ == core.kernel.problems.__name__
    }

    assert drawn == real


def drawn_parents(tree: str) -> Iterator[tuple[str, str]]:
    """Read (problem, parent) pairs off a tree of box-drawing lines."""
    above = {0: "Problem"}
    for indent, name in re.findall(r"^([│ ]*)[├└]── (\w+)", tree, re.MULTILINE):
        depth = len(indent) // 4
        above[depth + 1] = name
        yield name, above[depth]
