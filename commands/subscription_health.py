"""How the receivers of subscriptions fare, told as accounts of the webhook channel."""

from collections.abc import Sequence

from core.database import Tx
from core.delivery.health.model import AccountHealth, Link
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.model import CHANNEL, Subscription
from core.kernel.clock import to_iso
from core.kernel.pages import PAGE_LIMIT

# One that did not work is tried again within seconds; the next tells more.
_FAILURES = 2


def receivers_of(tx: Tx) -> Sequence[AccountHealth]:
    """List how each receiver fares, as every gateway has noted it; the first page."""
    return [health_of(each) for each in subscriptions.list_(tx, limit=PAGE_LIMIT).items]


def health_of(subscription: Subscription) -> AccountHealth:
    """Tell how one receiver fares: off while it is disabled, degraded while it fails."""
    link, error, fix = Link.CONNECTED, "", ""
    if not subscription.is_enabled:
        link = Link.OFF
        error = f"{subscription.id} is disabled: {subscription.reason}"
        fix = f"subscription enable {subscription.id}"
    elif subscription.failing_since and subscription.failures >= _FAILURES:
        link = Link.DEGRADED
        since = to_iso(subscription.failing_since)
        error = f"{subscription.failures} tries failed since {since}"
        fix = f"subscription deliveries {subscription.id}"
    return AccountHealth(
        channel=CHANNEL,
        account=subscription.id,
        link=link,
        last_out=subscription.last_ok_at,
        error=error,
        fix=fix,
    )
