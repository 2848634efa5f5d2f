"""What somebody does at the page of simulators, as the page says it."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

Person = Literal["ann", "bob"]
PEOPLE: tuple[Person, ...] = ("ann", "bob")

_Id = Annotated[str, Field(max_length=100)]
_Line = Annotated[str, Field(min_length=1, max_length=8_000)]


class _Act(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    who: Person


class Type(_Act):
    """Somebody types: `/ops …`, `@ops …` or plain text, in a channel or a thread.

    Shape:  `channel` is an id, "" for the direct messages with the app.
    """

    do: Literal["type"]
    channel: _Id = ""
    thread: _Id = ""
    text: _Line


class Press(_Act):
    """Somebody presses the button number `index` of a message."""

    do: Literal["press"]
    channel: _Id
    ts: _Id
    index: int = Field(ge=0, le=200)


class Send(_Act):
    """Somebody sends a window; `values` are those of its blocks, as Slack has them."""

    do: Literal["send"]
    view: _Id
    values: dict[str, dict[str, Any]] = Field(max_length=100)


class Suggest(_Act):
    """Somebody types into a list of a window that asks the app for its entries."""

    do: Literal["suggest"]
    view: _Id
    block: _Id
    action: _Id
    typed: str = Field(max_length=200)


class Choose(_Act):
    """Somebody chooses an entry of a list that tells the app at once."""

    do: Literal["choose"]
    view: _Id
    block: _Id
    action: _Id
    value: str = Field(max_length=200)


class Close(_Act):
    """Somebody closes a window."""

    do: Literal["close"]
    view: _Id


class Shortcut(_Act):
    """Somebody takes a shortcut of the app, of a message when `ts` names one."""

    do: Literal["shortcut"]
    callback: _Id
    channel: _Id = ""
    ts: _Id = ""


class Home(_Act):
    """Somebody opens the home tab of the app, or presses a button of it."""

    do: Literal["home"]
    index: int | None = Field(default=None, ge=0, le=200)


SlackAct = Annotated[
    Type | Press | Send | Suggest | Choose | Close | Shortcut | Home,
    Field(discriminator="do"),
]


class WrittenMail(_Act):
    """Somebody writes to the gateway; `answers` numbers the mail it replies to."""

    subject: str = Field(default="", max_length=500, pattern=r"^[^\r\n]*$")
    text: str = Field(default="", max_length=100_000)
    answers: int = Field(default=0, ge=0)


class Delivery(BaseModel):
    """What a webhook sender is about to deliver, and to which endpoint."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    endpoint: str = Field(min_length=1, max_length=100)
    body: str = Field(max_length=100_000)


_ACT: TypeAdapter[SlackAct] = TypeAdapter(SlackAct)
_Model = TypeVar("_Model", bound=BaseModel)


def parse_act(raw: Json) -> SlackAct:
    """Read what somebody does in Slack.

    Raises: InvalidArgument naming the first field that does not fit.
    """
    try:
        return _ACT.validate_python(raw)
    except ValidationError as fault:
        raise _unfit(fault) from fault


def parse_mail(raw: Json) -> WrittenMail:
    """Read what somebody writes as a mail.

    Raises: InvalidArgument.
    """
    return _parsed(WrittenMail, raw)


def parse_delivery(raw: Json) -> Delivery:
    """Read what is to be signed for a webhook endpoint.

    Raises: InvalidArgument.
    """
    return _parsed(Delivery, raw)


def parse_person(text: str) -> Person:
    """Read whose screen is looked at.

    Raises: InvalidArgument.
    """
    for person in PEOPLE:
        if text == person:
            return person
    raise InvalidArgument(f"{text[:80]!r} is nobody here", fix=["ann", "bob"])


def _parsed(model: type[_Model], raw: Json) -> _Model:
    try:
        return model.model_validate(raw)
    except ValidationError as fault:
        raise _unfit(fault) from fault


def _unfit(fault: ValidationError) -> InvalidArgument:
    first = fault.errors()[0]
    where = ".".join(str(each) for each in first["loc"]) or "the body"
    return InvalidArgument(f"{where}: {first['msg']}"[:300], fix=["reload the page"])
