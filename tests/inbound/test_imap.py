"""A mailbox by IMAP, on a real server: what is handled is moved, the rest is left alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from repermit.domain.standing import Standing
from repermit.errors import MailboxUnusable
from repermit.inbound.emptying import ImapBox
from repermit.inbound.imap import HANDLED, QUARANTINE, ImapAt
from repermit.inbound.tree import MOST_BYTES
from repermit.ledger.engine import Ledger
from tests.builders import admit, asked, claim, settle, standings
from tests.inbound.desks import FORGED, a_bounce, a_desk, a_stranger
from tests.inbound.dovecot import PLAIN, PLAINEST, Dovecot, dovecot

pytestmark = pytest.mark.sqlite  # a maildir is settled the same way, on both databases

_UNDELIVERED = "Undelivered Mail Returned to Sender"


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    """A server for all tests that do not need one of their own."""
    with dovecot() as server:
        yield server


@pytest.fixture
def server(running: Dovecot) -> Dovecot:
    """That server with nothing in it."""
    for folder in running.folders():
        with running.client(folder) as client:
            _, (numbers,) = client.search(None, "ALL")
            for number in numbers.split():
                client.store(number, "+FLAGS", r"(\Deleted)")
            client.expunge()
    return running


async def read(ledger: Ledger, at: ImapAt) -> ImapBox:
    """Empty the mailbox, as a process of its own would."""
    box = ImapBox(a_desk(ledger), at)
    await box.empty()
    return box


@contextlib.contextmanager
def cut(port: int, at: bytes) -> Iterator[int]:
    """Hand on what a client says to the server on *port*, until it says *at*; then hang up on
    both. Yields the port to connect to."""
    listening = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket, end: bytes | None) -> None:
        with contextlib.suppress(OSError):
            while (said := source.recv(65536)) and (end is None or end not in said):
                sink.sendall(said)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def hand_on(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=pump, args=(server, client, None))
            back.start()
            pump(client, server, at)
            back.join()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                hand_on(listening.accept()[0])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
async def test_what_is_settled_is_moved_and_what_is_not_ours_stays_unseen(
    a_ledger: Ledger, server: Dovecot, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    one, two = await asked(a_ledger, "a@one.example", "b@one.example")
    server.put(a_bounce(one), a_bounce(two, names=FORGED), a_stranger("lunch"))
    server.put(a_bounce(one, padding=MOST_BYTES))

    box = await read(a_ledger, server.at(tls=tls))

    assert await standings(a_ledger) == {one: "undeliverable", two: "asked"}
    assert server.subjects(which="UNSEEN") == ["lunch"]
    assert server.subjects(HANDLED) == [_UNDELIVERED] * 2
    assert server.subjects(QUARANTINE) == [_UNDELIVERED]
    assert (box.desk.tally.read, box.desk.tally.quarantined) == (4, 1)


async def test_what_is_not_ours_is_fetched_once(a_ledger: Ledger, server: Dovecot) -> None:
    server.put(*(a_stranger() for _ in range(3)))
    assert (await read(a_ledger, server.at())).desk.tally.by_outcome == {"not_ours": 3}
    server.put(a_stranger("new"))

    assert (await read(a_ledger, server.at())).desk.tally.by_outcome == {"not_ours": 1}
    assert len(server.subjects(which="UNSEEN")) == 4


async def test_what_is_on_its_way_stays(a_ledger: Ledger, server: Dovecot) -> None:
    (one,) = await admit(a_ledger, "a@one.example")
    await claim(a_ledger, one)
    server.put(a_bounce(one))
    assert (await read(a_ledger, server.at())).desk.tally.waiting == 1
    assert server.subjects() == [_UNDELIVERED]

    assert await settle(a_ledger, one, Standing.ASKED)
    await read(a_ledger, server.at())

    assert server.subjects() == []
    assert await standings(a_ledger) == {one: "undeliverable"}


@pytest.mark.parametrize(
    ("prefix", "separator", "capability"),
    [
        ("INBOX.", ".", ""),
        ("", "/", PLAIN),
        ("", "/", PLAINEST),
        ("INBOX.", ".", f"{PLAIN} NAMESPACE"),
    ],
)
async def test_servers_of_every_kind_end_with_the_same(
    a_ledger: Ledger, prefix: str, separator: str, capability: str
) -> None:
    """Folders below INBOX only; without MOVE; without a way to expunge one message alone."""
    (one,) = await asked(a_ledger, "a@one.example")
    with dovecot(prefix=prefix, separator=separator, capability=capability) as server:
        server.put(a_bounce(one), a_stranger("lunch"), a_stranger("dinner"))
        with server.client() as client:
            client.store("3", "+FLAGS", r"(\Deleted)")  # by a person, who may think again

        await read(a_ledger, server.at())
        again = await read(a_ledger, server.at())

        assert again.desk.tally.read == 0
        assert {f"{prefix}{HANDLED}"} < server.folders()
        assert server.subjects(f"{prefix}{HANDLED}") == [_UNDELIVERED]
        assert server.subjects(which="UNDELETED") == ["lunch"]
        assert "dinner" in server.subjects()
        if "UIDPLUS" in (capability or "UIDPLUS"):
            assert server.subjects() == ["dinner", "lunch"]


async def test_another_folder_is_read_when_it_is_named(a_ledger: Ledger, server: Dovecot) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    with server.client() as client:
        client.create('"Terug-&AOk-n-weg"')
    server.put(a_bounce(one), folder='"Terug-&AOk-n-weg"')
    server.put(a_stranger("lunch"))

    box = await read(a_ledger, server.at(folder="Terug-én-weg"))

    assert await standings(a_ledger) == {one: "undeliverable"}
    assert box.desk.tally.read == 1


async def test_looking_changes_nothing(a_ledger: Ledger, server: Dovecot) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    server.put(a_bounce(one), a_stranger("lunch"))

    found = await ImapBox(a_desk(a_ledger), server.at()).look()

    assert len(found) == 2
    assert len(server.subjects(which="UNSEEN")) == 2
    assert await standings(a_ledger) == {one: "asked"}


@pytest.mark.parametrize("at", [b"FETCH", b"MOVE", b"SEARCH", b"CREATE", b"LIST"])
async def test_a_connection_that_is_lost_loses_nothing(
    a_ledger: Ledger, server: Dovecot, at: bytes
) -> None:
    ids = await asked(a_ledger, *(f"p{number}@one.example" for number in range(70)))
    server.put(*map(a_bounce, ids), a_bounce(ids[0], names=FORGED), a_stranger("lunch"))
    for folder in (HANDLED, QUARANTINE):
        with contextlib.suppress(AssertionError), server.client() as client:
            client.delete(folder)

    with cut(server.port, at) as port, pytest.raises(MailboxUnusable, match="hung up"):
        await read(a_ledger, server.at(port=port))
    await read(a_ledger, server.at())

    assert set((await standings(a_ledger)).values()) == {"undeliverable"}
    assert server.subjects() == ["lunch"]
    assert len(server.subjects(HANDLED)) == 70
    assert len(server.subjects(QUARANTINE)) == 1


async def test_two_at_once_settle_each_message_once(a_ledger: Ledger, server: Dovecot) -> None:
    """On two machines, say, for on one they wait for each other: a server may refuse to move what
    another is just moving, and then the next look moves it."""
    ids = await asked(a_ledger, *(f"p{number}@one.example" for number in range(150)))
    server.put(*map(a_bounce, ids))
    boxes = [ImapBox(a_desk(a_ledger), server.at()) for _ in range(2)]

    ends = await asyncio.gather(*(box.empty() for box in boxes), return_exceptions=True)
    last = await read(a_ledger, server.at())

    assert all(end is True or isinstance(end, MailboxUnusable) for end in ends), ends
    assert set((await standings(a_ledger)).values()) == {"undeliverable"}
    assert server.subjects() == []
    assert sum(box.desk.tally.by_outcome["settled"] for box in (*boxes, last)) == 150
    assert len(server.subjects(HANDLED)) >= 150, "some servers copy what two move at once"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"password": "wrong"}, "does not let us in with that user and password"),
        ({"user": "nobody"}, "does not let us in with that user and password"),
        ({"folder": "Bounces"}, "the mailbox has no folder Bounces, or it may only be read"),
        ({"folder": "an@telenet.example"}, "the mailbox has no folder the list, or it may only"),
        ({"tls": "tls"}, r"the certificate of the mail server localhost is refused \(self-signed"),
        ({"tls": "starttls"}, "the certificate of the mail server localhost is refused"),
        ({"host": "nobody.invalid"}, r"the mail server nobody\.invalid cannot be reached"),
    ],
)
async def test_what_keeps_it_from_being_read_is_a_line(
    a_ledger: Ledger, server: Dovecot, changes: dict[str, str], why: str
) -> None:
    with pytest.raises(MailboxUnusable, match=why) as refused:
        await read(a_ledger, server.at(**changes))

    assert refused.value.hint
    assert "\n" not in str(refused.value)


async def test_a_server_that_says_nothing_is_waited_for_no_longer_than_its_time(
    a_ledger: Ledger,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for tls in ("none", "tls"):
            with pytest.raises(MailboxUnusable, match="does not answer in time"):
                await read(
                    a_ledger,
                    ImapAt("127.0.0.1", port, tls, "an", "x", timeout=0.2),
                )


async def test_what_speaks_another_language_is_a_line(a_ledger: Ledger, server: Dovecot) -> None:
    with pytest.raises(MailboxUnusable, match="TLS handshake"):
        await read(a_ledger, server.at(tls="tls", port=server.port))
