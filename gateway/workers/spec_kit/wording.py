"""The words of a generated spec kit; braces are filled in by `generation`."""

CONSTITUTION = """\
# {name}: constitution

What holds whatever is built. It changes rarely, and never by accident.

## Purpose

{name} exists for the people named in prd.md. When a choice is unclear, the one that
serves them with the least to learn and to operate is taken.

## Principles

1. **The requirement comes first.** Nothing is built that no requirement asks for; a
   requirement that turns out wrong is changed in prd.md before the code is.
2. **Every requirement can be checked.** It has acceptance criteria, and a test names each.
3. **Failures are told.** Whoever asked learns what went wrong and what to do about it;
   nothing is dropped in silence.
4. **Data is handled with care.** Only what is needed is kept, for as long as it is needed, and
   secrets never stand in logs or in the repository.
5. **Small steps.** A change is reviewed by somebody else, is green alone and can be
   taken back.

## Quality gates

- The spec kit is valid: `python scripts/validate_spec_kit.py` in CI.
- All tests pass, and each acceptance criterion has one.
- Linting and type checks are clean; exceptions carry their reason.
- What users see is documented in the same change.

## Governance

- This file changes by a pull request that says why, approved by two people.
- prd.md, plan.md and tasks.md change together: a requirement without a task, or a task
  without a requirement, fails the gate.
- Decisions that are hard to undo are written down with what else was considered.
"""

PRD = """\
# {name}: product requirements

## Summary

{summary}

## Users

| who | what they want from {name} |
| --- | --- |
| people who use it | that each requirement below holds for them, every time |
| people who operate it | to see that it works, and to be told when it does not |
| people who change it | to know from this kit what must stay true |

## Goals

{goals}

## Not in scope

- Anything that no requirement below names. It is added here first, with its criteria.

## Requirements

The criteria are a first draft: sharpen each with whoever asked before it is built.

{requirements}
## Success measures

- Every acceptance criterion passes in CI on the day of the release.
- After a month in use no requirement has an open defect that stops somebody's work.

## Open questions

{questions}
"""

REQUIREMENT = """\
### {id}: {title}

{text}

**Acceptance criteria**

- [ ] AC-{n}.1: Given {name} is set up, when somebody who may relies on it with valid
  input, then it holds and they can see that it does.
- [ ] AC-{n}.2: Given input that is missing or not valid, when somebody tries it, then
  nothing changes and they are told what is wrong and how to mend it.
- [ ] AC-{n}.3: Given the same request comes a second time, when it is handled, then the
  outcome is the same as after the first.
"""

QUESTIONS = (
    "- How many people will use it at once, and how fast does it have to answer them?",
    "- Which systems does it have to work with that exist already?",
    "- Which rules (privacy, retention, accessibility) apply where it is used?",
)

CUT = "- The description says more than could be listed; what else of it is a requirement?"

PLAN = """\
# {name}: plan

## Approach

One requirement after the other, each through all layers, so that something works after
the first milestone. The tests of its acceptance criteria are written before the code.

## Milestones

| milestone | what works then | requirements | proof |
| --- | --- | --- | --- |
{milestones}

## Risks

| risk | what is done about it |
| --- | --- |
| A requirement was understood wrongly | its criteria are shown to its users before it is built |
| A system it depends on fails | timeouts and retries at that seam, and a test that cuts it off |
| The kit and the code drift apart | the gate in CI, and tests that name their criteria |

## Verification

- {every}: each criterion has at least one automated test that names it.
- Before the release somebody who did not build it follows the documentation from nothing.
"""

TASKS = """\
# {name}: tasks

Done in this order; a task is done when what it names can be shown.

## Tasks

{tasks}
"""

FRAME_TASK = (
    "Set up the repository, CI with the gates of the constitution, and this kit."
)
RELEASE_TASK = "Release: notes that name each requirement, and a rehearsed way back."
TASKS_OF_ONE = (
    "Write the tests of AC-{n}.1, AC-{n}.2 and AC-{n}.3, and see them fail.",
    "Build it until they pass: {title}.",
    "Document it for its users, and show it to one of them.",
)
