"""Which mails are never answered, because no person wrote them; pure.

Two machines that answer each other never end. So whatever bears a sign of a machine is
kept and neither run nor answered, also when a person's mail happens to bear it.
"""

import re
from collections.abc import Mapping

from core.kernel.jsons import Json

_PRECEDENCE = frozenset({"auto_reply", "bulk", "junk", "list"})
_MACHINES = re.compile(
    r"(?:mailer-daemon|postmaster|double-bounce|no-?reply|do-?not-?reply|bounces?|.*-bounces?)"
    r"(?:\+.*)?@.*"
)
_REPORTS = ("multipart/report", "message/delivery-status", "message/disposition")
_PRESENT = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-failed-recipients",
    "x-loop",
    "x-ms-exchange-inbox-rules-loop",
)
_OUR_ID = re.compile(rb"<([0-9a-f]{32}\.opswire@[^<>\s]{1,190})>")
_FAILED = re.compile(rb"^Action:[ \t]*failed", re.IGNORECASE | re.MULTILINE)
_REPORT_LIMIT_BYTES = 262_144


def find_machine(marks: Mapping[str, Json], *, sender: str, own: str) -> str:
    """Say what shows that a machine wrote a mail, "" when nothing does.

    Shape:  `marks` are the telling headers by their names in lower case; `own` is the
            address that we read.
    """
    values = {name: str(value).strip().lower() for name, value in marks.items()}
    if _without_tag(sender) == _without_tag(own):
        return "it is a mail of our own"
    if _MACHINES.fullmatch(sender.lower()):
        return f"{sender} is no person"
    if values.get("return-path") in ("", "<>"):
        return "nobody wants an answer: its return path is empty"
    if values.get("content-type", "").startswith(_REPORTS):
        return "it is a report of a mail server"
    return _find_automat(values)


def bounced_ids(raw: bytes) -> list[str]:
    """List our mails that a report says cannot be delivered, by their Message-IDs."""
    report = raw[:_REPORT_LIMIT_BYTES]
    if not _FAILED.search(report):
        return []
    found = (each.decode("ascii", "replace") for each in _OUR_ID.findall(report))
    return [f"<{each}>" for each in dict.fromkeys(found)]


def _find_automat(values: Mapping[str, str]) -> str:
    if values.get("auto-submitted", "no").partition(";")[0].strip() != "no":
        return "it was sent automatically"
    if values.get("precedence", "") in _PRECEDENCE:
        return f"its precedence is {values['precedence']}"
    if values.get("x-auto-response-suppress", "none") != "none":
        return "it asks for no automatic answer"
    if any(name.startswith("list-") for name in values) or "feedback-id" in values:
        return "it came by a mailing list"
    found = next((name for name in _PRESENT if name in values), "")
    return f"it has the header {found}" if found else ""


def _without_tag(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
