"""`ops doctor`: what works here, what does not, and the one command that mends it."""

import asyncio
import errno
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from core.database import is_sqlite, open_engine
from core.database.schema import SchemaState, schema_state
from core.kernel.jsons import Json, parse_json
from core.kernel.problems import Problem
from gateway.cli.client import Client
from gateway.cli.exits import Exit
from gateway.cli.remote import send_line
from gateway.cli.session import client_of
from gateway.cli.terminal import Terminal
from gateway.cli.verbs._settings import settings_with
from gateway.settings import Settings
from gateway.workers.executors.confines import sandbox_of

_LEAST_PYTHON = (3, 11)
_LEAST_NODE = (20, 19)
_CONSOLE = Path("console/package.json")


class Check(NamedTuple):
    """How one thing is; `fix` says what mends it when it is not ok."""

    name: str
    detail: str
    fix: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether nothing has to be done."""
        return not self.fix


@click.command()
@click.pass_obj
def doctor(terminal: Terminal) -> Exit:
    """Check Python, Node, data, database, sandbox, gateway, key and channels."""
    settings = settings_with()
    checks = [*machine_checks(settings), *gateway_checks(client_of(terminal), settings)]
    for check in checks:
        mark = "ok  " if check.is_ok else "fail"
        terminal.print(f"{mark}  {check.name:<9}{check.detail}\n")
        if check.fix:
            terminal.print(f"      {'':<9}fix: {check.fix}\n")
    return Exit.OK if all(check.is_ok for check in checks) else Exit.FAILED


def machine_checks(settings: Settings) -> Iterator[Check]:
    """Check what a gateway on this machine stands on."""
    yield check_python()
    yield check_node()
    yield check_data(settings.data)
    yield check_database(settings)
    yield check_sandbox(settings)


def gateway_checks(client: Client, settings: Settings) -> Iterator[Check]:
    """Check the gateway in use, and the key with which it is used."""
    try:
        answer = client.get("/readyz")
    except Problem:
        yield check_port(settings.host, settings.port)
        return
    if answer.status == 200:
        yield Check("gateway", f"{client.url} is ready")
        yield from check_reactions(answer.body)
    else:
        yield Check(
            "gateway", f"{client.url} answers {answer.status}", "look at its log"
        )
    key = check_key(client)
    yield key
    if key.is_ok:
        yield from check_channels(client)
        yield from check_plugins(client)


def check_python() -> Check:
    """Check that this Python is new enough."""
    detail = f"{platform.python_version()} at {sys.executable}"
    fix = "install Python 3.11 or newer" if sys.version_info < _LEAST_PYTHON else ""
    return Check("python", detail, fix)


def check_node() -> Check:
    """Check Node, which only building the console needs."""
    node = shutil.which("node")
    if node is None:
        fix = "install Node 20.19 or newer" if _CONSOLE.exists() else ""
        return Check("node", "none; only building the console needs it", fix)
    done = subprocess.run(  # noqa: S603 - a fixed argument, no shell
        [node, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    found = done.stdout.strip()
    numbers = tuple(
        int(each) for each in found.lstrip("v").split(".")[:2] if each.isdigit()
    )
    is_old = numbers < _LEAST_NODE
    return Check(
        "node",
        found or "does not start",
        "install Node 20.19 or newer" if is_old else "",
    )


def check_data(folder: Path) -> Check:
    """Check that the data folder, or the first one above it that exists, can be written."""
    there = next(
        each
        for each in (folder.absolute(), *folder.absolute().parents)
        if each.exists()
    )
    try:
        with tempfile.TemporaryFile(dir=there):
            return Check("data", f"{folder.absolute()} can be written")
    except OSError as fault:
        return Check(
            "data",
            f"{there}: {fault.strerror}",
            f"chown or chmod {there}, or set OPSWIRE_DATA",
        )


def check_database(settings: Settings) -> Check:
    """Check that the database answers and has this version's schema."""
    url = make_url(settings.database)
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return Check("database", f"{shown} will be made by `ops serve`")
    engine = open_engine(settings.database)
    try:
        state = schema_state(engine)
    except SQLAlchemyError as fault:
        where = "the file" if is_sqlite(engine) else "the server"
        return Check(
            "database",
            f"{shown}: {type(fault).__name__}",
            f"check {where} and DATABASE_URL",
        )
    finally:
        engine.dispose()
    fixes = {
        SchemaState.CURRENT: "",
        SchemaState.NEWER: "install the newer Opswire",
        SchemaState.MISSING: "ops migrate",
        SchemaState.OLD: "ops migrate",
    }
    return Check("database", f"{shown}: the schema is {state.value}", fixes[state])


