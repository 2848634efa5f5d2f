"""The documentation check finds what a reader would stumble over."""

from pathlib import Path

import pytest

from scripts import check_docs


def a_page(root: Path, name: str, text: str) -> Path:
    """Write a page below `root`."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "[guide](docs/guide.md)",
        "[part](docs/guide.md#first-steps-now)",
        "[here](#top)\n\n# Top",
        "[rfc](https://www.rfc-editor.org/rfc/rfc9110)",
        "`http://127.0.0.1:8000/v1/me` and wss://ops.example.com/v1/ws",
        "```\n[not a link](nowhere.md)\n```",
    ],
)
def test_good_page_has_no_fault(tmp_path: Path, text: str) -> None:
    a_page(tmp_path, "docs/guide.md", "# Guide\n\n## First steps, now!\n")
    page = a_page(tmp_path, "README.md", text)

    assert list(check_docs.page_faults(tmp_path, page)) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[guide](docs/gone.md)", "docs/gone.md leads nowhere"),
        ("[part](docs/guide.md#gone)", "#gone leads nowhere"),
        ("see https://build.internal.test/x", "build.internal.test"),
        ("in /home/" + "ann/opswire", "path of one machine"),
    ],
)
def test_fault_of_a_page_is_named(tmp_path: Path, text: str, part: str) -> None:
    a_page(tmp_path, "docs/guide.md", "# Guide\n")
    page = a_page(tmp_path, "README.md", text)

    [fault] = check_docs.page_faults(tmp_path, page)

    assert fault.startswith("README.md: ")
    assert part in fault


def test_module_without_docstring_is_named(tmp_path: Path) -> None:
    silent = a_page(tmp_path, "core/a.py", "x = 1\n")
    spoken = a_page(tmp_path, "core/b.py", '"""What it is for."""\n')

    assert len(list(check_docs.module_faults(tmp_path, silent))) == 1
    assert list(check_docs.module_faults(tmp_path, spoken)) == []


def test_decisions_are_numbered_without_a_gap(tmp_path: Path) -> None:
    sections = "# X\n\n## Context\n\n## Decision\n\n## Consequences\n"
    a_page(tmp_path, "0000-template.md", sections)
    a_page(tmp_path, "0002-second.md", sections)

    assert list(check_docs.decision_faults(tmp_path)) == [
        "0002-second.md: the decision here should be number 0001"
    ]


def test_decision_needs_its_three_sections(tmp_path: Path) -> None:
    a_page(tmp_path, "0000-template.md", "# X\n\n## Context\n\n## Decision\n")

    assert list(check_docs.decision_faults(tmp_path)) == [
        "0000-template.md: no section 'Consequences'"
    ]


def test_readme_starts_with_the_two_commands(tmp_path: Path) -> None:
    good = a_page(
        tmp_path, "good.md", "# Opswire\n\nmake run\nmake test   # all of it\n"
    )
    late = a_page(tmp_path, "late.md", "\n" * 20 + "make run\nmake test\n")

    assert list(check_docs.readme_faults(good)) == []
    assert len(list(check_docs.readme_faults(late))) == 2
