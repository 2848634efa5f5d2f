"""The calls of a worker that has the database itself: embedded, or behind Celery."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from core.database import Database, Tx
from core.kernel.principal import Principal, TenantId, system
from core.runs import calls, claims, waiting
from core.runs.artifacts import service as artifacts
from core.runs.artifacts.model import (
    INLINE_BYTES,
    LIMITS,
    PIECE_BYTES,
    Artifact,
    Limits,
    name_for,
)
from core.runs.model import Progress, Run
from core.runs.reports import Beat, Outcome, Report, Wanted
from core.runs.secrets import service as run_secrets
from core.secrets.vault import Vault
from gateway.workers.calls import Claimed, Produced
from gateway.workers.files import Measured, list_pieces, measure, read_whole

Result = TypeVar("Result")
Tenants = Callable[[], Awaitable[Sequence[TenantId]]]

_LOOK_SECONDS = 1.0
_HEARD_SECONDS = 30.0
"""How often a worker without work is heard of; after 90 s of silence it counts as lost."""


class LocalCalls:
    """Implements `Calls` over the services.

    Shape:  looks into the tenants that it was told of with `hear`, and once a second
            into all. Looking writes nothing while there is no work, but for a sign of
            life in each tenant twice a minute.
    """

    def __init__(
        self, db: Database, vault: Vault, *, tenants: Tenants, limits: Limits = LIMITS
    ) -> None:
        self._db = db
        self._vault = vault
        self._limits = limits
        self._tenants = tenants
        self._worth_a_look: dict[TenantId, None] = {}
        self._looked_at = -_LOOK_SECONDS
        self._heard_at: dict[TenantId, float] = {}

    def hear(self, tenants: Iterable[TenantId]) -> None:
        """Note that something changed there; on the thread of the event loop."""
        self._worth_a_look.update(dict.fromkeys(tenants))

    async def claim(self, wanted: Wanted) -> Sequence[Claimed]:
        """Take runs; tenants take turns."""
        await self._look_around()
        claimed: list[Claimed] = []
        for tenant in list(self._worth_a_look):
            limit = wanted.limit - len(claimed)
            if limit <= 0:
                break
            del self._worth_a_look[tenant]
            if await self._has_some(tenant):
                found = await self._claim_of(tenant, replace(wanted, limit=limit))
                claimed += found
                # There may be more; the others come first.
                self.hear([tenant] if found else ())
        return claimed

    async def claim_one(
        self, tenant: TenantId, run_id: str, wanted: Wanted
    ) -> Claimed | None:
        """Take a certain run, if it is still there to be taken."""
        run = await self._db.write(
            lambda tx: claims.claim_one(tx, run_id, wanted), by=_by(tenant)
        )
        return _claimed(tenant, run) if run is not None else None

    async def claim_next(self, tenant: TenantId, wanted: Wanted) -> Claimed | None:
        """Take the run of a tenant whose turn it is, if there is one."""
        if not await self._db.read(waiting.has_some, by=_by(tenant)):
            return None
        found = await self._claim_of(tenant, replace(wanted, limit=1))
        return next(iter(found), None)

    async def beat(self, held: Claimed, progress: Progress | None = None) -> Beat:
        """Say that the work goes on."""
        return await self._call(
            held,
            partial(
                calls.beat, run_id=held.run_id, fence=held.fence, progress=progress
            ),
        )

    async def report(self, held: Claimed, reports: Sequence[Report]) -> None:
        """Tell what happened, in order."""
        await self._call(
            held,
            partial(
                calls.report, run_id=held.run_id, fence=held.fence, reports=reports
            ),
        )

    async def put(self, held: Claimed, produced: Produced) -> None:
        """Keep a file: a small one at once, else piece by piece."""
        measured = await measure(produced.path)
        if measured.size_bytes <= INLINE_BYTES:
            content = await read_whole(produced.path)
            keep = partial(
                _keep,
                held=held,
                produced=produced,
                content=content,
                limits=self._limits,
            )
            await self._call(held, keep)
            return
        begin = partial(
            _begin,
            held=held,
            produced=produced,
            measured=measured,
            limits=self._limits,
        )
        artifact = await self._call(held, begin)
        if not artifact.is_ready:
            await self._upload(held, artifact, produced.path)

    async def secrets(self, held: Claimed) -> Mapping[str, str]:
        """Read the stored secrets that the steps name.

        Raises: SealBroken for one that does not open.
        """
        open_them = partial(_secrets, held=held, vault=self._vault)
        return await self._call(held, open_them)

    async def complete(self, held: Claimed, outcome: Outcome) -> None:
        """End the attempt."""
        await self._call(
            held,
            partial(
                calls.complete, run_id=held.run_id, fence=held.fence, outcome=outcome
            ),
        )

    async def hand_back(self, held: Claimed, reason: str) -> None:
        """Give the run back to the queue."""
        await self._call(
            held,
            partial(
                calls.hand_back, run_id=held.run_id, fence=held.fence, reason=reason
            ),
        )

    async def _call(self, held: Claimed, work: Callable[[Tx], Result]) -> Result:
        return await self._db.write(work, by=_by(held.tenant))

    async def _look_around(self) -> None:
        """Now and then look everywhere, for what nobody told of."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self.hear(await self._tenants())

    async def _has_some(self, tenant: TenantId) -> bool:
        """Tell whether there may be work, or it is time for a sign of life."""
        heard_at = self._heard_at.get(tenant, -_HEARD_SECONDS)
        if time.monotonic() - heard_at >= _HEARD_SECONDS:
            return True
        return await self._db.read(waiting.has_some, by=_by(tenant))

    async def _claim_of(self, tenant: TenantId, wanted: Wanted) -> Sequence[Claimed]:
        runs = await self._db.write(lambda tx: claims.claim(tx, wanted), by=_by(tenant))
        self._heard_at[tenant] = time.monotonic()
        return [_claimed(tenant, run) for run in runs]

    async def _upload(self, held: Claimed, artifact: Artifact, path: Path) -> None:
        await self._call(held, lambda tx: artifacts.restart(tx, artifact.id))
        async for seq, piece in list_pieces(path, PIECE_BYTES):
            add = partial(
                artifacts.add_piece, artifact_id=artifact.id, seq=seq, content=piece
            )
            await self._call(held, add)
        await self._call(held, lambda tx: artifacts.finish(tx, artifact.id))


