"""The subscription to which a webhook sends the answers to its deliveries."""

from typing import Annotated

from commands.context import Context
from commands.schema import Doc, Ref
from core.hooks.subscriptions import service as subscriptions
from core.kernel.problems import Forbidden

_MAY_CHOOSE = "subscriptions:write"

Callback = Annotated[
    str, Ref("SB"), Doc("The subscription that is sent each answer, such as SB-3.")
]


def chosen_callback(ctx: Context, reference: str) -> str:
    """Find the subscription that was named, "" when none was.

    Raises: NotFound; Forbidden when it is somebody else's and the caller may not manage
            subscriptions, or when its creator may not see events any more.
    """
    if not reference:
        return ""
    found = subscriptions.get_(ctx.tx, reference)
    is_own = found.creator_id == ctx.principal.id
    if not (is_own or ctx.principal.may(_MAY_CHOOSE)):
        raise Forbidden(
            f"{found.id} is not {ctx.principal.name}'s",
            fix=[f"ask an admin for the scope {_MAY_CHOOSE}", "subscription list"],
        )
    subscriptions.owner_of(ctx.tx, found)
    return found.id
