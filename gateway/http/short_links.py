"""The links that replies carry: a page for each id that says how to read it."""

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from commands.registry import Registry
from core.kernel.ids import NUMBERED, PREFIX_NOUNS

_REPLY = re.compile(r"r[pq]_[0-9A-Z]{26}")
_STEP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./ -]{0,99}")
_IN_PATH = re.compile(r"{\w+}")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{id}</title></head>
<body><h1>{noun} {id}</h1><p>Read it, as somebody who may:</p>
<pre>{lines}</pre></body></html>
"""


def short_links(registry: Registry) -> APIRouter:
    """Build the route; it shows no data, for whoever opens a link is not signed in."""
    router = APIRouter(include_in_schema=False)

    @router.get("/r/{reply}")
    async def reply_link(request: Request, reply: str) -> HTMLResponse:
        lines = lines_for(registry, reply, step=request.query_params.get("step", ""))
        if not lines:
            raise HTTPException(404)
        page = _PAGE.format(
            id=escape(reply),
            noun=noun_of(reply).capitalize(),
            lines=escape("\n".join(lines)),
        )
        return HTMLResponse(page)

    return router


def noun_of(identifier: str) -> str:
    """Name what kind of thing an id is of; "" for none of ours."""
    if _REPLY.fullmatch(identifier):
        return "reply"
    is_numbered = NUMBERED.fullmatch(identifier)
    return PREFIX_NOUNS.get(identifier.partition("-")[0], "") if is_numbered else ""


def lines_for(registry: Registry, identifier: str, *, step: str = "") -> Sequence[str]:
    """List the ways to read a thing; none for what nothing shows.

    Shape:  of a run whose step is named, what that printed comes first.
    """
    noun = noun_of(identifier)
    shown = _ways(registry, f"{noun} show", identifier) if noun else ()
    if noun != "run":
        return shown
    logs = _ways(registry, "run logs", identifier)
    if not _STEP.fullmatch(step):
        return (*shown, *logs)
    line, path = logs
    return (f"{line} --step '{step}'", f"{path}?step={quote(step)}", *shown)


def _ways(registry: Registry, name: str, identifier: str) -> Sequence[str]:
    """Write a command about a thing as a line, and as a request."""
    command = registry.find(name)
    if command is None or not command.routes:
        return ()
    path = _IN_PATH.sub(identifier, command.routes[0].path)
    return (f"ops {name} {identifier}", f"GET {path}")
