"""Everything that can be refused, named after the fact and not after HTTP.

Problem
├── BadRequest               the request cannot be understood or is not allowed in form
│   ├── EmptyLine            nothing was asked
│   ├── NotACommand          text that is no command at all
│   ├── UnknownCommand       no command has this name
│   ├── UnknownFlag          the command has no such flag
│   ├── InvalidArgument      a value does not fit its argument
│   │   └── NotRunnable      no schedule, trigger or webhook may run this command
│   ├── InvalidJson          bytes that are not strict JSON
│   ├── InvalidQuery         a query parameter is unknown or has a bad value
│   └── InvalidHeader        a header that cannot be read
├── TooLarge                 more bytes than this door accepts
├── UnsupportedMedia         a body that says it is not JSON
├── Unauthenticated          no credential, or one that is not accepted
├── Forbidden                known, but not allowed
│   ├── MissingScope         the principal lacks a scope
│   ├── NotLinked            the sender is not linked to a person yet
│   ├── AssuranceTooLow      this command wants a better proof of who asks
│   └── StepUpRequired       this door is not trusted with what cannot be taken back
├── NotFound                 absent, or another tenant's: the same answer
├── Conflict                 the present state forbids it
│   ├── AlreadyExists        the name or id is taken
│   ├── IllegalMove          the state machine has no such step
│   ├── LeaseHeld            another holder has the lease
│   ├── LeaseLost            the fence is not the current one
│   ├── NeedsConfirmation    a proposal was made; confirm it
│   ├── InFlight             the same request is being worked on
│   ├── ChannelOff           an administrator disabled the channel
│   ├── CommandDisabled      the plugin that brings the command failed
│   ├── Cancelled            the client no longer waits for its command
│   └── TooManySessions      one person has as many sessions as are allowed
├── LinkExpired              a signed link was good until a moment that is past
├── KeyReused                an idempotency key came back with another body
├── StaleVersion             If-Match names an older version
├── PreconditionRequired     If-Match is missing where it must be given
├── RateLimited              a limit is used up for now
├── TookTooLong              the other side did not answer in time
├── PluginFailed             a command of a plugin failed, which is its own fault
└── Unavailable              the service cannot do it now; nothing was stored
    └── SealBroken           a stored secret cannot be opened
"""

from collections.abc import Sequence
from datetime import timedelta

Extra = str | int | float | bool | None | Sequence[str]


class Problem(Exception):
    """A refusal that a person can read and act on.

    `detail` says what is wrong with this request, `fix` lists lines or steps that
    mend it, `extra` carries machine-readable facts (a current ETag, a holder).
    """

    code = "problem"
    title = "The request was refused"

    def __init__(self, detail: str, *, fix: Sequence[str] = (), **extra: Extra) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = tuple(fix)
        self.extra = extra

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the same request may work, if waiting helps."""
        seconds = self.extra.get("retry_after")
        return float(seconds) if isinstance(seconds, int | float) else None


class BadRequest(Problem):
    """The request cannot be understood, or its form is not allowed."""

    code = "bad_request"
    title = "The request is not valid"


class EmptyLine(BadRequest):
    """Nothing was asked; the answer is the first page of help."""

    code = "empty"
    title = "Nothing was asked"


class NotACommand(BadRequest):
    """The text is not a command at all, such as a path or a sentence."""

    code = "not_a_command"
    title = "This is not a command"


class UnknownCommand(BadRequest):
    """No command has this name; the nearest ones are in `suggestions`."""

    code = "unknown_command"
    title = "No such command"


class UnknownFlag(BadRequest):
    """The command has no such flag or field; the nearest ones are in `suggestions`."""

    code = "unknown_flag"
    title = "No such flag"


class InvalidArgument(BadRequest):
    """A value does not fit its argument."""

    code = "invalid_argument"
    title = "A value does not fit"


class NotRunnable(InvalidArgument):
    """A person may run the command, but no schedule, trigger or webhook may."""

    code = "not_runnable"
    title = "Only a person may run this"


class InvalidJson(BadRequest):
    """The bytes are not strict JSON."""

    code = "invalid_json"
    title = "The body is not valid JSON"


class InvalidQuery(BadRequest):
    """A query parameter is unknown or has a bad value."""

    code = "invalid_query"
    title = "A query parameter is not valid"


class InvalidHeader(BadRequest):
    """A request header cannot be read."""

    code = "invalid_header"
    title = "A header is not valid"


class TooLarge(Problem):
    """More bytes than this door accepts."""

    code = "too_large"
    title = "The message is too large"


class UnsupportedMedia(Problem):
    """The body says of itself that it is not JSON."""

    code = "unsupported_media_type"
    title = "The body must be JSON"


class Unauthenticated(Problem):
    """No credential was given, or it is not accepted."""

    code = "unauthenticated"
    title = "You are not signed in"


class Forbidden(Problem):
    """The caller is known but may not do this."""

    code = "forbidden"
    title = "You may not do this"


class MissingScope(Forbidden):
    """The principal lacks the scope that the command asks for."""

    code = "missing_scope"
    title = "A scope is missing"

    def __init__(self, scope: str, *, who: str) -> None:
        super().__init__(
            f"{who} lacks the scope {scope}",
            fix=[f"ask an admin for the scope {scope}", "whoami"],
            scope=scope,
        )


class NotLinked(Forbidden):
    """The sender is not linked to a person; only help, whoami and link work."""

    code = "not_linked"
    title = "This account is not linked to a person"


class AssuranceTooLow(Forbidden):
    """The command wants a better proof of who asks than this channel gave."""

    code = "assurance_too_low"
    title = "This command needs a stronger sign-in"


class StepUpRequired(Forbidden):
    """What cannot be taken back is never asked for at this door."""

    code = "step_up_required"
    title = "Ask for this where you are signed in"


class NotFound(Problem):
    """Absent, or another tenant's: the answer is the same."""

    code = "not_found"
    title = "There is no such thing"

    def __init__(self, what: str, *, fix: Sequence[str] = (), **extra: Extra) -> None:
        super().__init__(f"{what} does not exist", fix=fix, **extra)