def check_sandbox(settings: Settings) -> Check:
    """Check whether steps of runs that this machine does are kept from its data."""
    if asyncio.run(sandbox_of(settings).has_namespaces()):
        return Check("sandbox", "steps run in namespaces and do not see the data")
    is_required = settings.sandbox.isolation == "required"
    return Check(
        "sandbox",
        "steps have no namespaces: they can read what their worker reads",
        "allow user namespaces, or OPSWIRE_SANDBOX__ISOLATION=auto"
        if is_required
        else "",
    )


def check_port(host: str, port: int) -> Check:
    """Check that a gateway could listen, for none answers."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError as fault:
            fix = (
                f"ops serve --port {port + 1}"
                if fault.errno == errno.EADDRINUSE
                else ""
            )
            return Check(
                "gateway",
                f"none answers, and {host}:{port}: {fault.strerror}",
                fix or "set OPSWIRE_HOST",
            )
    return Check("gateway", f"none answers; {host}:{port} is free", "ops serve")


def check_key(client: Client) -> Check:
    """Check that the gateway knows who asks."""
    if not client.credential.token():
        return Check("key", "none", "ops login, or set OPSWIRE_API_KEY")
    try:
        reply = send_line(client, "whoami")
    except Problem as problem:
        return Check("key", problem.detail, "check OPSWIRE_URL")
    return Check("key", reply.summary, "ops login" if reply.error else "")


def check_channels(client: Client) -> Iterator[Check]:
    """Check that no channel is degraded, and that everything was delivered.

    Shape:  a channel that is off is as somebody wants it; without the right to see the
            channels there is nothing to tell.
    """
    listed = send_line(client, "channel list").data.get("items")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and (check := _channel(each)):
            yield check


def check_reactions(ready: bytes) -> Iterator[Check]:
    """Check that nothing that happened is too much for those who react to it."""
    parts = parse_json(ready)
    shown = parts.get("checks") if isinstance(parts, dict) else None
    found = shown.get("reactions") if isinstance(shown, dict) else None
    if isinstance(found, dict) and found.get("fix"):
        yield Check("reactions", str(found["detail"]), str(found["fix"]))


def check_plugins(client: Client) -> Iterator[Check]:
    """Check that no plugin is disabled, and that none has failed at its work.

    Shape:  without plugins, or the right to see them, there is nothing to tell.
    """
    listed = send_line(client, "plugin list").data.get("items")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict):
            name, fault = str(each["plugin"]), each["fault"] or each["last_raised"]
            detail = str(fault or f"{each['state']}, from {each['place']}")
            yield Check(name, detail, f"ops plugin show {name}" if fault else "")


def _channel(shown: Mapping[str, Json]) -> Check | None:
    """Tell of one channel; nothing of one that needs no account and works."""
    name, state, dead = str(shown["channel"]), str(shown["state"]), shown["dead"]
    if dead:
        fix = f"ops outbox list --status dead --channel {name}"
        return Check(name, f"{state}; {dead} not delivered", fix)
    if state == "degraded":
        return Check(name, str(shown["error"]), str(shown["fix"]))
    if not shown["accounts"] and state == "connected":
        return None
    return Check(name, f"{state}: {shown['fix']}" if shown["fix"] else state)
