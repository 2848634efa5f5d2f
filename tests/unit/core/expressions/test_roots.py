"""What expressions begin with, however they go on."""

import pytest

from core.expressions.roots import roots_of


@pytest.mark.parametrize(
    ("expression", "roots"),
    [
        ("app", {"app"}),
        ("args.app", {"args"}),
        ("args.app.name[0].x", {"args"}),
        ('"a b".c', {"a b"}),
        ("data.items[].id", {"data"}),
        ("data.items[?title == name].id | [0]", {"data"}),
        ("items[*].id", {"items"}),
        ("data.* | sort_by(@, &name)", {"data"}),
        ("join(', ', args.tags)", {"args"}),
        ("a || b && !c", {"a", "b", "c"}),
        ("[a, b.c]", {"a", "b"}),
        ("{x: a, y: b}", {"a", "b"}),
        ("a[0]", {"a"}),
        ("a[].b", {"a"}),
        ("sort_by(a, &b)", {"a"}),
        ("@", set()),
        ("'text'", set()),
        ("`1`", set()),
        ("to_string(@)", set()),
    ],
)
def test_an_expression_begins_with_its_roots(expression: str, roots: set[str]) -> None:
    assert roots_of(expression) == roots
