"""Lines in a team's own words: what they mean, and that values arrive as they are."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from commands.alias_book import Book
from commands.asked_again import parse_again
from commands.invocation import Invocation
from commands.parser import parse
from commands.render import quote
from core.aliases.formats import parse_format
from core.aliases.model import Alias, Definition, Format
from core.kernel.problems import (
    Conflict,
    InvalidArgument,
    NotACommand,
    Problem,
    UnknownCommand,
    UnknownFlag,
)
from tests.unit.commands.sample import NOW, REGISTRY, is_clean, outcome


def alias(name: str, command: str, *matches: str, **more: Any) -> Alias:
    formats = tuple(Format(match=each) for each in matches)
    return Alias(
        name=name,
        definition=Definition(formats=formats, command=command, **more),
        created_by="ann",
        created_at=NOW,
    )


DEPLOY = alias(
    "deploy",
    'task create "Deploy {app} to {env}" --lane B',
    "deploy {app} [to] {env=staging}",
)
BOOK = Book(
    [
        DEPLOY,
        alias("jot", "task note {task} {text}", "jot {task} {text:rest}"),
        alias("mine", "task list --assignee {who}", "whose {who=me}"),
        alias("dry", "task create {title}", "dry {title}", fixed={"dry_run": True}),
        alias("launch", 'run start {name} {"params":["env={env}"]}', "launch {name} {env}"),
        alias("labelled", "task create {title} --dod={dod}", "check {title} {dod}"),
        alias("facts", "task set T-1 --facts {facts}", "know {facts}"),
        alias("later", "task set {task} --estimate {time}", "later {task} {time}"),
        alias("reclaim", "lease reclaim {lease}", "grab {lease}"),
        alias("gone", "deployment start", "vanish"),
        alias("raise", "cancel {proposal}", "task {proposal}"),
        alias("broken", 'task create "', "broken"),
    ]
)  # fmt: skip


def said(line: str, book: Book = BOOK) -> Invocation:
    return parse(line, REGISTRY, now=NOW, me="ann", aliases=book)


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("deploy web", 'task create "Deploy web to staging" --lane B'),
        ("Deploy web to prod", 'task create "Deploy web to prod" --lane B'),
        ("/ops deploy web prod", 'task create "Deploy web to prod" --lane B'),
        ("!deploy web", 'task create "Deploy web to staging" --lane B'),
        ("@ops: deploy web", 'task create "Deploy web to staging" --lane B'),
        ("deploy “my app” to ‘the prod’", 'task create "Deploy my app to the prod" --lane B'),
        ("deploy it's", "task create \"Deploy it's to staging\" --lane B"),
        ("deploy a=b", 'task create "Deploy a=b to staging" --lane B'),
        ('deploy a="b c"', r'task create "Deploy a=\"b c\" to staging" --lane B'),
        ('deploy "--force"', 'task create "Deploy --force to staging" --lane B'),
        ("deploy T-12", 'task create "Deploy T-12 to staging" --lane B'),
        ('deploy {"a":1}', r'task create "Deploy {\"a\":1} to staging" --lane B'),
        ("jot t-12. all of --this, it's a=b", "task note T-12 \"all of --this, it's a=b\""),
        ("jot T-12 ' a '", 'task note T-12 " a "'),
        ("jot T-12 'a' 'b'", "task note T-12 \"'a' 'b'\""),
        ("whose", "task list --assignee ann"),
        ("whose bob", "task list --assignee bob"),
        ("launch db prod", "run start db env=prod"),
        ("check x a,b", "task create x --dod a,b"),
        ('know {"a":[1]}', 'task set T-1 --facts {"a":[1]}'),
        ("later T-2 2h", "task set T-2 --estimate 2h"),
    ],
)  # fmt: skip
def test_a_line_becomes_the_command_that_it_stands_for(
    line: str, canonical: str
) -> None:
    assert said(line).canonical == canonical


def test_an_invocation_remembers_its_alias() -> None:
    spoken = said("deploy web").alias

    assert spoken is not None
    assert spoken.name == "deploy"
    assert spoken.values == {"app": "web", "env": "staging"}
    assert said("task list").alias is None


ANYTHING = st.text(min_size=1, max_size=30) | st.sampled_from(
    ["--dry-run", "a=b", "it's", '"', "\\", "{app}", "{}", "{{x}}", "[to]", "T-12",
     "a\nb", "“q”", "--lane D", '" --lane D "', "\ue000app\ue001", "me", "\u200b", "#1"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(app=ANYTHING, env=ANYTHING)
@example(app='x" --lane D --dod "y', env="to")
def test_quoted_values_arrive_as_they_are(app: str, env: str) -> None:
    r"""Whatever is inside of quotes: only `\` and `"` are escaped, as everywhere."""
    invocation = said(f"deploy {_quoted(app)} to {_quoted(env)}")

    assert invocation.args["title"] == f"Deploy {app} to {env}"
    assert invocation.args["lane"] == "B"
    assert invocation.given == {"title", "lane"}


