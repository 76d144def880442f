"""The server on a real socket: who drips, holds the line, or speaks HTTP in a way of their own."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from repermit.cli.answers import answer_app
from repermit.respond.server import Patience, bound, room, serve_until
from tests.builders import FakeClock, asked
from tests.respond.builders import Site, served

pytestmark = pytest.mark.sqlite  # the server is the same, whatever the database

ADDRESS = "an@voorbeeld.example"
SHORT = Patience(request=0.5, idle=1, answer=1.0, connections=8)
ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
SECONDS = 30  # after which a test gives up
DRIPPING = 600  # connections


@asynccontextmanager
async def on_a_port(site: Site, patience: Patience = SHORT) -> AsyncIterator[int]:
    """Serve *site* on a port, for the length of a block."""
    stop = asyncio.Event()
    with bound("127.0.0.1", 0) as listening:
        app = answer_app(site.runtime, site.ledger)
        serving = asyncio.create_task(serve_until(app, listening, stop, patience=patience))
        try:
            yield int(listening.getsockname()[1])
        finally:
            stop.set()
            await serving


async def said(port: int, *pieces: bytes, then_listen: bool = True) -> bytes:
    """Send *pieces* one after another, and return everything until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return await asyncio.wait_for(reader.read(), SECONDS) if then_listen else b""
    except ConnectionError:
        return b""
    finally:
        writer.close()


def a_press(link: str, *headers: bytes, body: bytes = ONE_CLICK) -> bytes:
    """Return a one-click no as a mail program sends it, and the end of its connection."""
    length = b"Content-Length: %d\r\n" % len(body)
    head = b"POST " + link.encode() + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    return head + FORM + (b"".join(headers) or length) + b"\r\n" + body


# Who takes their time


def dripped(start: bytes, drop: bytes) -> Iterator[bytes]:
    """Yield a request that never ends."""
    yield start
    while True:
        yield drop


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
        (b"POST {link} HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n", b"a"),
        (b"POST {link} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"GET {link} HTTP/1.1\r\nHost: a\r\n\r\nGET {link} HTT", b""),
    ],
)
async def test_who_drips_is_cut_off_and_nothing_is_on_file(
    a_site: Site, start: bytes, drop: bytes
) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()
    link = a_site.link("u", an).encode()

    async with on_a_port(a_site) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ended = asyncio.create_task(reader.read())
        for piece in dripped(start.replace(b"{link}", link), drop):
            writer.write(piece)
            if (await asyncio.wait([ended], timeout=0.02))[0]:
                break
        writer.close()
        await asyncio.wait([ended])
        ended.exception()

    assert await a_site.everything() == before


async def asks_on(greedy: socket.socket, request: bytes) -> None:
    """Send *request* over and over, and read nothing."""
    while True:
        await asyncio.get_running_loop().sock_sendall(greedy, request)


def a_small_socket() -> socket.socket:
    """Return a socket that takes in little."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.setblocking(False)
    return small


async def test_who_does_not_take_what_they_asked_for_is_cut_off(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    request = b"GET " + a_site.link("yes", an).encode() + b" HTTP/1.1\r\nHost: a\r\n\r\n"

    async with on_a_port(a_site) as port:
        with a_small_socket() as greedy:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(greedy, ("127.0.0.1", port))
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(asks_on(greedy, request * 100), SECONDS)
        assert b"200 OK" in await said(port, a_press(a_site.link("u", an)))


async def test_who_stays_without_a_word_after_an_answer_is_hung_up_on(a_site: Site) -> None:
    async with on_a_port(a_site) as port:
        assert (await said(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")).endswith(b"ok\n")


async def test_those_who_hold_the_line_keep_nobody_out(a_site: Site) -> None:
    """Three times as many as there is room for, who would have an hour each."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    patience = Patience(request=3600, idle=3600, answer=3600, connections=8)

    async with on_a_port(a_site, patience) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(24)]
        answer = await asyncio.wait_for(said(port, a_press(a_site.link("u", an))), SECONDS)
        for _, writer in silent:
            writer.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert await a_site.standing(an) == "opted_out"


