"""The commands that make a subscription or its secret, which is told once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.subscription_views import SubscriptionSecretData, view_of
from commands.subscriptions import SubscriptionRef
from core.database import Tx
from core.events import service as events
from core.events.model import EventFilter
from core.hooks.model import OVERLAP, Vault
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.checks import UrlRules, parse_url, require_outside
from core.hooks.subscriptions.model import NewSubscription, Subscription, Wanted
from core.kernel.reply import Reply


class _Secretive:
    """The handlers that make secrets, and so need the vault."""

    def __init__(self, vault: Vault, rules: UrlRules) -> None:
        self._vault = vault
        self._rules = rules

    def create(
        self,
        ctx: Context,
        name: Annotated[str, Doc("a-z, 0-9 and -, such as audit-log.")],
        url: Annotated[str, Doc("Where to send: an https address outside.")],
        *,
        events: Annotated[
            Sequence[str], Doc("Names of events; all that you may see without.")
        ] = (),
        targets: Annotated[
            Sequence[str], Doc("Ids of what events are about, such as T-12.")
        ] = (),
        filter: Annotated[str, Doc("JMESPath that must find something true.")] = "",
        answers_only: Annotated[
            bool, Doc("No events, only the answers of webhooks that name it.")
        ] = False,
    ) -> Reply:
        """Have an address outside told of events that you may see."""
        require_outside(parse_url(url), self._rules)
        new = subscriptions.create(
            ctx.tx,
            name,
            url,
            wanted=Wanted(
                types=frozenset(events),
                targets=frozenset(targets),
                filter=filter,
                answers_only=answers_only,
            ),
            vault=self._vault,
        )
        return _secret_reply(ctx, new, f"Created {new.subscription.id} ({name})")

    def rotate(
        self,
        ctx: Context,
        subscription: SubscriptionRef,
        *,
        overlap: Annotated[
            timedelta, Doc("How long both secrets sign what is sent.")
        ] = OVERLAP,
    ) -> Reply:
        """Give a subscription a new secret; the old one signs as well for a while."""
        new = subscriptions.rotate(
            ctx.tx, subscription, vault=self._vault, overlap=overlap
        )
        return _secret_reply(ctx, new, f"{new.subscription.id} has a new secret")


def subscription_commands(vault: Vault, rules: UrlRules) -> Sequence[Command]:
    """List these commands; `vault` seals their secrets, `rules` say where may be sent."""
    secretive = _Secretive(vault, rules)
    create = command(
        "subscription create",
        scope="subscriptions:write",
        danger="risky",
        http="POST /v1/subscriptions",
        status=201,
        result=SubscriptionSecretData,
        hides=("secret",),
        examples=[
            "subscription create audit-log https://hooks.example.com/opswire",
            (
                "subscription create deploys https://hooks.example.com/opswire "
                "--events task_created,status_changed --filter details.lane=='A'"
            ),
        ],
    )(secretive.create)
    rotate = command(
        "subscription rotate",
        scope="subscriptions:write",
        danger="risky",
        target="subscription",
        http="POST /v1/subscriptions/{subscription}/rotate",
        result=SubscriptionSecretData,
        hides=("secret",),
        examples=["subscription rotate SB-3 --overlap 2h"],
    )(secretive.rotate)
    return create, rotate


def _secret_reply(ctx: Context, new: NewSubscription, summary: str) -> Reply:
    found = new.subscription
    return Reply(
        summary=f"{summary}; copy the secret now, it is not shown again"[:150],
        blocks=(
            blocks.fields(
                ("sent to", found.url),
                ("secret", new.secret),
                ("not seen so far", _unseen(ctx.tx, found)),
            ),
            blocks.actions(("Test", f"subscription test {found.id}")),
        ),
        data={**view_of(ctx.tx, found), "secret": new.secret},
    )


def _unseen(tx: Tx, subscription: Subscription) -> str:
    """Name the wanted events that never happened: one may be spelled wrongly."""
    return ", ".join(
        name
        for name in sorted(subscription.wanted.types)
        if not events.list_last(tx, EventFilter(types=frozenset({name})), limit=1)
    )
