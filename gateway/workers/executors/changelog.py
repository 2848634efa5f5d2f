"""Writes what changed in a git repository: its commits, by kind, as Markdown."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from core.kernel.jsons import Json
from core.runs.model import Step
from gateway.workers.calls import Produced
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.executors.tools import run_tool
from gateway.workers.sandbox.environment import find_program
from gateway.workers.sandbox.paths import ForbiddenPath, inside, is_plain, parse_path

_FIELDS = ("repository", "since", "until", "title", "save_as")
_NAME = "CHANGELOG.md"
_COMMITS = ".commits"
_MOST_COMMITS = 5_000
_MOST_BYTES = 20 * 1_048_576
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@^~-]{0,199}")
_TYPED = re.compile(r"([A-Za-z]+)(?:\(([^)]*)\))?(!)?: +(.+)")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|])")
_KINDS = {
    "feat": "Features",
    "fix": "Fixes",
    "perf": "Performance",
    "docs": "Documentation",
    "refactor": "Refactoring",
    "test": "Tests",
    "build": "Build",
    "ci": "Build",
    "chore": "Chores",
}
_BREAKING = "Breaking changes"
_OTHER = "Other changes"
# Nothing that a repository brings along may start a program.
_SAFE = (
    "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat",
    "log.showSignature=false", "gpg.program=/bin/false", "protocol.allow=never",
)  # fmt: skip


class Commit(NamedTuple):
    """A commit: its id, its first line, and the rest."""

    id: str
    subject: str
    body: str


class Changelog:
    """Lists the commits of `repository` from `since` to `until`.

    Shape:  the repository is in the run's folder, or in one of `roots`. Commits whose
            first line is `kind(scope): text` are put together by kind.
    """

    name = "docs/changelog"

    def __init__(self, sandbox: Sandbox, roots: Sequence[Path] = ()) -> None:
        self._sandbox = sandbox
        self._roots = roots

    def check(self, step: Step) -> None:
        """Refuse a repository that may not be read, and what is no revision.

        Raises: InvalidArgument.
        """
        given = Given(step, _FIELDS)
        if not given.text("repository", ".").startswith("/"):
            parse_path(given.text("repository", "."))
        else:
            self._below_root(given.text("repository"))
        for name in ("since", "until"):
            value = given.text(name)
            if value and (not _REVISION.fullmatch(value) or ".." in value):
                given.refuse(
                    name, f"{value[:40]!r} is no revision", fix=["since: v1.2"]
                )
        parse_path(given.text("save_as", _NAME))

    async def run(self, work: StepWork) -> StepResult:
        """Read the commits, and write them down."""
        self.check(work.step)
        given = Given(work.step, _FIELDS)
        listed = inside(work.folder, _COMMITS)
        listed.unlink(missing_ok=True)
        repository = self._repository(work, given)
        result = await run_tool(
            self._sandbox,
            work,
            find_program("git", path=work.environment["PATH"]),
            _git(repository, given, listed),
            further=_environment(),
            reads=self._shown(repository),
        )
        if not result.is_good:
            return result
        commits = list(_commits(listed))
        listed.unlink(missing_ok=True)
        return _written(work, given, commits)

    def _repository(self, work: StepWork, given: Given) -> Path:
        text = given.text("repository", ".")
        if text.startswith("/"):
            return self._below_root(text)
        return inside(work.folder, text)

    def _shown(self, repository: Path) -> Sequence[str]:
        """List the roots that a repository is below, and itself; none for the run's own.

        Shape:  repositories refer to others beside them. Of a root that is hidden as a
                whole, the repository alone is shown.
        """
        roots = [each.resolve() for each in self._roots]
        above = [str(each) for each in roots if repository.is_relative_to(each)]
        return [*above, str(repository)] if above else []

    def _below_root(self, text: str) -> Path:
        """Find a repository below a root, wherever links lead.

        Raises: ForbiddenPath.
        """
        found = Path(text).resolve()
        if any(found.is_relative_to(each.resolve()) for each in self._roots):
            return found
        raise ForbiddenPath(text, "is in no folder that repositories are read from")


def grouped(commits: Sequence[Commit]) -> Mapping[str, Sequence[str]]:
    """Put commits together by their kind, the telling ones first."""
    found: dict[str, list[str]] = {
        title: [] for title in (_BREAKING, *_KINDS.values(), _OTHER)
    }
    for commit in commits:
        typed = _TYPED.fullmatch(commit.subject)
        kind, scope, bang, text = typed.groups() if typed else ("", "", "", "")
        title = _KINDS.get((kind or "").lower(), _OTHER)
        is_typed = title is not _OTHER
        line = _line(commit, text if is_typed else commit.subject, scope=scope or "")
        found[title].append(line)
        if (bang and is_typed) or "BREAKING CHANGE:" in commit.body:
            found[_BREAKING].append(line)
    return {title: lines for title, lines in found.items() if lines}


def _git(repository: Path, given: Given, listed: Path) -> list[str]:
    options = (*_SAFE, f"safe.directory={repository}")
    until = given.text("until") or "HEAD"
    since = given.text("since")
    return [
        "git", "--no-pager", *(part for each in options for part in ("-c", each)),
        "-C", str(repository), "log", "--no-color", "--no-merges", "--no-mailmap",
        f"--max-count={_MOST_COMMITS}", "--format=%H%x1f%s%x1f%b%x1e",
        f"--output={listed}", "--end-of-options",
        f"{since}..{until}" if since else until, "--",
    ]  # fmt: skip


def _environment() -> Mapping[str, str]:
    return {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ATTR_NOSYSTEM": "1",
    }


def _commits(listed: Path) -> Iterator[Commit]:
    if not is_plain(listed) or listed.stat().st_size > _MOST_BYTES:
        return
    text = listed.read_bytes().decode("utf-8", "replace")
    for each in text.split("\x1e"):
        parts = each.strip("\n").split("\x1f")
        if len(parts) == 3:
            yield Commit(*parts)


def _line(commit: Commit, text: str, *, scope: str) -> str:
    named = f"**{_plain(scope)}:** " if scope else ""
    return f"- {named}{_plain(text)} ({commit.id[:7]})"


def _plain(text: str) -> str:
    """Keep what people wrote from being read as markup."""
    return _MARKUP.sub(r"\\\1", "".join(each for each in text if each.isprintable()))


def _written(work: StepWork, given: Given, commits: Sequence[Commit]) -> StepResult:
    name = given.text("save_as", _NAME)
    groups = grouped(commits)
    title = _plain(given.text("title") or given.text("until") or "Changes")
    parts = [f"# {title}", *(_section(each, lines) for each, lines in groups.items())]
    path = inside(work.folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    counts: dict[str, Json] = {each: len(lines) for each, lines in groups.items()}
    return StepResult(
        exit_code=0,
        result={"commits": len(commits), "by_kind": counts},
        produced=[Produced(name=name, path=path, kind="markdown")],
    )


def _section(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(lines)
