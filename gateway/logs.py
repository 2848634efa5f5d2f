"""Structured logs: one JSON object a line, with the request, tenant and trace ids."""

import logging
import sys
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from core.kernel.sanitise import sanitise

PASSED_ON = (
    "request_id",
    "tenant",
    "trace_id",
    "ticker",
    "error",
    "channel",
    "account",
    "phase",
    "reason",
    "waited",
    "plugin",
    "command",
    "seconds",
    "port",
    "url",
    "run_id",
    "worker",
    "busy",
)


def set_up_logs(level: str, *, stream: TextIO = sys.stderr) -> None:
    """Send all log events of this process to `stream`: JSON, or aligned on a terminal."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=PASSED_ON),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _sanitised,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer()
        if stream.isatty()
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel("WARNING")


def _sanitised(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep terminal escapes that somebody sent out of the log."""
    return {
        key: sanitise(value) if isinstance(value, str) else value
        for key, value in event.items()
    }