@settings(max_examples=200, deadline=None)
@given(text=ANYTHING)
def test_a_value_that_is_an_argument_by_itself_arrives_as_it_is(text: str) -> None:
    for line in (f"dry {_quoted(text)}", f"check {_quoted(text)} x"):
        assert said(line).args["title"] == text


@settings(max_examples=200, deadline=None)
@given(text=ANYTHING)
def test_a_value_inside_of_json_arrives_as_it_is(text: str) -> None:
    params = said(f"launch db {_quoted(text)}").args["params"]

    assert params == (f"env={text}",)


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=40).map(lambda text: f"x{text}x"))
def test_a_rest_is_taken_as_it_was_written(text: str) -> None:
    line = f"jot T-1 {text}"
    found = outcome(lambda: said(line))

    # Nothing in it can be wrong; a flag at its end is a flag all the same.
    assert isinstance(found, Invocation)
    if found.options == said("jot T-1 x").options:
        assert found.args["text"] == text


@settings(max_examples=400, deadline=None)
@given(
    words=st.lists(
        st.sampled_from(
            ['"', "'", "{", "{a", "[1", "}", "“", "a=\"b", '--reason="x', "it's", "{x}",
             "--nope", "-x", "a", '\\"', "‘", "„", "{}", "\n", "https://x", "é", "--reason"]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_nothing_in_a_rest_is_a_fault_of_syntax(words: list[str]) -> None:
    text = " ".join(["see", *words, "there"])

    invocation = said(f"jot T-1 {text}")

    assert invocation.args["text"] == text or invocation.options.reason == "there"


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        ("jot T-1 see {x} there", "see {x} there", ""),
        ('jot T-1 say "unclosed', 'say "unclosed', ""),
        ("jot T-1 {a", "{a", ""),
        ('jot T-1 "', '"', ""),
        ('jot T-1 say "unclosed --reason why', 'say "unclosed', "why"),
        ('jot T-1 a --reason "why', 'a --reason "why', ""),
        ('jot T-1 a --reason="why', 'a --reason="why', ""),
        ('jot T-1 a -h "b', 'a -h "b', ""),
        ("jot T-1 a --reason", "a --reason", ""),
        ("jot T-1 see -o there", "see -o there", ""),
        ("jot T-1 a --wait=soon", "a --wait=soon", ""),
        ("jot T-1 a --yes=b", "a --yes=b", ""),
        ("jot T-1 a -o json --reason why", "a", "why"),
        ('jot T-1 "a b" {c', '"a b" {c', ""),
        ("jot T-1 a" + " b" * 2_500, "a" + " b" * 2_500, ""),
    ],
)
def test_what_opens_in_a_rest_need_not_close(line: str, text: str, reason: str) -> None:
    invocation = said(line)

    assert invocation.args["text"] == text
    assert invocation.options.reason == reason


@pytest.mark.parametrize("line", ['jot "T-1 a', "jot {T a", 'deploy web "to'])
def test_what_opens_before_a_rest_has_to_close(line: str) -> None:
    with pytest.raises(InvalidArgument):
        said(line)


def test_flags_of_every_command_work_behind_a_line() -> None:
    options = said(
        "deploy web -o json --dry-run prod --yes --reason 'worker died' --wait"
    ).options

    assert (options.output, options.dry_run, options.yes) == ("json", True, True)
    assert (options.reason, options.wait) == ("worker died", timedelta(seconds=90))


def test_flags_around_a_rest_are_flags_and_inside_of_it_are_text() -> None:
    invocation = said("jot --private T-1 use --dry-run or -x to see --reason why")

    assert invocation.args["text"] == "use --dry-run or -x to see"
    assert invocation.options.reason == "why"
    assert not invocation.options.dry_run
    assert invocation.options.is_public is False


def test_an_unknown_flag_is_refused_and_no_fix_makes_it_a_value() -> None:
    with pytest.raises(UnknownFlag, match="takes no flags of its own") as caught:
        said("deploy --lane A")

    assert caught.value.fix == ("deploy {app} [to] {env=staging}", "help deploy")
    with pytest.raises(UnknownFlag) as caught:
        said("deploy web --dry-rn")
    assert caught.value.extra["suggestions"] == ["--dry-run"]


def test_what_is_fixed_holds_whatever_is_said() -> None:
    book = Book(
        [
            alias(
                "sure", "task create {t} --lane A", "sure {t}",
                fixed={"lane": "D", "dod": ["x, y"], "dry_run": True},
            )
        ]
    )  # fmt: skip

    invocation = said("sure thing", book)

    assert invocation.canonical == 'task create thing --lane D --dod ["x, y"]'
    assert invocation.options.dry_run


def test_plan_shows_a_line_and_does_not_do_it() -> None:
    invocation = said("plan deploy web")

    assert invocation.options.dry_run
    assert invocation.alias is not None


@pytest.mark.parametrize("line", ["deploy --help", "deploy web -h"])
def test_help_of_a_line_is_that_of_its_alias(line: str) -> None:
    assert said(line).canonical == "help deploy"


def test_the_flag_for_help_inside_of_a_text_is_text() -> None:
    assert said("jot T-1 say -h twice").args["text"] == "say -h twice"


def test_a_command_wins_over_an_alias() -> None:
    assert said("task list").command.name == "task list"
    with pytest.raises(UnknownCommand):
        said("task 7f3k2a")  # what a command has claimed is no alias any more


def test_a_line_that_begins_like_an_alias_is_told_how_it_is_written() -> None:
    with pytest.raises(UnknownCommand) as caught:
        said("deploy web to prod now")

    assert caught.value.fix == ("deploy {app} [to] {env=staging}", "help deploy")


def test_a_slip_of_the_finger_is_told_what_is_near() -> None:
    with pytest.raises(UnknownCommand) as caught:
        said("deplyo web")

    assert caught.value.fix[0] == "deploy {app} [to] {env=staging}"


def test_prose_stays_prose() -> None:
    with pytest.raises(NotACommand):
        said("could somebody deploy this please")


def test_an_open_quote_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="not closed"):
        said('deploy "web')