def _by(tenant: TenantId) -> Principal:
    return system(tenant, name="worker")


def _claimed(tenant: TenantId, run: Run) -> Claimed:
    assert run.lease_expires_at is not None
    return Claimed(
        tenant=tenant,
        run_id=run.id,
        fence=run.fence,
        attempt=run.attempt,
        lane=run.lane,
        kind=run.kind,
        name=run.alias or run.template,
        task=run.task,
        input=run.input,
        steps=run.steps,
        lease_expires_at=run.lease_expires_at,
        deadline_at=run.deadline_at,
    )


def _secrets(tx: Tx, *, held: Claimed, vault: Vault) -> Mapping[str, str]:
    run = calls.require_held(tx, held.run_id, held.fence)
    return run_secrets.secrets_of(tx, vault, run)


def _keep(
    tx: Tx, *, held: Claimed, produced: Produced, content: bytes, limits: Limits
) -> None:
    calls.require_held(tx, held.run_id, held.fence)
    artifacts.put(
        tx,
        subject=held.run_id,
        name=name_for(produced.name),
        kind=produced.kind,
        content=content,
        attempt=held.attempt,
        is_partial=produced.is_partial,
        limits=limits,
    )


def _begin(
    tx: Tx, *, held: Claimed, produced: Produced, measured: Measured, limits: Limits
) -> Artifact:
    calls.require_held(tx, held.run_id, held.fence)
    return artifacts.begin(
        tx,
        subject=held.run_id,
        name=name_for(produced.name),
        kind=produced.kind,
        size_bytes=measured.size_bytes,
        sha256=measured.sha256,
        attempt=held.attempt,
        is_partial=produced.is_partial,
        limits=limits,
    )
