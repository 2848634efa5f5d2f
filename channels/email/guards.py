"""The guard line: `!only lane=B` lets nothing pass that does not say the same; pure.

It is there for whoever sends several commands at once, or lets a program send them: a
command counts as within the guard only when it says itself what the guard asks for, for
what a command leaves open may turn out as anything.
"""

from collections.abc import Mapping

from channels.email.lines import pairs_of
from core.kernel.problems import InvalidArgument


def parse_guard(rest: str) -> Mapping[str, str]:
    """Read what stands behind `!only`.

    Raises: InvalidArgument when it asks for nothing.
    """
    guard = dict(pairs_of(rest))
    if not guard:
        raise InvalidArgument(
            "!only names nothing that must hold", fix=["write !only lane=B"]
        )
    return guard


def require_within(command: str, guard: Mapping[str, str]) -> None:
    """Refuse a command that does not itself say all that its guard asks for.

    Raises: InvalidArgument, so that none of the mail's commands runs.
    """
    said = list(pairs_of(command)) if guard else []
    for name, wanted in guard.items():
        values = [value for key, value in said if key == name]
        if not values or any(each.casefold() != wanted.casefold() for each in values):
            # No more of it than its name: what follows may be a secret.
            name_of = " ".join(command.split()[:2])
            raise InvalidArgument(
                f"{name_of!r} does not say {name}={wanted}, as !only asks; nothing was run",
                fix=[f"add --{name} {wanted}, or leave !only out"],
            )
