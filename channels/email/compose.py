"""A rendered reply as a mail in the thread of the mail that it answers."""

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from hashlib import sha256

from channels.base import Undeliverable
from channels.email.headers import parse_address
from channels.email.render import Mailing
from channels.email.subjects import OBJECT_ID, without_again
from core.kernel.jsons import Json
from core.kernel.sanitise import sanitise_line

NAME = "Opswire"
MOST_REFERENCES = 50

_SUBJECT_CHARS = 200
_ID_CHARS = 252
_IDS = frozenset({"message-id", "in-reply-to", "references"})


class MailPolicy(EmailPolicy):
    """Writes mails for SMTP; ids of mails stay whole, one on each line.

    The standard library would encode an id that is longer than a line, and no mail
    program finds the thread of that.
    """

    def fold(self, name: str, value: str) -> str:
        """Break a header into lines."""
        if name.lower() in _IDS:
            return f"{name}: {f'{self.linesep} '.join(value.split())}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        """Break a header into lines, as bytes."""
        if name.lower() in _IDS:
            return self.fold(name, value).encode("ascii", "replace")
        return bytes(super().fold_binary(name, value))


POLICY = MailPolicy(linesep="\r\n", cte_type="7bit", raise_on_defect=False)


def compose(
    mailing: Mailing,
    place: Mapping[str, Json],
    *,
    sender: str,
    message_id: str,
    now: datetime | None = None,
) -> EmailMessage:
    """Write the mail that answers at `place`, which the wire made of a mail.

    Shape:  one recipient; the same bytes each time for the same arguments. `now` is
            aware UTC and becomes the Date. A `token` of the place, or what it is about,
            is in the address that an answer goes to.
    Raises: Undeliverable when the place names nobody.
    """
    to = parse_address(_text(place, "to"))
    if not to:
        raise Undeliverable("the mail has no recipient", fix="answer from a mail")
    mail = EmailMessage(policy=POLICY)
    mail["From"] = f"{NAME} <{sender}>"
    mail["To"] = to
    if reply_to := answer_address(place, sender=sender):
        mail["Reply-To"] = f"{NAME} <{reply_to}>"
    mail["Subject"] = _subject(mailing, place)
    mail["Message-ID"] = _as_id(message_id)
    if now is not None:
        mail["Date"] = format_datetime(now)
    _thread(mail, place)
    mail["Auto-Submitted"] = "auto-replied"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    _fill(mail, mailing, seed=message_id)
    return mail


def answer_address(place: Mapping[str, Json], *, sender: str) -> str:
    """Return the address that an answer goes to; "" when it is the sender's own."""
    local, _, domain = sender.rpartition("@")
    tag = _text(place, "token") or _text(place, "this")
    is_plain = tag.isascii() and tag.replace("-", "").isalnum()
    return f"{local}+{tag}@{domain}" if is_plain and len(tag) <= 64 else ""


def _subject(mailing: Mailing, place: Mapping[str, Json]) -> str:
    """Keep the subject of the thread, for many readers part threads by it."""
    asked = without_again(_text(place, "subject"))
    if asked and _text(place, "in_reply_to"):
        return sanitise_line(f"Re: {asked}", limit=_SUBJECT_CHARS)
    about = _text(place, "this")
    about = about if OBJECT_ID.fullmatch(about) else mailing.about
    tag = f"[{about}] " if about else ""
    again = "Re: " if _text(place, "in_reply_to") else ""
    return sanitise_line(f"{again}{tag}{mailing.subject}", limit=_SUBJECT_CHARS)


def _thread(mail: EmailMessage, place: Mapping[str, Json]) -> None:
    """Put the mail below the one that it answers, and below all before that."""
    answered = _as_id(_text(place, "in_reply_to"))
    if not answered:
        return
    before = place.get("references")
    known = [_as_id(str(each)) for each in before] if isinstance(before, list) else []
    chain = [each for each in dict.fromkeys(known) if each and each != answered]
    if len(chain) >= MOST_REFERENCES:
        chain = [chain[0], *chain[2 - MOST_REFERENCES :]]
    mail["In-Reply-To"] = answered
    mail["References"] = " ".join([*chain, answered])


def _fill(mail: EmailMessage, mailing: Mailing, *, seed: str) -> None:
    """Add the parts; the boundaries follow from the mail's id."""
    mail.set_content(mailing.text)
    mail.add_alternative(
        mailing.json.encode(), maintype="application", subtype="json", cte="base64"
    )
    # What a mail program can show best stands last.
    mail.add_alternative(mailing.html, subtype="html")
    mark = sha256(seed.encode()).hexdigest()[:24]
    mail.set_boundary(f"=_alternative-{mark}")
    for file in mailing.attachments:
        maintype, _, subtype = file.media_type.partition("/")
        mail.add_attachment(
            file.content, maintype=maintype, subtype=subtype, filename=file.name
        )
    if mailing.attachments:
        mail.set_boundary(f"=_mixed-{mark}")


def _as_id(text: str) -> str:
    """Return a mail's id if it is one, for anything else may carry a header along."""
    is_id = text.startswith("<") and text.endswith(">") and len(text) <= _ID_CHARS
    is_plain = text.isascii() and text.isprintable() and " " not in text
    return text if is_id and is_plain else ""


def _text(place: Mapping[str, Json], name: str) -> str:
    value = place.get(name)
    return value if isinstance(value, str) else ""
