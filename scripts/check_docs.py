"""Check the documentation: links, decisions, first lines, docstrings, no private places.

`python -m scripts.check_docs` is `make docs`.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

CODE = ("gateway", "channels", "commands", "core", "benchmarks", "scripts", "tests")
FIRST_COMMANDS = ("make run", "make test")
FIRST_LINES = 12

PUBLIC_HOSTS = {
    "127.0.0.1": "the reader's own machine",
    "localhost": "the reader's own machine",
    "example.com": "reserved for examples",
    "example.org": "reserved for examples",
    "slack.com": "where a workspace is reached",
    "x.example": "reserved for examples",
    "keepachangelog.com": "the form of our changelog",
    "www.rfc-editor.org": "the standards we follow",
    "www.standardwebhooks.com": "the webhook signature we follow",
}

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_URL_HOST = re.compile(r"\b(?:https?|wss?)://([^\s/:)>\"'`$]+)")
_MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home/\w+|Users/\w+|work|mnt)/\w+")
_DECISION = re.compile(r"(\d{4})-[a-z0-9-]+\.md")


def main(root: Path, write: Callable[[str], object] = print) -> int:
    """Print every fault of a checkout's documentation; return 1 when there is one."""
    names = _tracked(root)
    pages = [root / name for name in names if name.endswith(".md")]
    modules = [root / name for name in names if _is_code(name)]
    faults = [
        *(fault for page in pages for fault in page_faults(root, page)),
        *(fault for module in modules for fault in module_faults(root, module)),
        *decision_faults(root / "docs" / "decisions"),
        *readme_faults(root / "README.md"),
    ]
    for fault in faults:
        write(fault)
    write(f"{len(pages)} pages, {len(modules)} modules, {len(faults)} faults")
    return 1 if faults else 0


def page_faults(root: Path, page: Path) -> Iterator[str]:
    """Name broken links, strange hosts and paths of somebody's machine in one page."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(root)
    for target in _LINK.findall(_FENCE.sub("", text)):
        if "://" not in target and not _resolves(page, target):
            yield f"{name}: the link {target} leads nowhere"
    for host in _URL_HOST.findall(text):
        if not _is_public(host):
            yield f"{name}: the host {host} is not one a reader should need"
    for path in _MACHINE_PATH.findall(text):
        yield f"{name}: {path} is a path of one machine"


def module_faults(root: Path, module: Path) -> Iterator[str]:
    """Name what a module lacks or gives away: its docstring, a machine's path."""
    text = module.read_text(encoding="utf-8")
    name = module.relative_to(root)
    if text.strip() and ast.get_docstring(ast.parse(text)) is None:
        yield f"{name}: no docstring says what this module is for"
    for path in _MACHINE_PATH.findall(text):
        yield f"{name}: {path} is a path of one machine"


def decision_faults(folder: Path) -> Iterator[str]:
    """Name decisions out of number or without the three sections."""
    pages = sorted(folder.glob("*.md"))
    for number, page in enumerate(pages):
        found = _DECISION.fullmatch(page.name)
        if found is None or int(found[1]) != number:
            yield f"{page.name}: the decision here should be number {number:04}"
        headings = _HEADING.findall(page.read_text(encoding="utf-8"))
        for section in ("Context", "Decision", "Consequences"):
            if section not in headings:
                yield f"{page.name}: no section {section!r}"


def readme_faults(readme: Path) -> Iterator[str]:
    """Name the first commands that the first lines do not show."""
    first = readme.read_text(encoding="utf-8").splitlines()[:FIRST_LINES]
    for command in FIRST_COMMANDS:
        if not any(line.startswith(command) for line in first):
            yield f"README.md: {command!r} is not in the first {FIRST_LINES} lines"


def _resolves(page: Path, target: str) -> bool:
    if target.startswith("mailto:"):
        return True
    path, _, anchor = target.partition("#")
    goal = (page.parent / path).resolve() if path else page
    if not goal.exists():
        return False
    return not anchor or anchor in _anchors(goal.read_text(encoding="utf-8"))


def _anchors(text: str) -> Sequence[str]:
    headings = _HEADING.findall(_FENCE.sub("", text))
    return [
        re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings
    ]


def _is_public(host: str) -> bool:
    return any(host == each or host.endswith(f".{each}") for each in PUBLIC_HOSTS)


def _is_code(name: str) -> bool:
    return name.endswith(".py") and name.startswith(tuple(f"{top}/" for top in CODE))


def _tracked(root: Path) -> Iterable[str]:
    """List what git tracks or would track, so that scratch files are not judged."""
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(name for name in found.stdout.splitlines() if (root / name).is_file())


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
