"""A line over Redis: publish and subscribe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

CHANNEL = "opswire:wakes"

_CONNECT_SECONDS = 2
_PROBE_SECONDS = 15


class RedisLine:
    """One line; who listens waits as long as it takes, who sends does not."""

    def __init__(self, told: Redis, heard: PubSub) -> None:
        self._told = told
        self._heard = heard

    async def send(self, text: str) -> None:
        """Publish to everybody who subscribed.

        Raises: ConnectionError.
        """
        try:
            await self._told.publish(CHANNEL, text)
        except RedisError as fault:
            raise ConnectionError(f"PUBLISH failed: {fault}") from fault

    async def listen(self) -> AsyncIterator[str]:
        """Yield what everybody publishes.

        Raises: ConnectionError.
        """
        try:
            async for message in self._heard.listen():
                yield message["data"]
        except RedisError as fault:
            raise ConnectionError(f"SUBSCRIBE failed: {fault}") from fault


@asynccontextmanager
async def open_redis_line(url: str) -> AsyncIterator[RedisLine]:
    """Connect twice, and subscribe.

    Raises: ConnectionError.
    """
    try:
        async with (
            _client(url, socket_timeout=_CONNECT_SECONDS) as told,
            _client(url, socket_timeout=None) as heard,
            heard.pubsub(ignore_subscribe_messages=True) as channel,
        ):
            await channel.subscribe(CHANNEL)
            # The answer to it is not given out, but has come when this returns.
            await channel.get_message(timeout=_CONNECT_SECONDS)
            yield RedisLine(told, channel)
    except RedisError as fault:
        raise ConnectionError(f"no line to Redis: {fault}") from fault


def _client(url: str, *, socket_timeout: float | None) -> Redis:
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=socket_timeout,
        health_check_interval=_PROBE_SECONDS,
        retry=None,
    )
