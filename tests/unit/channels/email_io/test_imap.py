"""One connection: what it reads, and how it ends when the server misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from channels.email.imap import ImapConnection, connect
from channels.email.mailbox import MailboxLost, MailboxRefused
from channels.email.servers import MailServer, parse_imap
from channels.testing.mailbox import ImapFault, Letter, MailboxSimulator

OPS, ANN = "ops@example.org", "ann@example.org"
DEADLINE = 0.5


@pytest.fixture
async def mailbox() -> AsyncIterator[MailboxSimulator]:
    simulator = MailboxSimulator()
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
def server(mailbox: MailboxSimulator) -> MailServer:
    return parse_imap(mailbox.imap_url(OPS))


def write(mailbox: MailboxSimulator, text: str = "!task list") -> None:
    mailbox.write(Letter(sender=ANN, to=OPS, subject="hello", text=text))


async def open_inbox(connection: ImapConnection, server: MailServer) -> int:
    await connection.log_in(server)
    return (await connection.select("INBOX")).uid_next


async def test_mails_are_listed_and_fetched_unread(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    write(mailbox, "first")
    write(mailbox, "second (with one parenthesis")

    async with connect(server, most_bytes=10**6) as connection:
        assert await open_inbox(connection, server) == 3
        assert await connection.list_after(0) == [1, 2]
        assert await connection.list_after(1) == [2]
        assert await connection.list_after(2) == []
        assert await connection.list_since(datetime.now(UTC).date()) == [1, 2]
        raw = await connection.fetch(2, most_bytes=10**5)
        assert raw is not None
        assert raw == mailbox.received(OPS)[1].raw
        assert await connection.size(2) == len(raw)

    assert mailbox.folder(OPS).mails[1].flags == set()


async def test_long_mail_can_be_fetched_in_part(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    write(mailbox, "x" * 900)

    async with connect(server, most_bytes=10**6) as connection:
        await open_inbox(connection, server)
        part = await connection.fetch(1, most_bytes=100)
        head = await connection.fetch_head(1, most_bytes=10**4)

    whole = mailbox.received(OPS)[0].raw
    assert part == whole[:100]
    assert head is not None
    assert whole.startswith(head)
    assert head.endswith(b"\r\n\r\n")


async def test_mail_that_is_gone_is_none(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    write(mailbox)

    async with connect(server, most_bytes=10**6) as connection:
        await open_inbox(connection, server)
        mailbox.folder(OPS).remove(lambda mail: mail.uid == 1)
        assert await connection.size(1) is None
        assert await connection.fetch(1, most_bytes=10**5) is None


async def test_idle_ends_when_a_mail_comes(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    async with connect(server, most_bytes=10**6) as connection:
        await open_inbox(connection, server)
        await connection.list_after(0)
        asyncio.get_running_loop().call_later(0.05, write, mailbox)
        assert await connection.wait(20)
        assert await connection.list_after(0) == [1]


async def test_mail_that_came_before_idle_is_not_overlooked(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    async with connect(server, most_bytes=10**6) as connection:
        await open_inbox(connection, server)
        await connection.list_after(0)
        write(mailbox)
        assert await connection.size(7) is None
        assert await connection.wait(20)


async def test_server_without_idle_is_asked_again(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    mailbox.imap.has_idle = False

    async with connect(server, most_bytes=10**6) as connection:
        await open_inbox(connection, server)
        await connection.list_after(0)
        write(mailbox)
        await connection.wait(0.05)
        assert await connection.list_after(0) == [1]


async def test_quiet_idle_ends_in_time_and_proves_the_server_alive(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    async with connect(server, most_bytes=10**6) as connection:
        await open_inbox(connection, server)
        await connection.list_after(0)
        assert not await connection.wait(0.05)


@pytest.mark.parametrize(
    "fault",
    [
        ImapFault.BYE,
        ImapFault.HANG,
        ImapFault.CUT_LITERAL,
        ImapFault.GARBAGE,
        ImapFault.SLOW_GREETING,
    ],
)
async def test_every_fault_ends_the_connection(
    mailbox: MailboxSimulator, server: MailServer, fault: ImapFault
) -> None:
    write(mailbox)
    mailbox.faults.plan(fault)

    with pytest.raises(MailboxLost):
        await walk(server)


async def test_half_open_connection_is_noticed_at_the_next_sign_of_life(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    with pytest.raises(MailboxLost):
        await walk(server, mailbox.imap.freeze)


async def test_half_open_connection_is_noticed_during_idle(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    async def idle() -> None:
        async with connect(server, most_bytes=10**6, deadline=DEADLINE) as connection:
            await open_inbox(connection, server)
            await connection.list_after(0)
            asyncio.get_running_loop().call_later(0.05, mailbox.imap.freeze)
            await connection.wait(0.3)

    with pytest.raises(MailboxLost):
        await idle()


async def test_server_that_stops_ends_the_connection(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    async def idle() -> None:
        async with connect(server, most_bytes=10**6, deadline=DEADLINE) as connection:
            await open_inbox(connection, server)
            await connection.list_after(0)
            stopping = asyncio.create_task(mailbox.imap.stop())
            try:
                await connection.wait(20)
            finally:
                await stopping

    with pytest.raises(MailboxLost):
        await idle()


async def test_wrong_password_is_refused_with_a_fix(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    mailbox.faults.plan(ImapFault.REFUSE_LOGIN)

    with pytest.raises(MailboxRefused) as refusal:
        await walk(server)

    assert "OPSWIRE_EMAIL__IMAP_URL" in refusal.value.fix
    assert server.password not in str(refusal.value)


async def test_nobody_at_the_port_ends_the_connection(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    await mailbox.imap.stop()

    with pytest.raises(MailboxLost):
        await walk(server)


async def test_flood_ends_the_connection(
    mailbox: MailboxSimulator, server: MailServer
) -> None:
    write(mailbox, "x" * 50_000)

    async with connect(server, most_bytes=10_000, deadline=DEADLINE) as connection:
        await open_inbox(connection, server)
        with pytest.raises(MailboxLost, match="more than was asked for"):
            await connection.fetch(1, most_bytes=10**6)


async def test_oauth_token_signs_in(mailbox: MailboxSimulator) -> None:
    login, _, place = mailbox.imap_url(OPS).partition("@127")
    user, _, token = login.removeprefix("imap://").partition(":")
    server = parse_imap(f"imap://{user};AUTH=XOAUTH2:{token}@127{place}")

    async with connect(server, most_bytes=10**6, deadline=DEADLINE) as connection:
        assert server.token
        assert await open_inbox(connection, server) == 1


async def walk(server: MailServer, before: Callable[[], object] | None = None) -> None:
    """Do what a reader does, once."""
    async with connect(server, most_bytes=10**6, deadline=DEADLINE) as connection:
        await open_inbox(connection, server)
        if before is not None:
            before()
        await connection.list_after(0)
        await connection.fetch(1, most_bytes=10**5)
        await connection.wait(0.1)
