"""Where people can be written to who have not just written: at every linked account."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.database import Tx
from core.delivery.places import direct_place
from core.identity.links import service as links
from core.kernel.jsons import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody to be written to, and where."""

    person_id: str
    channel: str
    account: str
    place: Mapping[str, Json]


def readers_of(tx: Tx, person_id: str) -> Iterator[Reader]:
    """Yield the accounts at which a person can be written to."""
    for identity in links.list_(tx, person_id):
        at = identity.account
        if place := direct_place(at.channel, at.sender):
            yield Reader(
                person_id=person_id, channel=at.channel, account=at.account, place=place
            )
