"""`@U0ANN` or `bob@example.org`: people named by their account on this channel."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from commands.context import Origin
from commands.invocation import Invocation
from commands.render import render_line
from commands.schema import Kind
from core.database import Tx
from core.identity.links import service as links
from core.identity.links.model import Account


def resolve_people(tx: Tx, invocation: Invocation, origin: Origin) -> Invocation:
    """Replace accounts of the channel by the names of whom they are linked to.

    Shape:  chats turn a typed `@ann` into an id of theirs. What is no linked account
            stays as it is; only linked people are told whose an account is.
    """
    if not (origin.account and tx.principal.linked):
        return invocation
    named = {
        each.name: _named(tx, invocation.args[each.name], origin)
        for each in invocation.command.parameters
        if each.kind is Kind.PERSON and each.name in invocation.given
    }
    args: Mapping[str, Any] = {**invocation.args, **named}
    if args == invocation.args:
        return invocation
    return replace(
        invocation, args=args, canonical=render_line(invocation.command, args)
    )


def _named(tx: Tx, value: Any, origin: Origin) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_named(tx, each, origin) for each in value)
    if not isinstance(value, str) or not value:
        return value
    account = Account(channel=origin.channel, account=origin.account, sender=value)
    user = links.find_user(tx, account)
    return user.name if user else value
