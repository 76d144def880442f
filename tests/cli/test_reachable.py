"""What `check` says of the web: clocks, certificates, links."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest

from repermit.cli.finding import State
from repermit.cli.reachable import clock_of, heard_of, opened
from repermit.respond.exchange import Answered, Fault
from tests.builders import NOW

URL = "https://www.voorbeeld.be/privacy"


def answered(status: int = 200, **headers: str) -> Answered:
    return Answered(status, headers, b"")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (answered(date=format_datetime(NOW)), State.OK),
        (answered(date=format_datetime(NOW - timedelta(seconds=59))), State.OK),
        (answered(date=format_datetime(NOW - timedelta(seconds=70))), State.FAIL),
        (answered(date=format_datetime(NOW + timedelta(seconds=70))), State.FAIL),
        (answered(date=format_datetime(NOW - timedelta(days=1)), age="86400"), State.WARN),
        (answered(date="yesterday"), State.WARN),
        (answered(date=f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"), State.WARN),
        (answered(date=f"Mon, 01 Jan 2026 00:00:00 +{'9' * 20}"), State.WARN),
        (answered(date="Mon, 01 Jan 2026 00:00:00 -0000"), State.FAIL),
        (answered(), State.WARN),
        (Fault("name"), State.WARN),
    ],
)
def test_the_clock_is_compared_with_what_web_servers_tell(
    answer: Answered | Fault, state: State
) -> None:
    """A kept copy tells the time at which it was made."""
    assert clock_of([(URL, answer)], NOW, NOW)[0] is state


@pytest.mark.parametrize(
    ("url", "answer", "says"),
    [
        (URL, answered(404), f"{URL}: it answers 404"),
        (URL, Fault("certificate", "expired"), f"{URL}: its certificate is not valid"),
        (URL, Fault("large"), f"{URL}: large"),
        ("http://voorbeeld.be/", answered(), "http://voorbeeld.be/: it is not https"),
    ],
)
def test_a_link_that_nobody_can_open_is_named(
    url: str, answer: Answered | Fault, says: str
) -> None:
    state, told, do = opened([(url, answer)], trials=0)
    assert (state, told, bool(do)) == (State.FAIL, says, True)


@pytest.mark.parametrize("status", [200, 301, 405])
def test_a_link_that_can_be_opened_or_takes_no_head_holds(status: int) -> None:
    assert opened([(URL, answered(status))], trials=0)[0] is State.OK
    assert opened([(URL, answered(status))], trials=1)[0] is State.WARN


def test_links_that_were_not_opened_are_counted() -> None:
    state, told, do = opened([(URL, answered())] * 20, trials=0, beyond=5)
    assert (state, bool(do)) == (State.WARN, True)
    assert told == "only the first 20 links were opened, 5 more were not"
    assert opened([(URL, answered(404))], trials=0, beyond=5)[0] is State.FAIL


@pytest.mark.parametrize("url", ["https://voorbeeld.be:99999/", "https://[voorbeeld/", "https:///"])
async def test_what_is_no_web_address_is_told_like_any_other_fault(url: str) -> None:
    said = opened([(url, await heard_of(url))], trials=0)
    assert said[:2] == (State.FAIL, f"{url}: it is no web address")


async def test_a_link_with_letters_beyond_ascii_is_asked_for_as_browsers_do() -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        heard = await heard_of(f"http://127.0.0.1:{port}/vie-priv\u00e9e?q=\u00e9%20")

    assert isinstance(heard, Answered)
    assert asked == [b"HEAD /vie-priv%C3%A9e?q=%C3%A9%20 HTTP/1.1\r\n"]
