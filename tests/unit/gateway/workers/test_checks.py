"""What could never run is refused before it is queued, with what would mend it."""

import pytest

from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.runs.model import Step
from gateway.settings import Settings, WorkerSettings
from gateway.workers.executors.every import check_step, executors

SETTINGS = Settings(workers=WorkerSettings(programs="git,make,docker"))
EXECUTORS = executors(SETTINGS)
CHECK = check_step(EXECUTORS)
URL = "https://example.org/"


@pytest.mark.parametrize(
    ("uses", "given"),
    [
        ("noop", {}),
        ("noop", {"seconds": 1, "result": {"a": 1}}),
        ("shell", {"argv": ["make", "deploy"], "folder": "src", "network": "none"}),
        ("docker", {"image": "ghcr.io/acme/app:1.2@sha256:" + "0" * 64}),
        ("docker", {"image": "localhost:5000/app", "argv": ["-x"], "cpus": 0.5}),
        ("api", {"url": URL, "expect": [200, 404], "json": {"a": 1}}),
        ("api", {"url": URL, "expect": 204, "method": "DELETE"}),
        ("mcp", {"url": URL, "tool": "search", "arguments": {"q": "x"}}),
        ("docs/format", {"files": "docs/**/*.md", "wrap": 80}),
        ("lint", {"paths": ["src"], "select": ["E", "F401"], "fails": False}),
        ("docs/changelog", {"since": "v1.0", "until": "HEAD~1"}),
        ("files/unpack", {"archive": "a.zip", "into": "out"}),
    ],
)
def test_what_can_run_is_let_through(uses: str, given: dict[str, Json]) -> None:
    """M-WRK-03, M-WRK-05."""
    CHECK(Step(name="step", uses=uses, given=given))


@pytest.mark.parametrize(
    ("uses", "given", "field", "fix"),
    [
        ("shel", {}, "uses", "did you mean shell?"),
        ("noop", {"secons": 1}, "secons", "did you mean seconds?"),
        ("noop", {"seconds": "1"}, "seconds", "correct seconds"),
        ("noop", {"seconds": -1}, "seconds", "correct seconds"),
        ("shell", {}, "argv", "make"),
        ("shell", {"argv": []}, "argv", "make"),
        ("shell", {"argv": ["make", "a\0b"]}, "argv", "make"),
        ("shell", {"argv": ["make", ["x"]]}, "argv", "correct"),
        ("shell", {"argv": ["rm", "-rf"]}, "argv", "use one of: docker, git, make"),
        ("shell", {"argv": ["/usr/bin/git"]}, "argv", "use one of"),
        ("shell", {"argv": ["make"], "folder": "../x"}, "path", "inside"),
        ("shell", {"argv": ["make"], "network": "nope"}, "network", "did you mean none"),
        ("docker", {}, "image", "python"),
        ("docker", {"image": "--privileged"}, "image", "correct"),
        ("docker", {"image": "a b"}, "image", "correct"),
        ("docker", {"image": "a", "privileged": True}, "privileged", "it has"),
        ("docker", {"image": "a", "network": "host"}, "network", "use one of: none"),
        ("docker", {"image": "a", "user": "root"}, "user", "1000"),
        ("docker", {"image": "a", "memory_mib": 1}, "memory_mib", "correct"),
        ("docker", {"image": "a", "cpus": 0}, "cpus", "correct"),
        ("docker", {"image": "a", "folder": "/src/../etc"}, "folder", "correct"),
        ("docker", {"image": "a", "mounts": [{"from": "/", "to": "/x"}]}, "path", "inside"),
        ("docker", {"image": "a", "mounts": [{"from": "x", "to": "/a,b"}]}, "mounts", ""),
        ("docker", {"image": "a", "mounts": [{"from": "x"}]}, "mounts", ""),
        ("docker", {"image": "a", "mounts": [{"from": "x", "to": "/x", "opt": 1}]}, "mounts", ""),
        ("api", {}, "url", "https"),
        ("api", {"url": "file:///etc/passwd"}, "url", ""),
        ("api", {"url": URL, "method": "TRACE"}, "method", "use one of"),
        ("api", {"url": URL, "headers": {"Host": "x"}}, "headers", ""),
        ("api", {"url": URL, "headers": {"X": "a\r\nY: b"}}, "headers", ""),
        ("api", {"url": URL, "headers": {"X": "${NOPE}"}}, "NOPE", ""),
        ("api", {"url": URL, "body": "a", "json": 1}, "body", ""),
        ("api", {"url": URL, "expect": [99]}, "expect", "200"),
        ("api", {"url": URL, "save_as": "/etc/x"}, "path", "inside"),
        ("mcp", {"url": URL}, "tool", "search"),
        ("mcp", {"tool": "x"}, "url", ""),
        ("mcp", {"tool": "x", "argv": ["npx"]}, "argv", "use one of"),
        ("mcp", {"tool": "x", "url": URL, "arguments": [1]}, "arguments", ""),
        ("docs/format", {"files": ["/etc/*.md"]}, "path", "inside"),
        ("docs/format", {"wrap": "yes"}, "wrap", "use one of: keep, no"),
        ("lint", {"paths": ["../x"]}, "path", "inside"),
        ("lint", {"select": ["--config=x"]}, "select", ""),
        ("docs/changelog", {"repository": "/etc"}, "path", ""),
        ("docs/changelog", {"since": "--output=x"}, "since", "v1.2"),
        ("docs/changelog", {"since": "a..b"}, "since", "v1.2"),
        ("files/unpack", {"archive": "../a.zip"}, "path", "inside"),
        ("files/unpack", {}, "archive", "site.zip"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused(
    uses: str, given: dict[str, Json], field: str, fix: str
) -> None:
    """R-66: naming the field, the nearest name, and what would mend it."""
    with pytest.raises(InvalidArgument) as refused:
        CHECK(Step(name="step", uses=uses, given=given))

    assert refused.value.extra["argument"] == field
    assert fix in " ".join(refused.value.fix)
    assert refused.value.fix


@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "ld_preload", "HOME", "OPS_RUN_ID", "a b", "1A", ""]
)
def test_names_that_steps_may_not_set_are_refused(name: str) -> None:
    """R-66: with these another thing would be run than what was asked for."""
    for step in (
        Step(name="step", uses="noop", env={name: "x"}),
        Step(name="step", uses="noop", secrets={name: "KEY"}),
    ):
        with pytest.raises(InvalidArgument):
            CHECK(step)


def test_patterns_of_artifacts_stay_in_the_folder() -> None:
    """M-WRK-12."""
    with pytest.raises(InvalidArgument):
        CHECK(Step(name="step", uses="noop", artifacts=["../*"]))
