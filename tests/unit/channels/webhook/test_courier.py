"""The courier of webhooks: what each answer of a receiver leads to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from channels.base import Delivered, Parcel, Postponed, Undeliverable
from channels.webhook.courier import Receiver, WebhookCourier
from core.kernel.addresses import AddressRefused
from core.kernel.outgoing import Lane
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply
from tests.conftest import FakeClock

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a receiver answers."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"so be it"


class Posting:
    """The world outside, and one subscription; each of `says` is one answer of it."""

    def __init__(self, *says: Said | Exception) -> None:
        self.says = list(says)
        self.sent: list[tuple[str, Mapping[str, str], bytes]] = []

    async def find(self, parcel: Parcel) -> Receiver:
        return Receiver(url="https://hooks.example.com/", keys=(b"k" * 32,))

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Said:
        self.sent.append((url, headers, body))
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, Exception):
            raise said
        return said


def a_parcel(**changed: Any) -> Parcel:
    given = {"attempt": 1, **changed}
    return Parcel(
        id="SB-1:ev:7",
        account="SB-1",
        place={"subscription": "SB-1", "kind": "event"},
        reply=Reply(summary="said", data={"event": "task_created", "ts": "now"}),
        lane=Lane.FINALS,
        **given,
    )


def courier(posting: Posting, clock: FakeClock, **traits: Any) -> WebhookCourier:
    given = {"jitter": lambda: 0.5, **traits}
    return WebhookCourier(posting, posting, clock=clock, **given)


async def postponed(
    clock: FakeClock, *says: Said | Exception, **changed: Any
) -> Postponed:
    with pytest.raises(Postponed) as late:
        await courier(Posting(*says), clock).deliver(a_parcel(**changed))
    return late.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_what_was_taken_is_delivered(clock: FakeClock, status: int) -> None:
    """R-17."""
    posting = Posting(Said(status=status))

    delivered = await courier(posting, clock).deliver(a_parcel())

    assert isinstance(delivered, Delivered)
    assert delivered.attempt is not None
    assert (delivered.attempt.status, delivered.attempt.answer) == (status, "so be it")
    assert delivered.attempt.tried_at == clock.now()
    assert delivered.attempt.error == ""


async def test_each_try_is_signed_anew_under_one_id(clock: FakeClock) -> None:
    """R-17: same id, same bytes, new timestamp and signature."""
    posting = Posting(Said(status=500), Said(status=204))
    sender = courier(posting, clock)

    with pytest.raises(Postponed):
        await sender.deliver(a_parcel())
    clock.moment = clock.moment.replace(hour=10)
    await sender.deliver(a_parcel(attempt=2))

    (_, first, body), (_, second, again) = posting.sent
    assert first["webhook-id"] == second["webhook-id"] == "SB-1:ev:7"
    assert body == again
    waited = int(second["webhook-timestamp"]) - int(first["webhook-timestamp"])
    assert waited == HOUR
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize(
    ("attempt", "due_in"),
    [(1, 5), (2, 300), (3, 1800), (4, 2 * HOUR), (5, 5 * HOUR), (6, 10 * HOUR),
     (7, 10 * HOUR)],
)  # fmt: skip
@pytest.mark.parametrize(
    "said",
    [Said(status=500), Said(status=404), Said(status=301), ConnectionError("reset"),
     TimeoutError("no answer within 30 s"), Said(status=503), Said(status=429)],
)  # fmt: skip
async def test_what_did_not_work_is_tried_on_the_schedule(
    clock: FakeClock, said: Said | Exception, attempt: int, due_in: float
) -> None:
    """R-17."""
    late = await postponed(clock, said, attempt=attempt)

    assert late.wish is not None
    assert late.wish.due_in == pytest.approx(due_in)
    assert late.wish.account_rest == 0


@pytest.mark.parametrize(("chance", "due_in"), [(0.0, 4), (1.0, 6)])
async def test_chance_moves_the_next_try(
    clock: FakeClock, chance: float, due_in: float
) -> None:
    """R-17: +-20 %."""
    sender = courier(Posting(Said(status=500)), clock, jitter=lambda: chance)

    with pytest.raises(Postponed) as late:
        await sender.deliver(a_parcel())

    assert late.value.wish is not None
    assert late.value.wish.due_in == pytest.approx(due_in)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "least", "most", "rest"),
    [("3", 3, 3.6, 3), ("7200", 7200, 8640, HOUR), ("999999", 86_400, 103_680, HOUR),
     ("Wed, 04 Nov 2026 09:01:00 GMT", 60, 72, 60)],
)  # fmt: skip
async def test_whoever_asks_is_not_called_before(
    clock: FakeClock, status: int, asked: str, least: float, most: float, rest: float
) -> None:
    """R-17: and the others for the same receiver wait with it, an hour at most."""
    said = Said(status=status, headers={"retry-after": asked})

    late = await postponed(clock, said, attempt=4)

    assert late.wish is not None
    assert least <= late.wish.due_in <= most
    assert late.wish.account_rest == rest


async def test_only_who_is_overloaded_may_ask(clock: FakeClock) -> None:
    late = await postponed(clock, Said(status=500, headers={"retry-after": "1"}))

    assert late.wish is not None
    assert late.wish.due_in == 5


async def test_a_redirect_is_told_and_not_followed(clock: FakeClock) -> None:
    """R-17."""
    posting = Posting(Said(status=301, headers={"location": "https://10.0.0.1/"}))

    with pytest.raises(Postponed, match="redirects to 'https://10") as late:
        await courier(posting, clock).deliver(a_parcel())

    assert len(posting.sent) == 1
    assert late.value.wish is not None
    assert late.value.wish.attempt is not None
    assert late.value.wish.attempt.status == 301


async def test_gone_is_gone(clock: FakeClock) -> None:
    """R-17: 410 is never tried again."""
    with pytest.raises(Undeliverable, match="it is gone") as lost:
        await courier(Posting(Said(status=410)), clock).deliver(a_parcel())

    assert lost.value.fix == (
        "subscription enable SB-1, then subscription redeliver SB-1 --failed"
    )
    assert lost.value.attempt is not None
    assert lost.value.attempt.status == 410


@pytest.mark.parametrize(
    ("fault", "fix"),
    [(AddressRefused("it is inside", fix="OPSWIRE_OUTBOUND__ALLOW"), "OPSWIRE"),
     (InvalidArgument("no URL", fix=[]), "subscription show SB-1")],
)  # fmt: skip
async def test_what_leads_nowhere_is_given_up_at_once(
    clock: FakeClock, fault: Exception, fix: str
) -> None:
    """R-65: nothing is tried again that would be refused again."""
    with pytest.raises(Undeliverable) as lost:
        await courier(Posting(fault), clock).deliver(a_parcel())

    assert fix in lost.value.fix
    assert lost.value.attempt is not None
    assert lost.value.attempt.status == 0
    assert lost.value.attempt.error == lost.value.reason


async def test_a_fault_without_words_is_named(clock: FakeClock) -> None:
    late = await postponed(clock, ConnectionResetError())

    assert late.reason == "ConnectionResetError"


# ── a receiver that is down ───────────────────────────────────────────────────
async def rests(
    sender: WebhookCourier, times: int, tenant: str = "default"
) -> list[float]:
    """Let so many deliveries fail, and tell for how long the account rests each time."""
    found = []
    for _ in range(times):
        with pytest.raises(Postponed) as late:
            await sender.deliver(a_parcel(tenant=tenant))
        assert late.value.wish is not None
        found.append(late.value.wish.account_rest)
    return found


async def test_a_receiver_that_is_down_rests_as_a_whole(clock: FakeClock) -> None:
    sender = courier(Posting(ConnectionError("down")), clock)

    assert await rests(sender, 8) == [0, 0, 0, 0, 5, 0, 0, 0]
    clock.moment = clock.moment.replace(minute=1)
    assert await rests(sender, 2) == [15, 0]


async def test_tenants_do_not_rest_for_one_another(clock: FakeClock) -> None:
    """R-59: ids of subscriptions are counted in each tenant."""
    sender = courier(Posting(ConnectionError("down")), clock)

    await rests(sender, 5, tenant="acme")

    assert await rests(sender, 1, tenant="other") == [0]


async def test_a_delivery_that_arrives_ends_the_rests(clock: FakeClock) -> None:
    down = [Said(status=500)] * 4
    sender = courier(Posting(*down, Said(status=204), Said(status=500)), clock)

    await rests(sender, 4)
    await sender.deliver(a_parcel())

    assert await rests(sender, 4) == [0, 0, 0, 0]


async def test_the_schedule_can_be_another(clock: FakeClock) -> None:
    """For tests that cannot wait for hours."""

    def soon(attempt: int, *, chance: float) -> float:
        return 0.01 * attempt

    sender = courier(Posting(Said(status=500)), clock, schedule=soon)

    with pytest.raises(Postponed) as late:
        await sender.deliver(a_parcel(attempt=3))

    assert late.value.wish is not None
    assert late.value.wish.due_in == pytest.approx(0.03)
