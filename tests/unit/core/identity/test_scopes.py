"""Scopes: what two sets have in common, and who may hand out what."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.identity.scopes import covers, meet, parse_scopes, require_cover
from core.kernel.principal import DEFAULT_TENANT, Principal, system
from core.kernel.problems import InvalidArgument, MissingScope

FAMILIES = ("tasks", "leases", "keys")
VERBS = ("read", "write")
ASKED = [f"{family}:{verb}" for family in FAMILIES for verb in VERBS]
SCOPE = st.one_of(
    st.just("*"),
    st.builds(
        "{}:{}".format,
        st.sampled_from([*FAMILIES, "*"]),
        st.sampled_from([*VERBS, "*"]),
    ).filter(lambda scope: scope != "*:*"),
)
SCOPES = st.frozensets(SCOPE, max_size=4)


def a_holder(scopes: frozenset[str]) -> Principal:
    return Principal(id="U-1", name="ann", tenant=DEFAULT_TENANT, scopes=scopes)


@settings(deadline=None)
@given(SCOPES, SCOPES, st.sampled_from(ASKED))
def test_meet_allows_exactly_what_both_allow(
    left: frozenset[str], right: frozenset[str], asked: str
) -> None:
    both = a_holder(left).may(asked) and a_holder(right).may(asked)

    assert a_holder(meet(left, right)).may(asked) is both


@settings(deadline=None)
@given(SCOPES, SCOPES, st.sampled_from(ASKED))
def test_what_is_covered_allows_nothing_new(
    held: frozenset[str], wanted: frozenset[str], asked: str
) -> None:
    if covers(held, wanted) and a_holder(wanted).may(asked):
        assert a_holder(held).may(asked)


@settings(deadline=None)
@given(SCOPES, SCOPES)
def test_meet_is_covered_by_both(left: frozenset[str], right: frozenset[str]) -> None:
    met = meet(left, right)

    assert covers(left, met)
    assert covers(right, met)


@pytest.mark.parametrize(
    "scope",
    ["", "tasks", "tasks:", ":read", "Tasks:read", "tasks:read:x", "*:*:*", "a b:c"],
)
def test_what_is_no_scope_is_refused(scope: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_scopes([scope])


def test_nobody_hands_out_what_they_lack() -> None:
    with pytest.raises(MissingScope) as refusal:
        require_cover(a_holder(frozenset({"*:read"})), frozenset({"tasks:write"}))

    assert refusal.value.extra["scope"] == "tasks:write"


def test_the_system_hands_out_anything() -> None:
    require_cover(system(), frozenset({"*", "tasks:*", "*:read"}))
