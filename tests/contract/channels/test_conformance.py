"""Every channel is held against the same suite, and against what it says of itself."""

import re
from pathlib import Path

import pytest

from channels.testing.conformance import (
    SCALE,
    THIRTY,
    Criterion,
    Level,
    check_lines,
    check_renderer,
    check_wire,
    grade,
    read_quality,
)
from core.kernel.envelope import Envelope
from tests.contract.channels.kits import KITS, NOW, Kit, Read

ROOT = Path(__file__).parents[3]
FOLDERS = sorted(path.parent for path in ROOT.glob("channels/*/quality.toml"))
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
    quality = read_quality(folder / "quality.toml")

    reached = grade(quality, KITS[folder.name].spec.capabilities, is_shown=is_shown)

    assert quality.channel == KITS[folder.name].spec.name == folder.name
    assert reached.level >= quality.level, reached
    assert reached.level == quality.level, f"it is better than it says: {reached}"


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

    assert not is_shown(proof, parses)


def test_a_gap_below_ends_the_climb(tmp_path: Path) -> None:
    """A channel with all of gold and a hole in silver is bronze."""
    whole = (ROOT / "channels/slack/quality.toml").read_text()
    file = tmp_path / "quality.toml"
    file.write_text(re.sub(r"^rate_limited.*\n", "", whole, flags=re.MULTILINE))

    reached = grade(
        read_quality(file), KITS["slack"].spec.capabilities, is_shown=is_shown
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


def test_there_are_thirty() -> None:
    assert len(set(THIRTY)) == 30


def is_shown(proof: str, criterion: Criterion) -> bool:
    """Tell whether a proof is a test that exists, or prose where that will do."""
    file, _, name = proof.partition("::")
    path = (ROOT / file).resolve()
    if not path.is_relative_to(ROOT) or not path.is_file():
        return False
    if not re.fullmatch(r"tests/.*/test_\w+\.py", file):
        return criterion.is_prose
    wanted = re.escape(name) if name else r"test_\w+"
    return bool(re.search(rf"^(async )?def {wanted}\(", path.read_text(), re.MULTILINE))


def test_the_scale_is_documented_as_it_is() -> None:
    page = (ROOT / "docs/reference/channel-quality.md").read_text()

    names = [each.name for criteria in SCALE.values() for each in criteria]
    assert re.findall(r"^\|[^|]*\| `(\w+)` \|", page, re.MULTILINE) == names
