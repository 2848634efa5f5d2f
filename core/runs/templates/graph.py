"""In which order steps run: after all that they need, else as they are written."""

from collections.abc import Mapping, Sequence


def order(needs: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """Put names in an order in which each comes after what it needs.

    Shape:  stable: of those that could be next, the one that stands first. The second
            list holds those that need each other in a circle, or come after one.
            Needs that are no names are ignored.
    """
    done: list[str] = []
    left = list(needs)
    while left:
        ready = next((each for each in left if not _misses(each, needs, done)), None)
        if ready is None:
            return done, left
        done.append(ready)
        left.remove(ready)
    return done, []


def circle(needs: Mapping[str, Sequence[str]], among: Sequence[str]) -> list[str]:
    """Follow the needs of names that cannot be ordered until one comes again."""
    path: list[str] = [among[0]]
    while True:
        following = next(each for each in needs[path[-1]] if each in among)
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)


def _misses(name: str, needs: Mapping[str, Sequence[str]], done: Sequence[str]) -> bool:
    return any(each in needs and each not in done for each in needs[name])