async def test_those_who_ask_on_and_take_no_answer_keep_nobody_out(a_site: Site) -> None:
    """All the room there is, held by requests whose answers nobody takes."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    patience = Patience(request=3600, idle=3600, answer=3600, connections=8)
    request = b"GET " + a_site.link("yes", an).encode() + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    loop = asyncio.get_running_loop()

    async with on_a_port(a_site, patience) as port:
        with ExitStack() as greedy:
            held = [greedy.enter_context(a_small_socket()) for _ in range(8)]
            for one in held:
                await loop.sock_connect(one, ("127.0.0.1", port))
            asking = [asyncio.create_task(asks_on(one, request)) for one in held]
            await asyncio.wait(asking, timeout=2)  # until nobody can send any more
            answer = await asyncio.wait_for(said(port, a_press(a_site.link("u", an))), SECONDS)

            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    assert answer.startswith(b"HTTP/1.1 200")


async def test_hundreds_who_drip_their_form_hold_up_nobody(a_site: Site) -> None:
    """More of them than presses may wait for the ledger; each has a link that is good."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    link = a_site.link("u", an)
    drips = a_press(link, b"Content-Length: 9999\r\n", body=b"answer=n")
    patience = Patience(request=3600, idle=3600, answer=3600, connections=DRIPPING + 8)

    async with on_a_port(a_site, patience) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(DRIPPING)]
        for _, writer in held:
            writer.write(drips)
            await writer.drain()
        await said(port, b"GET /healthz HTTP/1.0\r\n\r\n")  # by now each of them is being read
        for _, writer in held:
            writer.write(b"o")
        answer = await said(port, a_press(link))
        assert not any(reader.at_eof() for reader, _ in held)
        for _, writer in held:
            writer.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert await a_site.standing(an) == "opted_out"


