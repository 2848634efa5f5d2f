"""What a trigger's filter may cost, alone and beside those of other triggers."""

from datetime import UTC, datetime

import pytest

from core.expressions import Budget
from core.hooks.model import PayloadMap
from core.hooks.triggers import fires
from core.hooks.triggers.model import Trigger, When
from core.kernel.ids import TriggerId
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

BIG: Json = {"big": [1] * 90_000, "small": "x"}
HEAVY = "|".join(["[@,@][]"] * 20)


def a_trigger(expression: str) -> Trigger:
    return Trigger(
        id=TriggerId("G-1"),
        name="tell",
        when=When(webhook="W-1"),
        rule=PayloadMap(command="version", filter=expression),
        owner_id="U-1",
        scopes=frozenset({"*"}),
        created_by="U-1",
        created_at=datetime(2026, 11, 4, tzinfo=UTC),
    )


def test_heavy_filter_is_given_up_and_leaves_the_others_theirs() -> None:
    budget = Budget()

    with pytest.raises(InvalidArgument, match="filter looks at more values"):
        fires.passes(a_trigger(HEAVY), BIG, budget=budget)

    assert fires.passes(a_trigger("small == 'x'"), BIG, budget=budget)


def test_filters_of_one_event_share_what_it_may_cost() -> None:
    budget = Budget(2 * fires.FILTER_STEPS)

    for _ in range(3):
        with pytest.raises(InvalidArgument):
            fires.passes(a_trigger(HEAVY), BIG, budget=budget)

    with pytest.raises(InvalidArgument):
        fires.passes(a_trigger("small == 'x'"), BIG, budget=budget)
