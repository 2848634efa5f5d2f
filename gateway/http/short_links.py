"""The links that replies carry: until there is a page for each, how to read it again."""

import re

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

_REPLY = re.compile(r"r[pq]_[0-9A-Z]{26}")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{id}</title></head>
<body><h1>Reply {id}</h1><p>Read it, as somebody who may:</p>
<pre>ops reply show {id}
GET /v1/replies/{id}</pre></body></html>
"""


def short_links() -> APIRouter:
    """Build the routes; they show no data, for whoever opens a link is not signed in."""
    router = APIRouter(include_in_schema=False)

    @router.get("/r/{reply}")
    async def reply_link(reply: str) -> HTMLResponse:
        if not _REPLY.fullmatch(reply):
            raise HTTPException(404)
        return HTMLResponse(_PAGE.format(id=reply))

    return router
