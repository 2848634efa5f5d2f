"""Sends the rings of the doorbell as messages of Celery."""

from collections.abc import Sequence
from typing import Any

from celery import Celery  # type: ignore[import-untyped]
from celery.exceptions import OperationalError  # type: ignore[import-untyped]
from redis.exceptions import RedisError

from gateway.workers.celery_app import QUEUE, TASK
from gateway.workers.doorbell import Ring

_ENOUGH = 1_000
_ANSWER_SECONDS = 2


class CeleryRing:
    """Puts messages into the queue, unless there are enough that nobody has taken."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def __call__(self, rings: Sequence[Ring]) -> int:
        """Send one message for each run; give how many were sent.

        Raises: ConnectionError when Redis does not answer within seconds.
        """
        options = {
            **self._app.conf.broker_transport_options,
            "socket_timeout": _ANSWER_SECONDS,
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0,
        }
        try:
            with self._app.connection_for_write(transport_options=options) as line:
                return self._send(line, rings)
        except (OperationalError, RedisError, OSError) as fault:
            raise ConnectionError(f"Redis: {fault}") from fault

    def _send(self, line: Any, rings: Sequence[Ring]) -> int:
        queue = self._app.amqp.queues[QUEUE].bind(line.default_channel)
        waiting = int(queue.queue_declare().message_count)
        room = max(_ENOUGH - waiting, 0)
        for tenant, run_id in rings[:room]:
            self._app.send_task(
                TASK,
                args=(tenant, run_id),
                connection=line,
                queue=QUEUE,
                retry=False,
                ignore_result=True,
            )
        return min(room, len(rings))
