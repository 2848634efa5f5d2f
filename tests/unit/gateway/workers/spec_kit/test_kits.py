"""Kits: what is written from a description is whole, and what a kit lacks is found."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.workers.spec_kit.generation import generate, read_brief, slug
from gateway.workers.spec_kit.model import (
    CONSTITUTION,
    PLAN,
    PRD,
    SECTIONS,
    TASKS,
    Level,
)
from gateway.workers.spec_kit.reports import MARK, render_line, render_markdown, view
from gateway.workers.spec_kit.validation import validate

PAY = "Take card payments. Refund within 30 days; send receipts by mail."
WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="{}?"), max_size=200
)
_LEFT_FOR_LATER = re.compile("todo|tbd|fixme|xxx|clarification|lorem|fill|insert|your|name of", re.IGNORECASE)  # fmt: skip


def changed(file: str, before: str, after: str) -> Mapping[str, str]:
    """Write a good kit with one thing in it that is not."""
    kit = dict(generate("Pay", PAY))
    assert before in kit[file]
    kit[file] = kit[file].replace(before, after)
    return kit


def test_a_kit_is_written_from_a_description() -> None:
    """M-SPK-01: each sentence is a requirement with criteria, a milestone and tasks."""
    kit = generate("Pay", PAY)

    assert list(kit) == [CONSTITUTION, PRD, PLAN, TASKS]
    assert "### REQ-1: Take card payments" in kit[PRD]
    assert "### REQ-3: Send receipts by mail" in kit[PRD]
    assert kit[PRD].count("- [ ] AC-") == 9
    assert "| M2 | Refund within 30 days | REQ-2 |" in kit[PLAN]
    assert kit[TASKS].count("- [ ] TASK-") == 11
    assert kit == generate("Pay", PAY)


@pytest.mark.parametrize(
    ("description", "titles"),
    [
        ("- one thing\n- another thing", ["One thing", "Another thing"]),
        ("1. one thing\n2) another", ["One thing", "Another"]),
        ("It does\none thing.\n\nAnd another", ["It does one thing", "And another"]),
        ("same. same.", ["Same"]),
        ("", ["Pay does what it was begun for"]),
        ("...", ["Pay does what it was begun for"]),
        ("# heading <b>|x", ["Heading &lt;b>\\|x"]),
    ],
)
def test_requirements_are_what_the_description_says(
    description: str, titles: list[str]
) -> None:
    found = read_brief("Pay", description)

    assert [each.title for each in found.requirements] == titles


def test_a_long_description_is_cut_and_says_so() -> None:
    kit = generate("Pay", " ".join(f"It does thing {each}." for each in range(40)))

    assert "REQ-20" in kit[PRD]
    assert "REQ-21" not in kit[PRD]
    assert "more than could be listed" in kit[PRD]


@given(WORDS, WORDS)
def test_any_words_give_a_kit_that_is_whole(name: str, description: str) -> None:
    """M-SPK-01, M-SPK-02: what is generated is valid, unless its words say otherwise."""
    report = validate("x", generate(name, description))

    errors = [each for each in report.errors if each.code != "unresolved_marker"]
    assert errors == []
    if not _LEFT_FOR_LATER.search(name + description):
        assert report.is_valid


@pytest.mark.parametrize(
    ("file", "before", "after", "code", "said"),
    [
        (PRD, "# Pay: product requirements\n", "", "title", "no title"),
        (PRD, "## Goals", "## Aims", "missing_section", "Goals"),
        (PLAN, "## Approach\n\nOne", "## Approach\n\n## More\n\nOne", "empty_section", "Approach"),
        (PRD, "AC-2.", "criterion ", "no_criteria", "REQ-2"),
        (PRD, "AC-2.1", "AC-3.1", "stray_criterion", "AC-3.1"),
        (PRD, "### REQ-2", "### REQ-1", "duplicate_requirement", "REQ-1 stands 2 times"),
        (PRD, "### REQ-", "### Wish ", "no_requirements", "no requirement"),
        (TASKS, "(REQ-2)", "(REQ-9)", "unknown_requirement", "REQ-9"),
        (TASKS, "TASK-06 (REQ-2)", "TASK-06", "task_without_requirement", "TASK-06"),
        (TASKS, "TASK-06", "TASK-05", "duplicate_task", "TASK-05 stands 2 times"),
        (TASKS, "REQ-3", "REQ-2", "no_task", "REQ-3"),
        (TASKS, "TASK-", "Job ", "no_tasks", "no task"),
        (PLAN, "REQ-2", "REQ-1", "unplanned_requirement", "REQ-2"),
        (PRD, "Take card payments.\n", "TODO: say what\n", "unresolved_marker", "TODO"),
        (PLAN, "One requirement", "[NEEDS CLARIFICATION] One", "unresolved_marker", "CLARIFICATION"),
        (PLAN, "One requirement", "{{ name }} One", "unresolved_marker", "{{ name }}"),
    ],
)  # fmt: skip
def test_what_a_kit_lacks_is_found(
    file: str, before: str, after: str, code: str, said: str
) -> None:
    """M-SPK-02: structure, criteria, tasks, and what was left for later."""
    report = validate("pay", changed(file, before, after))

    found = [each for each in report.findings if each.code == code]
    assert found, report.findings
    assert found[0].file == file
    assert said in found[0].text
    assert found[0].fix


@pytest.mark.parametrize("file", SECTIONS)
def test_a_missing_file_is_found(file: str) -> None:
    """M-SPK-02."""
    kit = {name: text for name, text in generate("Pay", PAY).items() if name != file}

    report = validate("pay", kit)

    assert ("missing_file", file) in {(each.code, each.file) for each in report.errors}


def test_findings_have_lines() -> None:
    kit = changed(PRD, "Refund within 30 days.\n", "Refund, TBD.\n")

    (found,) = validate("pay", kit).errors

    lines = kit[PRD].splitlines()
    assert "TBD" in lines[found.line - 1]
    assert render_line(found).startswith(f"prd.md:{found.line}: error: 'TBD'")


@pytest.mark.parametrize(
    "said",
    ["`TODO` is a word", "```\nTODO\n```", "<!-- TODO\nlater -->", "~~~\n# TBD\n~~~"],
)
def test_code_and_remarks_are_not_read(said: str) -> None:
    assert validate("pay", changed(PLAN, "One requirement", f"{said}\n\nOne")).is_valid


def test_a_warning_fails_nothing() -> None:
    report = validate("pay", changed(PLAN, "REQ-2", "REQ-1"))

    assert report.is_valid
    assert [each.level for each in report.findings] == [Level.WARNING]


def test_a_report_is_told_to_programs_and_to_people() -> None:
    """M-SPK-02, M-SPK-05."""
    report = validate("pay | <b>", changed(TASKS, "(REQ-2)", "(REQ-9)"))

    shown, written = view(report), render_markdown(report)

    assert shown["is_valid"] is False
    assert (shown["requirements"], shown["criteria"]) == (3, 9)
    assert shown["errors"] == len(shown["findings"]) == 3
    assert written.startswith(f"{MARK}\n## Spec kit pay \\| &lt;b> is not complete")
    assert "| error | tasks.md:11 | TASK-05 names REQ-9" in written


@given(st.dictionaries(st.sampled_from([*SECTIONS]), st.text(alphabet="# \n`~-<!>|REQ1AC.TASK:[]", max_size=200)))  # fmt: skip
def test_any_texts_can_be_checked(files: dict[str, str]) -> None:
    """R-19."""
    report = validate("x", files)

    assert render_markdown(report)
    assert len(report.findings) >= 4 - len(files)


@pytest.mark.parametrize(
    ("name", "file"), [("Pay", "pay"), ("Größe & Co.", "gr-sse-co"), ("..", "project")]
)
def test_names_of_files_are_plain(name: str, file: str) -> None:
    assert slug(name) == file
