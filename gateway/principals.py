"""A bounded memory of whom credentials belong to, each fact a few seconds old at most."""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256

from core.kernel.principal import Principal, TenantId
from core.kernel.problems import Unauthenticated

Ticks = Callable[[], float]

FRESH_SECONDS = 3.0
LENT_SECONDS = 1.0
REFUSED_SECONDS = 2.0
MOST_KNOWN = 10_000
MOST_REFUSED = 1_000


def digest(credential: str) -> bytes:
    """Hash a credential; what is remembered must not be a way in."""
    return sha256(credential.encode("utf-8", "surrogatepass")).digest()


class _Entry:
    """A principal, read at one tick, that ends at another and is fresh until a third."""

    __slots__ = ("ends_at", "fresh_until", "principal", "read_at")

    def __init__(self, principal: Principal, read_at: float, ends_at: float) -> None:
        self.principal = principal
        self.read_at = read_at
        self.ends_at = ends_at
        self.fresh_until = min(read_at + FRESH_SECONDS, ends_at)

    def lend(self, now: float) -> None:
        latest = min(self.read_at + FRESH_SECONDS + LENT_SECONDS, self.ends_at)
        self.fresh_until = min(now + LENT_SECONDS, latest)


class Principals:
    """Remembers verified credentials and, more shortly, refused ones.

    Units:  a fact is believed for 3 s after it was read, and for 1 s more while somebody
            reads it again; so a revocation is live everywhere within 4 s.
    """

    def __init__(self, ticks: Ticks, *, most: int = MOST_KNOWN) -> None:
        self._ticks = ticks
        self._most = most
        self._known: OrderedDict[bytes, _Entry] = OrderedDict()
        self._refused: OrderedDict[bytes, tuple[Unauthenticated, float]] = OrderedDict()
        self.generation = 0

    def recall(self, key: bytes) -> Principal | None:
        """Return a principal that may still be believed."""
        entry = self._known.get(key)
        if entry is None or self._ticks() >= entry.fresh_until:
            return None
        return entry.principal

    def lend(self, key: bytes) -> None:
        """Let others believe a stale principal while the caller asks again.

        Without it, every request under way would ask at the same moment. Nothing is
        lent past 4 s, whoever asks.
        """
        entry = self._known.get(key)
        if entry is not None:
            entry.lend(self._ticks())

    def keep(
        self, key: bytes, principal: Principal, *, read_at: float, lasts: float
    ) -> None:
        """Remember a principal as of the tick `read_at`; it `lasts` seconds at most."""
        self._known[key] = _Entry(principal, read_at, read_at + lasts)
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def refuse(self, key: bytes, refusal: Unauthenticated) -> None:
        """Remember for 2 s that a credential is refused."""
        self._known.pop(key, None)
        self._refused[key] = (refusal, self._ticks() + REFUSED_SECONDS)
        if len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)

    def require_unrefused(self, key: bytes) -> None:
        """Repeat a refusal of a moment ago.

        Raises: Unauthenticated.
        """
        found = self._refused.get(key)
        if found is None:
            return
        refusal, until = found
        if self._ticks() < until:
            raise Unauthenticated(refusal.detail, fix=refusal.fix)
        self._refused.pop(key, None)

    def forget(self, tenant: TenantId, subject: str) -> None:
        """Forget what belongs to a key or a user, by id."""
        self.generation += 1
        self._refused.clear()
        for key, entry in list(self._known.items()):
            principal = entry.principal
            if principal.tenant == tenant and subject in (
                principal.id,
                principal.key_id,
            ):
                self._known.pop(key, None)

    def clear(self) -> None:
        """Forget everything; may be called from any thread."""
        self.generation += 1
        self._known.clear()
        self._refused.clear()
