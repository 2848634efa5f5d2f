"""A run as people see it in Slack: one message that changes, and its end in the thread."""

from collections.abc import Callable
from typing import Any

from channels.testing.slack import FakeSlack
from core.database import Tx
from core.kernel.principal import system
from core.runs import calls, claims
from core.runs.model import Progress, Run
from core.runs.reports import Outcome, Wanted
from tests.integration.slack.conftest import (
    ANN,
    OPS,
    ServeSlack,
    SlackGateway,
    until,
)

WORKER = system(name="worker")


def work(slack: SlackGateway, unit: Callable[[Tx], Any]) -> Any:
    """Do what a worker does."""
    return slack.served.graph.db.run(unit, by=WORKER)


def claim(slack: SlackGateway) -> Run:
    (run,) = work(slack, lambda tx: claims.claim(tx, Wanted(worker="w1")))
    return run  # type: ignore[no-any-return]


def progress(slack: SlackGateway, run: Run, done: int) -> None:
    said = Progress(done=done, total=4, note="migrating")
    work(
        slack,
        lambda tx: calls.beat(tx, run.id, fence=run.fence, progress=said),
    )


def end(slack: SlackGateway, run: Run) -> None:
    outcome = Outcome(status="succeeded")
    work(slack, lambda tx: calls.complete(tx, run.id, fence=run.fence, outcome=outcome))


async def test_a_run_is_one_message_that_changes_and_its_end_is_told_once(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """M-RUN-19: confirmed by a button, with the progress bar edited in place."""
    slack = await serve_slack()
    slack.link("ann", ANN)
    await fake.people.mention(ANN, OPS, "run create --kind manual --alias deploy")
    [proposal] = await slack.answered(1)
    index = next(
        number
        for number, each in enumerate(proposal.buttons())
        if "Confirm" in str(each["text"]) or "Run" in str(each["text"])
    )
    await fake.people.press(ANN, proposal, index)
    await until(lambda: _runs(slack) == 1)
    run = claim(slack)
    await until(lambda: bool(_shown(slack, "starting on w1")))
    progress(slack, run, 3)
    await until(lambda: bool(_shown(slack, "3/4")))
    end(slack, run)
    await until(lambda: len(_shown(slack, "succeeded in")) >= 2, patience=20)

    seen = [each.text for each in slack.answers()]
    ends = _shown(slack, "succeeded in")
    assert len(ends) == 2, seen  # the message that changed, and the news
    assert ends[0] is not ends[1]


def _runs(slack: SlackGateway) -> int:
    return slack.count("runs")


def _shown(slack: SlackGateway, text: str) -> list[Any]:
    return [
        each for each in slack.answers() if text in str(each.text) + str(each.blocks)
    ]
