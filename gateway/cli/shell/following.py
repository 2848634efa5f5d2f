"""`--wait` in the shell: what a line began is followed while other lines are typed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from commands.times import is_duration, parse_duration
from commands.tokens import tokenise
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply
from gateway.cli import waiting
from gateway.cli.shell.link import Link

_FLAG = "--wait"
_WAIT_UNLESS_SAID = "90s"


def without_wait(line: str) -> tuple[str, float]:
    """Take `--wait`, and how long, out of a line.

    Shape:  the line as it was and 0 when it has no such flag, or none that can be read:
            the gateway says what is wrong with it.
    """
    tokens = tokenise(line, 0).tokens
    for place, token in enumerate(tokens):
        if token.key != _FLAG:
            continue
        end, length = token.end, token.text
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if not length and following and is_duration(following.text):
            end, length = following.end, following.text
        try:
            seconds = parse_duration(length or _WAIT_UNLESS_SAID).total_seconds()
        except InvalidArgument:
            return line, 0.0
        return f"{line[: token.start]}{line[end:]}".strip(), seconds
    return line, 0.0


async def follow(
    link: Link, begun: Reply, tell: Callable[[str], None], *, seconds: float
) -> Reply:
    """Tell what happens to what a line began, and show how it stands in the end."""
    target = waiting.target_of(begun)
    story = waiting.Story(target=target, tell=tell)
    async with _followed(link, story) as is_over:
        stands = await _standing(link, target)
        if waiting.is_over(stands):
            return stands
        try:
            async with asyncio.timeout(seconds):
                await is_over.wait()
        except TimeoutError:
            pass
    return await _standing(link, target)


@asynccontextmanager
async def _followed(link: Link, story: waiting.Story) -> AsyncIterator[asyncio.Event]:
    is_over = asyncio.Event()

    def take(event: waiting.Event) -> None:
        story.take(event)
        if story.is_over:
            is_over.set()

    subscription = await link.subscribe(story.target, take)
    try:
        yield is_over
    finally:
        await link.unsubscribe(subscription)


async def _standing(link: Link, target: str) -> Reply:
    _, reply = await link.ask(waiting.show_line(target))
    return await reply
