"""Sends the answer to a webhook's delivery on to the subscription that it names."""

from functools import partial

from core.database import Tx
from core.delivery.outbox import service as outbox
from core.hooks.model import Endpoint
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.drafts import callback_of
from gateway.answers import Answer
from gateway.stored import OnDone


def callbacks_of(endpoint: Endpoint) -> list[OnDone]:
    """List what is done with the answer to a delivery, in the unit that ends it."""
    return [partial(_call_back, endpoint.callback)] if endpoint.callback else []


def _call_back(subscription_id: str, tx: Tx, answer: Answer) -> None:
    """Post the answer as it is kept, without secrets.

    What is sent to a disabled subscription is given up at once, and can be sent again
    when it is enabled; for one that was deleted there is nobody to be told.
    """
    if subscriptions.find(tx, subscription_id) is not None:
        outbox.post(tx, callback_of(subscription_id, answer.reply))
