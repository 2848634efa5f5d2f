"""Commands over the audit: read it, and prove that nobody rewrote it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Person
from commands.views import AuditPageData, VerificationData
from core.audit import service as audit
from core.audit.model import AuditEntry, AuditFilter, AuditHead, Verdict
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply


@command(
    "audit list",
    scope="audit:read",
    http="GET /v1/audit",
    result=AuditPageData,
    examples=["audit list --actor bob --since 7d -o csv"],
)
def list_(
    ctx: Context,
    *,
    actor: Annotated[str, Person()] = "",
    channel: str = "",
    action: str = "",
    target: str = "",
    verdict: Verdict | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List who asked what, through which channel, and how it was decided."""
    wanted = AuditFilter(
        actor=actor,
        channel=channel,
        action=action,
        target=target,
        verdict=verdict,
        since=since,
        until=until,
    )
    page = audit.list_(ctx.tx, wanted, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No audit entries", ("Show all", "audit list"))
    return Reply(
        summary=f"{len(page.items)} audit entries",
        blocks=(
            blocks.table(
                ("seq", "when", "actor", "channel", "command", "verdict"),
                [
                    (
                        each.seq,
                        f"{each.at:%m-%d %H:%M:%S}",
                        each.actor,
                        each.channel,
                        each.command or each.action,
                        each.verdict,
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={"items": [_view(each) for each in page.items], "next": page.next},
    )


@command(
    "audit verify",
    scope="audit:read",
    http="GET /v1/audit/verify",
    result=VerificationData,
    examples=["audit verify", "audit verify --anchor 812:9f86d0…"],
)
def verify(ctx: Context, *, anchor: str = "") -> Reply:
    """Walk the whole chain; an anchor kept elsewhere also shows a tail cut off."""
    found = audit.verify(ctx.tx, anchor=_anchor(anchor) if anchor else None)
    head = f"{found.head.seq}:{found.head.hash}"
    return Reply(
        summary=(
            f"Intact: {found.checked} entries"
            if found.is_intact
            else f"BROKEN at entry {found.broken_at}: {found.fault}"
        ),
        blocks=(
            blocks.fields(
                ("checked", found.checked),
                ("anchor to keep", head if found.is_intact else ""),
            ),
        ),
        data={
            "ok": found.is_intact,
            "intact": found.is_intact,
            "checked": found.checked,
            "broken_at": found.broken_at,
            "fault": found.fault,
            "head": {"seq": found.head.seq, "hash": found.head.hash, "anchor": head},
        },
    )


COMMANDS: Sequence[Command] = (list_, verify)


def _anchor(text: str) -> AuditHead:
    seq, _, hash_ = text.partition(":")
    if not (seq.isdecimal() and len(seq) < 18 and hash_):
        raise InvalidArgument(
            f"'{text[:40]}' is not an anchor",
            fix=["use what audit verify told: 812:9f86…"],
        )
    return AuditHead(seq=int(seq), hash=hash_)


def _view(entry: AuditEntry) -> dict[str, Json]:
    return {
        "seq": entry.seq,
        "ts": to_iso(entry.at),
        "actor": entry.actor,
        "channel": entry.channel,
        "account": entry.account,
        "action": entry.action,
        "target": entry.target,
        "verdict": entry.verdict.value,
        "approval_status": entry.approval_status.value,
        "reason": entry.reason,
        "command": entry.command,
        "request_id": entry.request_id,
        "count": entry.count,
        "hash": entry.hash,
    }
