"""From payloads to arguments: what is picked, what is refused, and that nothing breaks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.hooks import mapping
from core.hooks.mapping import CALLS_LIMIT, Skipped
from core.hooks.model import PayloadMap
from core.hooks.presets import PRESETS, PresetName
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

ALERT: Json = {
    "status": "firing",
    "count": 2,
    "labels": {"name": "disk", "tags": ["a", "b"]},
    "alerts": [{"id": 1}, {"id": 2}],
}
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["a", "b", "c"]) | st.text(max_size=3), inner, max_size=4
        )
    ),
    max_leaves=12,
)
EXPRESSIONS = st.sampled_from(
    [
        "a",
        "a.b",
        "[]",
        "a[]",
        "*",
        "a[?b]",
        "sort(a)",
        "sum(@)",
        "join(',', a)",
        "length(a)",
        "to_number(a)",
        "max_by(a, &b)",
        "keys(@)",
        "a || b",
        "!a",
        "[a, b]",
        "{x: a}",
        "@",
        "not_null(a, b)",
        "avg(a)",
        "ceil(a)",
        "reverse(a)",
        "merge(@, @)",
        "&a",
        "a[-1]",
        "a[9999999999999999999]",
        "to_string(@)",
        "contains(a, 'b')",
    ]
)


def made(**parts: object) -> PayloadMap:
    return PayloadMap(command="task create", **parts)  # type: ignore[arg-type]


def test_values_keep_their_types() -> None:
    payload_map = made(
        arguments={"a": "count", "b": "labels.tags", "c": "labels.name"},
        fixed={"d": [1, None]},
    )

    assert mapping.extract(payload_map, ALERT) == [
        {"a": 2, "b": ["a", "b"], "c": "disk", "d": [1, None]}
    ]


def test_what_is_not_there_is_left_out() -> None:
    payload_map = made(arguments={"a": "nothing.here", "b": "status"})

    assert mapping.extract(payload_map, ALERT) == [{"b": "firing"}]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Alert {labels.name}!", "Alert disk!"),
        ("{status}{status}", "firingfiring"),
        ("{nothing}", ""),
        ("{count} and {labels.tags}", '2 and ["a","b"]'),
        ("{{status}}", "{status}"),
        ("{{{status}}}", "{firing}"),
        ("{labels.tags[0]}", "a"),
        ("no placeholder", "no placeholder"),
        ("", ""),
    ],
)
def test_template_is_filled_in(template: str, text: str) -> None:
    calls = mapping.extract(made(templates={"t": template}), ALERT)

    assert calls == [{"t": text}]


def test_payload_is_never_read_as_a_template() -> None:
    calls = mapping.extract(
        made(templates={"t": "{a}"}), {"a": "{b} {{", "b": "secret"}
    )

    assert calls == [{"t": "{b} {{"}]


@pytest.mark.parametrize(
    ("expression", "passes"),
    [
        ("status == 'firing'", True),
        ("status == 'resolved'", False),
        ("nothing", False),
        ("count", True),
        ("`0`", True),
        ("`false`", False),
        ("''", False),
        ("`[]`", False),
        ("`{}`", False),
        ("labels", True),
    ],
)
def test_filter_lets_through_what_is_true(expression: str, passes: bool) -> None:
    found = mapping.extract(made(filter=expression), ALERT)

    assert (found == [{}]) is passes
    assert isinstance(found, Skipped) is not passes


def test_each_looks_at_the_elements() -> None:
    calls = mapping.extract(made(each="alerts", arguments={"n": "id"}), ALERT)

    assert calls == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("each", ["nothing", "alerts[?id == `9`]"])
def test_each_that_finds_nothing_skips(each: str) -> None:
    assert mapping.extract(made(each=each), ALERT) == Skipped("each found nothing")


def test_commands_of_one_delivery_are_capped() -> None:
    payload_map = made(each="@", arguments={"n": "@"})

    most = mapping.extract(payload_map, list(range(CALLS_LIMIT)))

    assert isinstance(most, list)
    assert len(most) == CALLS_LIMIT
    with pytest.raises(InvalidArgument, match="1,001 commands") as many:
        mapping.extract(payload_map, list(range(CALLS_LIMIT + 1)))
    assert "max_alerts: 1000" in repr(many.value.fix)
    assert "alerts[:1000]" in repr(many.value.fix)


def test_cap_counts_the_commands_of_all_rules() -> None:
    payload_map = made(each="@", arguments={"n": "@"})

    with pytest.raises(InvalidArgument, match="1,200 commands"):
        mapping.extract_calls([payload_map] * 2, list(range(600)))


def test_a_thousand_alerts_with_many_labels_are_within_the_budget() -> None:
    labels = {f"l{number}": "a value" for number in range(20)}
    alerts: Json = [
        {
            "status": "firing",
            "fingerprint": f"{number}",
            "labels": {"alertname": "Down", **labels},
            "annotations": {"summary": "s" * 100, "description": "d" * 300},
        }
        for number in range(CALLS_LIMIT)
    ]

    calls = mapping.extract_calls(
        PRESETS[PresetName.ALERTMANAGER].rules, {"alerts": alerts}
    )

    assert isinstance(calls, list)
    assert len(calls) == CALLS_LIMIT


def test_rules_share_one_budget() -> None:
    """One expression would be within it; four hundred of them would take minutes."""
    rule = made(templates={"t": "{length(map(&to_string(@),big))}" * 40})
    payload: Json = {"big": [1] * 20_000}

    alone = mapping.extract(made(arguments={"t": "length(map(&@,big))"}), payload)

    assert alone == [{"t": 20_000}]
    with pytest.raises(InvalidArgument, match="for t looks at more values"):
        mapping.extract_calls([rule] * 10, payload)


@pytest.mark.parametrize(
    "payload_map",
    [
        made(arguments={"a": "a["}),
        made(arguments={"a": ""}),
        made(arguments={"a": "x" * 301}),
        made(arguments={"a": "(" * 299}),
        made(arguments={"a": "no_such_function("}),
        made(filter="=="),
        made(each="a b"),
        made(templates={"t": "{a"}),
        made(templates={"t": "a}"}),
        made(templates={"t": "{}"}),
        made(templates={"t": "{a b}"}),
        made(templates={"t": "x" * 2_001}),
        made(arguments={"a": "b"}, fixed={"a": 1}),
        made(arguments={"a": "b"}, templates={"a": "b"}),
    ],
)
def test_map_that_could_never_work_is_refused(payload_map: PayloadMap) -> None:
    with pytest.raises(InvalidArgument):
        mapping.check(payload_map)


@pytest.mark.parametrize(
    ("expression", "payload"),
    [
        ("sum(@)", ["a"]),
        ("&a", {}),
        ("to_number('nan')", {}),
        ("to_number('inf')", {}),
        ("sum(@)", [2**62, 2**62, 2**62]),
        ("no_such_function(@)", {}),
        ("|".join(["[@,@]"] * 40), {}),
        ("@", list(range(10_001))),
    ],
)
def test_expression_that_finds_no_usable_value_is_a_refusal(
    expression: str, payload: Json
) -> None:
    """A value that doubles at each step is counted, never written out."""
    with pytest.raises(InvalidArgument):
        mapping.extract(made(arguments={"a": expression}), payload)


@settings(deadline=None, max_examples=300)
@given(payload=JSON_VALUES, expression=EXPRESSIONS)
def test_no_payload_breaks_a_map(payload: Json, expression: str) -> None:
    """`R-19`: arguments, a skip or a refusal, whatever somebody sends."""
    payload_map = (
        made(
            arguments={"a": expression},
            templates={"t": f"<{{{expression}}}>"},
            filter="@" if "{" in expression else expression,
        )
        if "{" not in expression
        else made(arguments={"a": expression})
    )

    try:
        found = mapping.extract(payload_map, payload)
    except InvalidArgument:
        return

    assert isinstance(found, Skipped) or set(found[0]) <= {"a", "t"}


@settings(deadline=None)
@given(text=st.text())
def test_text_arrives_as_it_was_sent(text: str) -> None:
    """`R-18`."""
    payload_map = made(arguments={"a": "x"}, templates={"t": "{x}"})

    assert mapping.extract(payload_map, {"x": text}) == [{"a": text, "t": text}]


# ── calls, and what they lack ─────────────────────────────────────────────────
def test_call_knows_its_rule_and_what_it_looked_at() -> None:
    rule = PayloadMap(command="task create", each="a", arguments={"title": "t"})

    calls = mapping.extract_calls([rule], {"a": [{"t": "x"}, {"u": 1}]})

    assert isinstance(calls, list)
    assert [(each.rule, each.args, each.source) for each in calls] == [
        (rule, {"title": "x"}, {"t": "x"}),
        (rule, {}, {"u": 1}),
    ]


def test_what_is_lacking_is_named_with_what_was_looked_at() -> None:
    rule = PayloadMap(command="task create", arguments={"title": "alert.name"})
    payload: Json = {"alarm": 1, "_headers": {"x": "y"}, "_query": {}}
    (call,) = _calls(rule, payload)

    with pytest.raises(InvalidArgument) as lacking:
        mapping.require_found(call, ["title"], webhook="W-3")

    assert lacking.value.extra == {
        "argument": "title",
        "expression": "alert.name",
        "sample": '{"alarm":1}',
    }
    assert "webhook show W-3" in lacking.value.fix
    assert lacking.value.detail == (
        "'alert.name' for title found nothing in what W-3 received"
    )


@pytest.mark.parametrize(
    "rule",
    [
        PayloadMap(command="task create", arguments={"title": "alarm"}),
        PayloadMap(command="task create", templates={"title": "{nothing} {alarm}"}),
        PayloadMap(command="task create", templates={"title": "no expression"}),
        PayloadMap(command="task create", templates={"description": "{nothing}"}),
        PayloadMap(command="task create", fixed={"title": "x"}),
    ],
)
def test_what_was_found_or_is_always_there_is_not_lacking(rule: PayloadMap) -> None:
    (call,) = _calls(rule, {"alarm": "x"})

    mapping.require_found(call, ["title"], webhook="W-3")


def test_a_template_of_which_nothing_was_found_is_lacking() -> None:
    rule = PayloadMap(
        command="task create", templates={"title": "Alert {alert.name} {alert.host}"}
    )
    (call,) = _calls(rule, {"alarm": 1})

    with pytest.raises(InvalidArgument) as lacking:
        mapping.require_found(call, ["title"], webhook="W-3")

    assert "'Alert {alert.name} {alert.host}' for title" in lacking.value.detail
    assert lacking.value.extra["argument"] == "title"


def test_sample_is_bounded() -> None:
    rule = PayloadMap(command="task create", arguments={"title": "a"})
    (call,) = _calls(rule, {"b": "x" * 10_000})

    with pytest.raises(InvalidArgument) as lacking:
        mapping.require_found(call, ["title"], webhook="W-3")

    assert len(str(lacking.value.extra["sample"])) == mapping.SAMPLE_LIMIT
    assert len(lacking.value.detail) < 200


def _calls(rule: PayloadMap, payload: Json) -> list[mapping.Call]:
    calls = mapping.extract_calls([rule], payload)
    assert isinstance(calls, list)
    return calls
