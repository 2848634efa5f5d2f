"""Posts to a response_url, which Slack gives with a command or a press."""

import json

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient
from slack_sdk.webhook.webhook_response import WebhookResponse

from channels.base import Postponed
from channels.slack.render import SlackMessage
from channels.slack.web import Pool, Refused, retry_after_of

RESPONSE_POSTS = 5


class UrlSpent(Exception):
    """The address takes no more posts; the Web API has to do."""


async def post_to(
    pool: Pool, url: str, message: SlackMessage, *, thread_ts: str = ""
) -> None:
    """Answer an interaction.

    Raises: UrlSpent when it was used up or is too old, Postponed, Refused.
    """
    client = AsyncWebhookClient(url, session=pool.session, retry_handlers=[])
    body = {
        "text": message.text,
        "blocks": message.blocks,
        "response_type": "ephemeral" if message.is_ephemeral else "in_channel",
        "replace_original": False,
        **({"thread_ts": thread_ts} if thread_ts else {}),
    }
    try:
        answer = await client.send_dict(body)
    except (aiohttp.ClientError, OSError, TimeoutError) as fault:
        reason = str(fault) or type(fault).__name__
        raise Postponed(f"Slack was not reached: {reason}") from fault
    if answer.status_code != 200 or answer.body != "ok":
        raise _reading(answer)


def _reading(answer: WebhookResponse) -> Exception:
    if answer.status_code == 429:
        wait = retry_after_of(answer.headers)
        return Postponed("Slack asked to slow down", retry_after=wait or 1.0)
    if answer.status_code >= 500:
        return Postponed(f"Slack is out of order: {answer.status_code}")
    error = _error_in(answer.body)
    if answer.status_code in (404, 410) or error.endswith("_url"):
        return UrlSpent(error)
    return Refused(error)


def _error_in(body: str) -> str:
    """Read what was wrong: Slack writes it plainly, or into JSON."""
    try:
        found = json.loads(body)
    except ValueError:
        return body[:80]
    return str(found.get("error", ""))[:80] if isinstance(found, dict) else body[:80]