class Conflict(Problem):
    """The present state forbids it."""

    code = "conflict"
    title = "The present state forbids it"


class AlreadyExists(Conflict):
    """The name or id is taken."""

    code = "already_exists"
    title = "It exists already"


class IllegalMove(Conflict):
    """The state machine has no such step, or a rule of it is not met."""

    code = "illegal_move"
    title = "This step is not allowed now"


class LeaseHeld(Conflict):
    """Another holder has the lease and it has not expired."""

    code = "lease_held"
    title = "Somebody else holds the lease"

    def __init__(
        self, resource: str, *, lock_id: str, holder: str, expires_in: timedelta
    ) -> None:
        super().__init__(
            f"{resource} is leased to {holder}",
            fix=[f"lease show {lock_id}"],
            holder=holder,
            lock_id=lock_id,
            retry_after=max(1, round(expires_in.total_seconds())),
        )


class LeaseLost(Conflict):
    """The fence is not the current one; the holder must stop its work."""

    code = "lease_lost"
    title = "The lease is no longer yours"


class NeedsConfirmation(Conflict):
    """A proposal was stored; the same command runs once it is confirmed."""

    code = "confirmation_required"
    title = "Confirm this command"


class InFlight(Conflict):
    """The same request is being worked on right now."""

    code = "in_flight"
    title = "The same request is in flight"


class ChannelOff(Conflict):
    """An administrator disabled the channel."""

    code = "channel_disabled"
    title = "The channel is disabled"


class CommandDisabled(Conflict):
    """The plugin that brings the command failed, so nobody can ask for it."""

    code = "command_disabled"
    title = "The command is disabled"


class Cancelled(Conflict):
    """The client asked not to be told the outcome of a command."""

    code = "cancelled"
    title = "The command was cancelled"


class TooManySessions(Conflict):
    """One person has as many sessions open as are allowed."""

    code = "too_many_sessions"
    title = "Too many sessions are open"


class LinkExpired(Problem):
    """A signed link was good until a moment that is past."""

    code = "link_expired"
    title = "The link is not good any more"


class KeyReused(Problem):
    """An idempotency key came back with another body."""

    code = "idempotency_key_reused"
    title = "The idempotency key belongs to another request"


class StaleVersion(Problem):
    """If-Match names an older version; `etag` is the current one."""

    code = "stale_version"
    title = "It was changed since you read it"

    def __init__(
        self, what: str, *, etag: str, changed_by: str = "", **extra: Extra
    ) -> None:
        by = f" by {changed_by}" if changed_by else ""
        super().__init__(
            f"{what} was changed{by} since you read it",
            fix=["read it again, then repeat with the current etag"],
            etag=etag,
            **({"changed_by": changed_by} if changed_by else {}),
            **extra,
        )


class PreconditionRequired(Problem):
    """If-Match is missing where it must be given."""

    code = "precondition_required"
    title = "If-Match is required"


class RateLimited(Problem):
    """A limit is used up for now."""

    code = "rate_limited"
    title = "Too many commands"

    def __init__(self, limit: str, *, scope: str, retry_after: float) -> None:
        seconds = max(1, round(retry_after))
        super().__init__(
            f"the limit of {limit} for {scope} is used up; {seconds} s left",
            fix=[f"wait {seconds} s"],
            limit=limit,
            limit_scope=scope,
            retry_after=seconds,
        )


class Unavailable(Problem):
    """The service cannot do it now; nothing was stored."""

    code = "unavailable"
    title = "The service is not available"

    def __init__(
        self, detail: str, *, retry_after: float = 1, fix: Sequence[str] = ()
    ) -> None:
        helps = fix or [f"try again in {retry_after:g} s"]
        super().__init__(detail, fix=helps, retry_after=retry_after)


class TookTooLong(Problem):
    """A command that needs the world outside got no answer from it in time."""

    code = "took_too_long"
    title = "The other side did not answer in time"


class PluginFailed(Problem):
    """A command of a plugin failed and is undone; whoever may see plugins reads why."""

    code = "plugin_failed"
    title = "The plugin is faulty"


class SealBroken(Unavailable):
    """A stored secret cannot be opened: moved, changed, or its key is gone."""

    code = "seal_broken"
    title = "A stored secret cannot be opened"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"a stored secret cannot be opened: {why}",
            retry_after=60,
            fix=["store the secret again", "restore the keystore from its backup"],
        )
