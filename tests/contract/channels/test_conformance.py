"""Every channel is held against the same suite, and against what it says of itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from channels.testing.conformance import (
    SCALE,
    THIRTY,
    Level,
    Proofs,
    check_lines,
    check_quality,
    check_renderer,
    check_wire,
    grade,
    read_quality,
)
from core.kernel.envelope import Envelope
from tests.contract.channels.kits import KITS, NOW, Kit, Read

ROOT = Path(__file__).parents[3]
FOLDERS = sorted(path.parent for path in ROOT.glob("channels/*/quality.toml"))
IS_SHOWN = Proofs(root=ROOT)
NO_CHANNELS = {"terminal", "testing", "__pycache__"}

_READS = [
    pytest.param(read, id=f"{name}-{how}")
    for name, kit in KITS.items()
    for how, read in kit.reads.items()
]


@pytest.mark.parametrize("read", _READS)
def test_thirty_examples_are_understood_as_they_were_written(read: Read) -> None:
    """Bronze: nothing of a line is lost on its way in."""
    check_lines(read)


@pytest.mark.parametrize(
    "kit", [pytest.param(kit, id=name) for name, kit in KITS.items() if kit.wire]
)
def test_nothing_that_is_stored_breaks_the_wire(kit: Kit) -> None:
    """Bronze: pure, total, and it knows where to answer."""
    assert kit.wire is not None
    check_wire(kit.wire, kit.samples)


@pytest.mark.parametrize(
    "kit", [pytest.param(kit, id=name) for name, kit in KITS.items() if kit.show]
)
def test_every_reply_is_shown_within_the_limits(kit: Kit) -> None:
    """Gold and above: all eight blocks, long and hostile ones, and a line read aloud."""
    assert kit.show is not None
    check_renderer(kit.show, kit.spec.capabilities)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_channel_reaches_the_level_that_it_declares(folder: Path) -> None:
    """Each criterion of each level up to it names a proof that is there."""
    spec = KITS[folder.name].spec

    check_quality(folder / "quality.toml", spec)

    assert spec.name == folder.name


def test_every_channel_keeps_its_quality() -> None:
    folders = {path.name for path in (ROOT / "channels").iterdir() if path.is_dir()}

    assert {each.name for each in FOLDERS} == folders - NO_CHANNELS == set(KITS)


@pytest.mark.parametrize(
    "proof",
    [
        "tests/nothing.py",
        "tests/contract/channels/kits.py",
        "tests/contract/channels/test_conformance.py::test_nothing",
        "README.md",
        "channels/slack/wire.py",
        "/etc/passwd",
    ],
)
def test_proof_that_is_not_there_counts_for_nothing(proof: str) -> None:
    [parses, *_] = SCALE[Level.BRONZE]

    assert not IS_SHOWN(proof, parses)


def test_a_gap_below_ends_the_climb(tmp_path: Path) -> None:
    """A channel with all of gold and a hole in silver is bronze."""
    whole = (ROOT / "channels/slack/quality.toml").read_text()
    file = tmp_path / "quality.toml"
    file.write_text(re.sub(r"^rate_limited.*\n", "", whole, flags=re.MULTILINE))

    reached = grade(
        read_quality(file), KITS["slack"].spec.capabilities, is_shown=IS_SHOWN
    )

    assert (reached.level, reached.missing) == (Level.BRONZE, ["rate_limited"])


@pytest.mark.parametrize(
    "text",
    [
        'channel = "x"\nlevel = "diamond"',
        'channel = "x"\nlevel = "gold"\n[gold]\nparses = "a"',
        'channel = "x"\nlevel = "gold"\n[ruby]\na = "b"',
    ],
)
def test_words_that_the_scale_does_not_know_are_named(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "quality.toml").write_text(text)

    with pytest.raises(ValueError, match=r"quality\.toml"):
        read_quality(tmp_path / "quality.toml")


def test_a_line_that_changes_on_its_way_is_noticed() -> None:
    """The suite itself: it would not pass a channel that spoils a quote."""

    def spoil(line: str) -> Envelope:
        return Envelope(channel="x", text=line.replace('"', "'"), received_at=NOW)

    with pytest.raises(AssertionError):
        check_lines(spoil)


def grading(*arguments: str, at: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "channels.testing.conformance", *arguments],
        cwd=at,
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_channel_can_be_graded_by_hand() -> None:
    """What it shows, criterion by criterion, and what it does not."""
    done = grading("channels/websocket/quality.toml")

    assert done.returncode == 0, done.stderr
    assert re.search(r"^bronze +parses +shown$", done.stdout, re.MULTILINE)
    assert re.search(r"^gold +simulator +not shown: ", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("websocket declares silver and reaches silver\n")


def test_what_is_less_than_declared_ends_with_one(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_one(): ...")
    (tmp_path / "quality.toml").write_text(
        'channel = "x"\nlevel = "bronze"\n[bronze]\n'
        'parses = "test_it.py::test_one"\nverifies = "test_it.py::test_two"\n'
    )

    done = grading("quality.toml", "--spec", "channels.slack:SPEC", at=tmp_path)

    assert done.returncode == 1
    assert "there is no test_it.py::test_two" in done.stdout


def test_grading_names_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "quality.toml").write_text('channel = "x"\nlevel = "diamond"')

    unknown = grading("quality.toml", "--spec", "channels.slack:SPEC", at=tmp_path)
    no_spec = grading("quality.toml", "--spec", "channels.slack:render", at=tmp_path)

    assert "DIAMOND is no level" in unknown.stderr
    assert "channels.slack:render is no ChannelSpec" in no_spec.stderr


def test_there_are_thirty() -> None:
    assert len(set(THIRTY)) == 30


def test_the_scale_is_documented_as_it_is() -> None:
    page = (ROOT / "docs/reference/channel-quality.md").read_text()

    names = [each.name for criteria in SCALE.values() for each in criteria]
    assert re.findall(r"^\|[^|]*\| `(\w+)` \|", page, re.MULTILINE) == names
