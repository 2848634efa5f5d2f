"""Link accounts on channels to people, and take them away again."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Secret
from core.identity.links import service as links
from core.identity.links.model import (
    Account,
    Identity,
    LinkCode,
    LinkRefusal,
    Refused,
)
from core.identity.users import service as users
from core.kernel.clock import to_iso
from core.kernel.principal import Assurance
from core.kernel.problems import (
    AlreadyExists,
    AssuranceTooLow,
    NotFound,
    Problem,
    RateLimited,
)
from core.kernel.reply import Reply, Text

# Where senders are accounts of another system, and so have to be linked.
ELSEWHERE = ("slack", "email")


@command(
    "link",
    danger="write",
    is_open=True,
    hides=("code",),
    examples=["link", "link K7QM2XPA", "link slack"],
)
def link(
    ctx: Context,
    code: Annotated[
        str,
        Doc("The code that the other side shows, or the channel to link."),
        Secret(),
    ] = "",
) -> Reply | Problem:
    """Link an account to a person: ask for a code on one side, type it on the other."""
    if not code:
        return _begin_here(ctx)
    if not ctx.principal.linked:
        return _accept(ctx, code)
    if code.lower() in ELSEWHERE:
        return _begin_there(ctx, code.lower())
    linked = links.confirm(ctx.tx, code)
    return _refused(linked) if isinstance(linked, Refused) else _linked(ctx, linked)


@command(
    "unlink", danger="write", examples=["unlink slack", "unlink email ann@example.org"]
)
def unlink(ctx: Context, channel: str, sender: str = "") -> Reply:
    """Take an account of yours away from you again."""
    removed = [
        each
        for each in links.list_(ctx.tx, ctx.principal.id)
        if each.account.channel == channel and sender in ("", each.account.sender)
    ]
    if not removed:
        raise NotFound(f"a link to {channel}", fix=["whoami"])
    for each in removed:
        links.unlink(ctx.tx, each.account)
    return Reply(
        summary=f"Unlinked {blocks.count(len(removed), 'account')} on {channel}"[:150],
        data={"removed": [each.account.sender for each in removed]},
    )


COMMANDS: Sequence[Command] = (link, unlink)


def _begin_here(ctx: Context) -> Reply:
    """Give this account a code, to be typed where its person is signed in."""
    code = links.request(ctx.tx, _account(ctx))
    return _code(
        code,
        f"Where you are signed in already, send `link {code.text}`. It links this "
        "account to you there. Give the code to nobody else.",
    )


def _begin_there(ctx: Context, channel: str) -> Reply:
    """Give a signed-in person a code, to be typed on the channel."""
    code = links.invite(ctx.tx, channel)
    return _code(
        code,
        f"On {channel}, send `link {code.text}` from the account that is yours. "
        "Whoever sends it acts as you from then on: give the code to nobody else.",
    )


def _accept(ctx: Context, code: str) -> Reply | Problem:
    """Link the account that typed a person's code; a forged sender cannot."""
    if ctx.principal.assurance < Assurance.SENDER:
        raise AssuranceTooLow(
            f"{ctx.channel} could not prove that this came from {ctx.origin.sender}",
            fix=["link", "send it from an account whose mail is signed (DKIM)"],
        )
    linked = links.accept(ctx.tx, _account(ctx), code)
    return _refused(linked) if isinstance(linked, Refused) else _linked(ctx, linked)


def _account(ctx: Context) -> Account:
    return Account(
        channel=ctx.channel, account=ctx.origin.account, sender=ctx.origin.sender
    )


def _code(code: LinkCode, instruction: str) -> Reply:
    return Reply(
        summary=f"Your code is {code.text}, good for ten minutes",
        blocks=(Text(md=instruction),),
        data={"code": code.text, "expires_at": to_iso(code.expires_at)},
    )


def _linked(ctx: Context, linked: Identity) -> Reply:
    account, user = linked.account, users.get_(ctx.tx, linked.user_id)
    where = f"{account.channel} {account.account}".strip()
    return Reply(
        summary=f"Linked {account.sender} on {where} to {user.name}"[:150],
        blocks=(
            Text(
                md=f"What `{account.sender}` sends on {where} now runs as {user.name}. "
                "If that is not your own account, take it back at once."
            ),
            blocks.actions(
                ("Unlink", f'unlink {account.channel} "{account.sender}"'),
                ("Who am I", "whoami"),
            ),
        ),
        data={
            "channel": account.channel,
            "account": account.account,
            "sender": account.sender,
            "user": user.id,
        },
    )


def _refused(refused: Refused) -> Problem:
    """Say why; returned and not raised, because the try counts all the same."""
    if refused.reason is LinkRefusal.TOO_MANY:
        return RateLimited(
            "5 tries",
            scope="link codes",
            retry_after=refused.retry_after.total_seconds(),
        )
    if refused.reason is LinkRefusal.TAKEN:
        return AlreadyExists("this account is linked already", fix=["unlink"])
    return NotFound("this code", fix=["ask for a new one with: link"])
