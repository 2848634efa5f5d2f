"""The page behind a login link; opening it does nothing, only its button does."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

_PAGES = Path(__file__).parent / "pages"
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def auth_pages() -> APIRouter:
    """Build the routes of the page and its script, read once from the package."""
    router = APIRouter(include_in_schema=False)
    for path, file, media_type in (
        ("/auth/link", "link.html", "text/html"),
        ("/auth/link.js", "link.js", "text/javascript"),
    ):
        body = (_PAGES / file).read_bytes()
        router.add_api_route(path, _page(body, media_type), methods=["GET"])
    return router


def _page(body: bytes, media_type: str) -> Callable[[], Awaitable[Response]]:
    async def page() -> Response:
        return Response(
            body, headers=_HEADERS, media_type=f"{media_type}; charset=utf-8"
        )

    return page
