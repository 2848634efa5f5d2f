"""A Celery application with one task that does nothing; its URL comes by REDIS_URL."""

import os

from celery import Celery  # type: ignore[import-untyped]

app = Celery("noop", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=16)


@app.task  # type: ignore[untyped-decorator] # Celery has no types.
def noop() -> int:
    """Do nothing."""
    return 0
