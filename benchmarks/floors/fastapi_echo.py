"""The HTTP floor of our stack: FastAPI validates a body and sends it back."""

from fastapi import FastAPI
from pydantic import BaseModel


class Line(BaseModel):
    """The body that every floor receives and answers."""

    line: str


def create_app() -> FastAPI:
    """Build the echo."""
    app = FastAPI()

    @app.get("/readyz")
    async def readyz() -> dict[str, bool]:
        return {"ready": True}

    @app.post("/echo")
    async def echo(body: Line) -> Line:
        return body

    return app
