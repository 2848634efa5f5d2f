"""Answers: a reply as it is shown, as it was stored, and as it is given again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.delivery.model import InboxDraft, StoredMessage
from core.kernel.jsons import parse_json, to_json
from core.kernel.problems import KeyReused
from core.kernel.reply import Block, Link, Reply, reply_from_json
from core.kernel.sanitise import is_plain, sanitise_reply
from gateway.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply, its JSON form, and its place in the conversation.

    `body` is what was stored and what the same key will be answered again; `seq` is
    the inbox number of a stored reply, 0 for one that was not stored.
    """

    reply: Reply
    body: bytes
    draft: InboxDraft | None = None

    @property
    def seq(self) -> int:
        """The inbox number, known once the batch has committed."""
        return self.draft.seq if self.draft else 0


def answer_to(message: Message, reply: Reply, *, public_url: str) -> Answer:
    """Complete what a command replied with who asked, where, and under which ids."""
    reply_id = f"rp_{message.token}"
    whole = Reply(
        id=reply_id,
        request_id=message.request_id,
        status=reply.status,
        command=message.invocation.canonical if message.invocation else "",
        summary=reply.summary,
        url=_address(reply, reply_id, public_url=public_url),
        actor=message.principal.name,
        channel=message.envelope.channel,
        blocks=reachable(reply.blocks, public_url),
        data=reply.data,
        undo=reply.undo,
        error=reply.error,
    )
    return _shown(whole)


def reachable(blocks: Sequence[Block], public_url: str) -> Sequence[Block]:
    """Turn the paths of links into addresses that work from anywhere."""
    if not any(isinstance(each, Link) for each in blocks):
        return blocks
    return tuple(
        replace(each, url=public_url + each.url)
        if isinstance(each, Link) and each.url.startswith("/")
        else each
        for each in blocks
    )


def replay_of(prior: StoredMessage | InboxDraft, request_hash: str) -> Answer:
    """Give the stored answer again, if it belongs to the same request."""
    if prior.request_hash != request_hash:
        raise KeyReused(
            "this idempotency key was used for another request",
            fix=["send the same body again, or use a new key"],
        )
    raw = parse_json(prior.reply)
    assert isinstance(raw, dict)
    reply = replace(reply_from_json(raw), replayed=True)
    return Answer(reply=reply, body=to_json(reply))


def _address(reply: Reply, reply_id: str, *, public_url: str) -> str:
    """Say where a reply is read: as the command said, else under its own id.

    Shape:  one that was completed before, as the only answer of a message, keeps what
            its command said.
    """
    if reply.url.startswith("/"):
        return public_url + reply.url
    own = f"{public_url}/r/{reply.id}"
    return reply.url if reply.url not in ("", own) else f"{public_url}/r/{reply_id}"


def _shown(reply: Reply) -> Answer:
    """Write a reply as it may be shown, whatever somebody put into a title."""
    body = to_json(reply)
    if is_plain(reply, body):
        return Answer(reply=reply, body=body)
    clean = sanitise_reply(reply)
    return Answer(reply=clean, body=body if clean is reply else to_json(clean))
