"""Whether the sender in From is who sent a mail."""

from dataclasses import dataclass

from channels.email.authserv import Finding, find_result
from channels.email.heads import Unclear, domain_of, parse_head, sender_of
from channels.email.signatures import KeyUnreachable, LookUp, is_signed, look_up

TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known of a sender; `reason` says why one is not proven.

    Shape:  `address` is what From claims, in lower case, "" when that is not clear.
    """

    address: str
    is_proven: bool
    reason: str = ""


class SenderCheck:
    """Proves senders: by our own mail server's word, else by a signature.

    Shape:  without `is_required`, for labs, an address is believed as it stands.
    """

    def __init__(
        self,
        *,
        authserv_id: str,
        is_required: bool = True,
        look_up: LookUp = look_up,
    ) -> None:
        self._authserv_id = authserv_id
        self._is_required = is_required
        self._look_up = look_up

    def check(self, raw: bytes, *, is_whole: bool = True) -> Verdict:
        """Judge a mail; may wait for the DNS, so it is run in a thread.

        Shape:  of a mail that is too large only the headers are here, and they bear
                no signature that could be checked.
        """
        try:
            head = parse_head(raw)
            address = sender_of(head)
        except Unclear as fault:
            return Verdict(address="", is_proven=False, reason=str(fault))
        if not self._is_required:
            return Verdict(address=address, is_proven=True)
        domain = domain_of(address)
        finding = find_result(head, authserv_id=self._authserv_id, domain=domain)
        if finding is Finding.PASS:
            return Verdict(address=address, is_proven=True)
        if finding is Finding.FAIL:
            reason = f"the mail server says that this is not from {domain}"
        elif not is_whole:
            reason = "the mail is too large to check its signature"
        else:
            reason = self._try_signature(raw, domain)
        return Verdict(address=address, is_proven=not reason, reason=reason)

    def _try_signature(self, raw: bytes, domain: str) -> str:
        """Look for a signature; say what is missing, "" when nothing is."""
        for _ in range(TRIES):
            try:
                if is_signed(raw, domain=domain, look_up=self._look_up):
                    return ""
                return f"{domain} does not vouch for this mail"
            except KeyUnreachable:
                continue
        return f"the keys of {domain} could not be looked up"
