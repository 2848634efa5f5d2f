"""`--wait` in the shell: what a line began is followed while other lines are typed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from commands.names import PLAIN_WORDS
from commands.times import is_duration, parse_duration
from commands.tokens import tokenise
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply, ReplyStatus
from gateway.cli import waiting
from gateway.cli.shell.link import Link

_FLAG = "--wait"
_CONSENT = "--confirm"
_ABOUT_PROPOSALS = ("confirm", "cancel")
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


class Patience:
    """How long what is to be confirmed first is waited for, once it is."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def of(self, line: str) -> float:
        """Tell for how long a line that confirms something waits; 0 for no other."""
        return self._seconds.get(self._token_of(line), 0.0)

    def learn(self, line: str, answer: Reply, seconds: float) -> None:
        """Note what an answer asks to confirm, and what is confirmed or dropped."""
        if answer.status is ReplyStatus.NEEDS_CONFIRMATION:
            self._seconds[str(answer.data.get("token", ""))] = seconds
        elif answer.error is None:
            self._seconds.pop(self._token_of(line), None)

    def _token_of(self, line: str) -> str:
        """Name the proposal that a line is about; a bare `y` means the newest one."""
        tokens = tokenise(line, 0).tokens
        words = [token.text.lower() for token in tokens[:2]]
        if len(words) == 1:
            words = [PLAIN_WORDS.get(words[0].rstrip(".!"), words[0])]
        if words and words[0] in _ABOUT_PROPOSALS:
            return words[1] if len(words) > 1 else next(reversed(self._seconds), "")
        for token, after in zip(tokens, (*tokens[1:], None), strict=True):
            if token.key == _CONSENT:
                return token.text or (after.text if after else "")
        return ""


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
