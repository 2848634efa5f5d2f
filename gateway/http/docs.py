"""The API's description as JSON, as a page, and what each error means."""

import asyncio
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from commands.registry import Registry
from core.kernel.jsons import to_json
from core.kernel.version import VERSION
from gateway.error_list import ErrorEntry, error_entries
from gateway.http.openapi import document

_PAGES = Path(__file__).parent / "pages"
_HTML = "text/html; charset=utf-8"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{code}</title></head>
<body><h1>{title}</h1><p><code>{code}</code>, HTTP status {status}</p><p>{doc}</p>
<p><a href="/docs">All of the API</a></p></body></html>
"""


def docs_router(registry: Registry) -> APIRouter:
    """Build the routes; the page loads nothing from anywhere else.

    Shape:  the description is written when somebody asks, once for each set of
            commands, and off the event loop: it takes half a second, which no start
            should wait for.
    """
    router = APIRouter(include_in_schema=False)
    page = (_PAGES / "docs.html").read_bytes()
    policy = _policy(page)
    errors = {each.code: each for each in error_entries()}

    @router.get("/openapi.json")
    async def openapi() -> Response:
        body = await asyncio.to_thread(registry.derive, _described)
        return Response(body, media_type="application/json")

    @router.get("/docs")
    async def docs() -> Response:
        headers = {"content-security-policy": policy}
        return Response(page, media_type=_HTML, headers=headers)

    @router.get("/docs/errors/{code}")
    async def docs_error(code: str) -> Response:
        entry = errors.get(code.replace("-", "_"))
        if entry is None:
            raise HTTPException(404)
        return Response(_error_page(entry), media_type=_HTML)

    return router


def _described(registry: Registry) -> bytes:
    return to_json(document(registry, version=VERSION))


def _policy(page: bytes) -> str:
    """Allow the one script and the one style that stand in the page, and no other."""
    script, style = _hash_of(page, b"script"), _hash_of(page, b"style")
    return (
        f"default-src 'none'; connect-src 'self'; script-src '{script}'; "
        f"style-src '{style}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _hash_of(page: bytes, tag: bytes) -> str:
    inside = page.partition(b"<%s>" % tag)[2].partition(b"</%s>" % tag)[0]
    return f"sha256-{b64encode(sha256(inside).digest()).decode()}"


def _error_page(entry: ErrorEntry) -> str:
    return _PAGE.format(
        code=escape(entry.code),
        title=escape(entry.title),
        status=entry.status,
        doc=escape(entry.doc),
    )
