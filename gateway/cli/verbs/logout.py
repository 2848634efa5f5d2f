"""`ops logout`: end the session and forget it."""

import click

from core.kernel.problems import Unavailable
from gateway.cli.client import Client
from gateway.cli.session import Key, SavedSession
from gateway.cli.terminal import Terminal


@click.command()
@click.pass_obj
def logout(terminal: Terminal) -> None:
    """Sign out of the gateway and remove the session from this machine."""
    saved = SavedSession(terminal)
    if saved.session is None:
        terminal.say(f"you are not signed in to {terminal.url}")
        return
    client = Client(url=terminal.url, credential=Key(), pause=terminal.pause)
    try:
        client.post("/auth/logout", {"refresh_token": saved.session.refresh_token})
    except Unavailable as fault:
        terminal.say(f"{fault.detail}; the session is forgotten here and expires there")
    saved.forget()
    terminal.say(f"signed out of {terminal.url}")
