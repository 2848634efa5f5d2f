"""Sessions: what outlives a connection, and the order in which answers are sent.

The rule of order. Every reply frame carries `seq`, the cursor of its session: all
stored replies of the session up to that inbox number were sent before it or with it.
A reply that was stored just now moves the cursor to its own number; a reply to a read,
and a stored reply that is given again, carry the cursor as it stands. The cursor never
goes back, whatever number of commands are in flight.
"""

import re
from asyncio import Lock, Task
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from channels.base import Sender
from channels.websocket.wire import CloseCode, render_reply
from core.kernel.ids import random_id
from core.kernel.principal import Principal, TenantId
from core.kernel.problems import TooManySessions, Unavailable

MOST_REPLAYED = 1_000
MOST_KEPT = 64
KEPT_BYTES = 65_536

_PREFIX = "ws"
_ID = re.compile(r"ws_[0-9A-Z]{26}")


class Link(Sender, Protocol):
    """The connection of a session."""

    def mute(self) -> None:
        """Take and send nothing more."""

    async def close(self, code: CloseCode, reason: str) -> None:
        """End the connection, which may take as long as its client likes."""


class Owner(NamedTuple):
    """Whose session it is; nobody else can go on with it."""

    tenant: TenantId
    principal_id: str

    @classmethod
    def of(cls, principal: Principal) -> "Owner":
        """Take the owner from a verified principal."""
        return cls(principal.tenant, principal.id)


@dataclass(slots=True, kw_only=True)
class Answered:
    """An answer to an exec.

    Shape:  `stored_seq` is its inbox number, 0 for a read and for an answer that is
            given again. `reply` is its JSON as stored; `seq` the cursor it was sent with.
    """

    exec_id: str
    stored_seq: int
    reply: bytes
    ansi: str | None = None
    seq: int = 0
    was_sent: bool = False

    def render(self) -> str:
        """Render its frame."""
        return render_reply(self.seq, self.exec_id, self.reply, ansi=self.ansi)


class Session:
    """One client's conversation, with or without a connection at the moment."""

    def __init__(self, session_id: str, owner: Owner) -> None:
        self.id = session_id
        self.owner = owner
        self.seq = 0
        self.running: dict[str, Task[None]] = {}
        self.resuming = Lock()
        self._link: Link | None = None
        self._replayed_to = 0
        self._kept: deque[Answered] = deque()
        self._kept_bytes = 0

    @property
    def link(self) -> Link | None:
        """The connection that answers go to now."""
        return self._link

    def attach(self, link: Link) -> None:
        """Have answers sent to this connection from now on."""
        self._link = link

    def detach(self, link: Link) -> None:
        """Keep answers until somebody comes back; a link that was replaced is ignored."""
        if link is self._link:
            self._link = None

    def take_over(self) -> Link | None:
        """Silence the connection that there is and return it, to be closed."""
        link, self._link = self._link, None
        if link is not None:
            link.mute()
        return link

    async def deliver(self, answered: Answered) -> None:
        """Send an answer in its turn, or keep it while nobody is connected.

        An answer that a replay has read from the inbox already is not sent again.
        """
        if 0 < answered.stored_seq <= self._replayed_to:
            return
        self.seq = answered.seq = max(self.seq, answered.stored_seq)
        self._keep(answered)
        if self._link is not None and await self._link.send(answered.render()):
            answered.was_sent = True

    def catch_up(self, after: int, stored: Iterable[Answered]) -> Sequence[str]:
        """Return the frames that a client who has seen `after` still misses, in order.

        `stored` are the replies numbered above `after` in the inbox. Replies that were
        stored since that was read, and answers to reads, come from memory: the latter
        when they were answered behind a reply that the client has not seen, or were
        never sent.
        """
        missed = {each.stored_seq: each for each in stored}
        self._replayed_to = max([self._replayed_to, *missed])
        reads: list[Answered] = []
        for each in self._kept:
            if each.stored_seq > after:
                missed[each.stored_seq] = each
            elif not each.stored_seq and (each.seq > after or not each.was_sent):
                reads.append(each)
        self.seq = max([self.seq, after, *missed])
        return list(_in_turn(after, [*missed.values(), *reads]))

    def start_anew(self, seq: int) -> None:
        """Forget what is kept: the client was told of a gap and asks again."""
        self.seq = max(self.seq, seq)
        self._kept.clear()
        self._kept_bytes = 0

    def acknowledge(self, seq: int) -> None:
        """Forget answers that the client says it has kept."""
        while self._kept and self._kept[0].seq < min(seq, self.seq):
            self._kept_bytes -= len(self._kept.popleft().reply)

    def _keep(self, answered: Answered) -> None:
        self._kept.append(answered)
        self._kept_bytes += len(answered.reply)
        while len(self._kept) > MOST_KEPT or self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft().reply)


def _in_turn(after: int, missed: Iterable[Answered]) -> Iterator[str]:
    """Render in the order of the cursor, an answer to a read behind what it followed."""
    for each in sorted(
        missed, key=lambda it: (it.stored_seq or it.seq, not it.stored_seq)
    ):
        each.seq = max(each.seq, each.stored_seq, after)
        each.was_sent = True
        yield each.render()


class Sessions:
    """All sessions of this process.

    Units:  at most `most` sockets are open at once and `most_each` sessions of one
            person; as many sessions again are remembered after their connection ended.
    """

    def __init__(self, *, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._sockets = 0
        self._known: OrderedDict[str, Session] = OrderedDict()

    def enter(self) -> None:
        """Count one socket more; every `enter` needs a `leave`.

        Raises: Unavailable when all places are taken.
        """
        if self._sockets >= self._most:
            raise Unavailable("all WebSocket places are taken", retry_after=5)
        self._sockets += 1

    def leave(self) -> None:
        """Count one socket less, and forget the sessions left longest ago."""
        self._sockets -= 1
        surplus = len(self._known) - 2 * self._most
        idle = [each for each in self._known.values() if each.link is None]
        for each in idle[: max(surplus, 0)]:
            del self._known[each.id]

    def create(self, owner: Owner) -> Session:
        """Begin a session.

        Raises: TooManySessions.
        """
        return self._add(Session(random_id(_PREFIX), owner))

    def find(self, session_id: str, owner: Owner) -> Session | None:
        """Find a session to go on with; None when the id is not this owner's to use.

        Shape:  one that another process, or this one before its restart, has begun is
                unknown here and begins again under its id; the inbox tells what it had.
        Raises: TooManySessions.
        """
        known = self._known.get(session_id)
        if known is not None:
            self._known.move_to_end(session_id)
            return self._admitted(known) if known.owner == owner else None
        if not _ID.fullmatch(session_id):
            return None
        return self._add(Session(session_id, owner))

    @property
    def open_count(self) -> int:
        """How many sockets are open."""
        return self._sockets

    def _add(self, session: Session) -> Session:
        self._known[self._admitted(session).id] = session
        return session

    def _admitted(self, session: Session) -> Session:
        others = sum(
            each.owner == session.owner
            and each.link is not None
            and each is not session
            for each in self._known.values()
        )
        if others >= self._most_each:
            raise TooManySessions(
                f"{others} sessions of yours are open",
                fix=["close one, or resume one by its id"],
            )
        return session