def test_an_alias_whose_command_is_gone_says_so() -> None:
    with pytest.raises(Conflict, match="no command here any more") as caught:
        said("vanish")

    assert "alias show gone" in caught.value.fix


def test_an_alias_that_cannot_be_read_any_more_is_no_alias() -> None:
    with pytest.raises(NotACommand):
        said("broken")


def test_the_json_form_knows_no_alias() -> None:
    with pytest.raises(UnknownCommand):
        said('{"command": "deploy", "args": {"app": "web"}}')


def test_a_line_is_no_alias_without_its_book() -> None:
    for _ in range(2):
        assert parse_again("whose bob", REGISTRY, now=NOW, aliases=BOOK).alias
        with pytest.raises(NotACommand):
            parse_again("whose bob", REGISTRY, now=NOW)


def test_the_first_word_alone_is_an_alias_of_optional_slots() -> None:
    assert parse_format("whose {who=me}").first == "whose"
    assert said("WHOSE").canonical == "task list --assignee ann"


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["deploy", "jot", "to", "web", "T-1", "plan", "--dry-run", "-o", "--x", "a=",
             '"', "'a b'", "{", '{"a":1}', "[", "=", "--wait", "90s", "-1", "“", "launch",
             "know", "later", "check", "vanish", "#1", "this", "\n", "--reason", "-h"]
        )
        | st.text(max_size=5),
        max_size=8,
    ).map(" ".join)
)  # fmt: skip
def test_any_line_is_understood_or_refused_with_a_problem(line: str) -> None:
    """R-19."""
    found = outcome(lambda: said(line))

    assert isinstance(found, Invocation) or is_clean(found)
    assert isinstance(found, Invocation | Problem)


def _quoted(text: str) -> str:
    written = quote(text)
    return written if written.startswith('"') else f'"{text}"'