@pytest.mark.parametrize("length", [b"Content-Length: 9999\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_press_on_a_forged_link_is_answered_before_its_form_is_read(
    a_site: Site, length: bytes
) -> None:
    """And then nobody listens to the rest of it: the server hangs up."""
    forged = a_site.link("u", 1)[:-9] + "AAAAAAAAA"
    patience = Patience(request=3600, idle=3600, answer=3600)

    async with on_a_port(a_site, patience) as port:
        head = a_press(forged, length, body=b"").replace(b"Connection: close\r\n", b"")
        answer = await said(port, head)

    assert answer.startswith(b"HTTP/1.1 404")


def test_there_is_room_for_some() -> None:
    assert 16 <= room() <= 2_000


# Who speaks in a way of their own


LONG = 200_000
_CHUNKED = b"Transfer-Encoding: chunked\r\n"


def smuggled(link: str, other: str) -> dict[str, bytes]:
    """Return requests that a proxy in front may read in another way than the server."""
    inner = a_press(other)
    ends = b"0\r\n\r\n" + inner
    return {
        "both lengths": a_press(link, b"Content-Length: 3\r\n", _CHUNKED, body=ends),
        "both, the other way": a_press(link, _CHUNKED, b"Content-Length: 3\r\n", body=ends),
        "two lengths": a_press(link, b"Content-Length: 26\r\nContent-Length: 0\r\n"),
        "a list of lengths": a_press(link, b"Content-Length: 26, 0\r\n"),
        "a signed length": a_press(link, b"Content-Length: +26\r\n"),
        "a length in hex": a_press(link, b"Content-Length: 0x1a\r\n"),
        "a negative length": a_press(link, b"Content-Length: -1\r\n"),
        "a space before the colon": a_press(link, b"Transfer-Encoding : chunked\r\n", body=ends),
        "an unknown coding": a_press(link, b"Transfer-Encoding: xchunked\r\n", body=ends),
        "chunked in two": a_press(link, _CHUNKED, _CHUNKED, body=ends),
        "chunked after another": a_press(link, b"Transfer-Encoding: gzip, chunked\r\n", body=ends),
        "a bad chunk": a_press(link, _CHUNKED, body=b"zz\r\n" + inner),
        "a carriage return alone": a_press(link, b"X: y\rContent-Length: 26\r\n"),
        "a zero byte": a_press(link, b"X: \0\r\n"),
        "no host": a_press(link).replace(b"Host: a\r\n", b""),
        "two hosts": a_press(link).replace(b"Host: a\r\n", b"Host: a\r\nHost: b\r\n"),
        "HTTP/0.9": b"POST " + link.encode() + b"\r\n\r\n",
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner,
        "no HTTP": b"\x16\x03\x01\x02\x00\x01" + inner,
        "a long header": a_press(link, b"X: " + b"y" * LONG + b"\r\n"),
        "many headers": a_press(link, *[b"X: y\r\n"] * LONG),
        "a long path": a_press(link + "/" * LONG),
        "a body and no length": a_press(link, b"X: y\r\n", body=inner),
    }


async def test_requests_that_can_be_read_in_two_ways_answer_for_nobody(a_site: Site) -> None:
    an, jan = await asked(a_site.ledger, ADDRESS, "jan@voorbeeld.example")
    link, other = a_site.link("u", an), a_site.link("u", jan)

    async with on_a_port(a_site) as port:
        for name, content in smuggled(link, other).items():
            answer = await said(port, content)
            if name != "a body and no length":  # one press, with nothing in it
                assert not answer.startswith(b"HTTP/1.1 2"), name
                assert await a_site.standing(an) == "asked", name
            assert await a_site.standing(jan) == "asked", name


async def test_a_press_in_an_honest_way_of_its_own_counts(a_site: Site) -> None:
    ids = await asked(a_site.ledger, *(f"r{number}@voorbeeld.example" for number in range(5)))
    links = [a_site.link("u", one) for one in ids]
    whole = a_press(links[3])

    async with on_a_port(a_site) as port:
        for content in (
            [a_press(links[0], _CHUNKED, body=b"1a\r\n" + ONE_CLICK + b"\r\n0\r\n\r\n")],
            [a_press(links[1], b"Expect: 100-continue\r\nContent-Length: 26\r\n")],
            [a_press(links[2]).replace(b"\r\n", b"\n")],
            [whole[at : at + 1] for at in range(len(whole))],
            [a_press(f"http://a{links[4]}"), b""],
        ):
            await said(port, *content)

    stands = [await a_site.standing(one) for one in ids]
    assert stands == ["opted_out"] * 4 + ["asked"]  # the last went to a proxy's address


@pytest.mark.parametrize(
    "trick",
    [
        "/../u/{token}",
        "/./u/{token}",
        "//u/{token}",
        "/u//{token}",
        "/u/{token}/",
        "/u/{token}%00",
        "/u/{token}%2F",
        "/u%2F{token}/x",
        "/%2e%2e/u/{token}",
        "/U/{token}",
        "/u/{token};x",
        "/u/{token}%0d%0a",
        "/u/x/../{token}",
        "\\u\\{token}",
    ],
)
async def test_a_path_that_only_looks_like_a_link_is_none(a_site: Site, trick: str) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    token = a_site.link("u", an).rpartition("/")[2]

    async with on_a_port(a_site) as port:
        answer = await said(port, a_press(trick.replace("{token}", token)))

    assert answer.split(b" ")[1] in {b"404", b"400"}
    assert await a_site.standing(an) == "asked"


async def test_who_is_told_that_a_body_is_too_large_is_not_listened_to(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    lengths = (b"Content-Length: 1000000000\r\n", _CHUNKED)

    async with on_a_port(a_site) as port:
        for length in lengths:
            content = a_press(a_site.link("u", an), length, body=b"4000\r\n" + b"y" * 16_384)
            content += b"\r\n1000\r\n" + b"y" * 4_096
            answer = await said(port, content)
            assert not answer or (b" 413 " in answer and answer.endswith(b"\r\n\r\ntoo large\n"))

    assert await a_site.standing(an) == "asked"


# Promise 12: what the server says in its log


async def test_promise_12_the_log_has_no_link_and_no_address(
    a_site: Site, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of good requests, of bad ones, and of those that fail."""
    caplog.set_level(logging.INFO)
    (an,) = await asked(a_site.ledger, ADDRESS)
    link = a_site.link("u", an)

    async with on_a_port(a_site) as port:
        for content in smuggled(link, link).values():
            await said(port, content)
        await said(port, a_press(link))

    assert link.rpartition("/")[2] not in caplog.text + "".join(capfd.readouterr())
    assert ADDRESS not in caplog.text


async def test_promise_12_of_a_failure_only_its_kind_is_in_the_log(
    a_site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError(f"no room for {ADDRESS} at {scope['path']}")

    stop = asyncio.Event()
    with bound("127.0.0.1", 0) as listening:
        serving = asyncio.create_task(serve_until(broken, listening, stop, patience=SHORT))
        answer = await said(listening.getsockname()[1], a_press("/u/secret"))
        stop.set()
        await serving

    assert answer.startswith(b"HTTP/1.1 500")
    assert "RuntimeError in broken" in caplog.text
    assert ADDRESS not in caplog.text
    assert "secret" not in caplog.text


async def test_promise_12_nobody_is_thanked_when_something_fails_that_nobody_foresaw(
    a_site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """And its kind is in the log."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    await a_site.ledger.write(lambda tx: tx.run("ALTER TABLE answer RENAME COLUMN at TO gone"))
    link = a_site.link("u", an)

    async with on_a_port(a_site) as port:
        answer = await said(port, a_press(link))

    assert answer.startswith(b"HTTP/1.1 503")
    assert b"Not saved yet" in answer
    assert "OperationalError in" in caplog.text
    assert link.rpartition("/")[2] not in caplog.text


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    """Other tests may read what uvicorn logs."""
    logger = logging.getLogger("uvicorn.error")
    before = logger.level
    yield
    logger.setLevel(before)


async def test_the_server_can_be_started_twice(campaign_folder: Path, a_clock: FakeClock) -> None:
    async with served(campaign_folder, a_clock) as site:
        for _ in range(2):
            async with on_a_port(site) as port:
                answer = await said(port, b"HEAD /healthz HTTP/1.0\r\n\r\n")
                assert answer.startswith(b"HTTP/1.1 200")
                assert answer.endswith(b"\r\n\r\n")
