"""`ops login`: exchange a one-time link or a password for a session kept here."""

from dataclasses import replace
from urllib.parse import urlsplit

import click
import orjson

from gateway.cli.client import Client
from gateway.cli.exits import Exit, exit_of
from gateway.cli.remote import reply_of
from gateway.cli.session import Key, SavedSession
from gateway.cli.terminal import Terminal


@click.command()
@click.argument("link", required=False)
@click.option("--user", help="Sign in with this name and a password.")
@click.pass_obj
def login(terminal: Terminal, link: str | None, user: str | None) -> Exit:
    """Sign in with the LINK (or its token) that `ops serve` or an admin gave you.

    Without a LINK, --user asks for a password. The session is kept in a file that only
    you can read, and renews itself.
    """
    if bool(link) == bool(user):
        raise click.UsageError("give a LINK, or --user NAME")
    here, token = _place(terminal, link or "")
    body = {"token": token} if link else {"name": user, "password": _password(terminal)}
    client = Client(url=here.url, credential=Key(), pause=here.pause)
    answer = client.post("/auth/login", body)
    if answer.status != 200:
        refusal = reply_of(answer, here.url)
        terminal.show(refusal)
        return exit_of(refusal)
    SavedSession(here).save(orjson.loads(answer.body), here.url)
    terminal.say(f"signed in to {here.url}")
    return Exit.OK


def _place(terminal: Terminal, link: str) -> tuple[Terminal, str]:
    """Find the gateway and the token in a link; a bare token is for the usual one."""
    parts = urlsplit(link)
    if not (parts.scheme and parts.netloc and parts.fragment):
        return terminal, parts.fragment or link
    path = parts.path.removesuffix("/").removesuffix("/auth/link")
    url = f"{parts.scheme}://{parts.netloc}{path}"
    return replace(
        terminal, environ={**terminal.environ, "OPSWIRE_URL": url}
    ), parts.fragment


def _password(terminal: Terminal) -> str:
    if terminal.can_ask:
        return str(click.prompt("Password", hide_input=True, err=True))
    return terminal.source.readline().rstrip("\r\n")
