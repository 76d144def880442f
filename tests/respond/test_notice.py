"""The text of the privacy notice, from a real server; and whatever else may be there."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from repermit.domain.notice import LARGEST_BYTES
from repermit.respond.exchange import Fault
from repermit.respond.notice import notice_at, why
from tests.certificates import write_certificate
from tests.respond.servers import Handler, listening, saying

TEXT = "Wij bewaren één adres."
HTML = "text/html; charset=utf-8"


def page(
    body: bytes = f"<h1>{TEXT}</h1>".encode(), kind: str = HTML, *headers: str, status: int = 200
) -> bytes:
    """Return an answer over HTTP."""
    lines = (f"HTTP/1.1 {status} x", f"Content-Type: {kind}", *headers)
    length = f"Content-Length: {len(body)}"
    return "\r\n".join([*lines, length, "", ""]).encode("latin-1") + body


def leading_to(location: str, status: int = 302) -> bytes:
    """Return an answer that leads elsewhere."""
    return page(b"", HTML, f"Location: {location}", status=status)


def at_paths(answers: Mapping[str, bytes]) -> Handler:
    """Return what answers by the path, the query included."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.write(answers[head.split(" ")[1]])
        await writer.drain()
        await reader.read()

    return handler


async def read(said: bytes, path: str = "/privacy") -> str | Fault:
    """Return what is read of a server that says the same to everybody, in a trial."""
    async with listening(saying(said)) as port:
        return await notice_at(f"http://127.0.0.1:{port}{path}", is_trial=True)


@pytest.mark.parametrize(
    "said",
    [
        page(),
        page(TEXT.encode(), "text/plain"),
        page(TEXT.encode("utf-8-sig"), "text/plain; charset=iso-8859-1"),
        page(TEXT.encode("utf-16"), "text/plain"),
        page(TEXT.encode("latin-1"), "Text/HTML; Charset=ISO-8859-1"),
        page(f'<meta charset="windows-1252"><p>{TEXT}'.encode("cp1252"), "text/html"),
        page(
            f"<meta http-equiv=x content='text/html; charset=latin1'>{TEXT}".encode("latin-1"),
            "application/xhtml+xml",
        ),
        page(TEXT.encode(), "text/plain", "Content-Encoding: identity"),
        page(TEXT.encode(), "text/plain", f"Set-Cookie: {'x' * 30_000}"),
    ],
)
async def test_its_text_is_read_in_the_letters_that_it_has(said: bytes) -> None:
    assert await read(said) == TEXT


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (page(status=404), "it answers 404"),
        (page(status=503), "it answers 503"),
        (page(b"%PDF-1.7", "application/pdf"), "it is application/pdf and no text"),
        (page(b"x", ""), "it is of no kind that it names and no text"),
        (page(b"\xff\xff", "text/plain; charset=utf-8"), "its letters cannot be read as utf-8"),
        (page(b"\xff\xfe\xff", "text/plain; charset=utf-8"), "letters cannot be read as utf-16"),
        (page(b"een \xe9\xe9n", "text/html"), "its letters cannot be read as utf-8"),
        (page(b"een", "text/html; charset=klingon"), "its letters cannot be read as klingon"),
        (page(b"6565", "text/html; charset=hex"), "its letters cannot be read as hex"),
        (page(b"\\ud800", "text/plain; charset=unicode_escape"), "be read as unicode_escape"),
        (page(b"<script>write()</script>"), "it has no text, unless a script puts it there"),
        (page(b" \n", "text/plain"), "it has no text"),
        (page(b"\0" * 9, "text/plain"), "it has no text"),
        (page(b"x" * (LARGEST_BYTES + 1), "text/plain"), "it is larger than 2 MB"),
        (page(b"x", HTML, "Content-Encoding: gzip"), "it comes packed (gzip)"),
        (b"220 mail.example ESMTP\r\n", "it hangs up, or does not speak HTTP"),
        (b"", "it hangs up, or does not speak HTTP"),
        (page(b"x", "text/\x9b31m"), "it is text/?31m and no text"),
        (leading_to("/privacy"), "it leads on and on"),
        (leading_to("http://www.example.org/privacy", 301), "it leads on to an address that is no"),
        (leading_to("https://[::1"), "it leads on to an address that is not https"),
        (leading_to("mailto:x"), "it leads on to an address that is not https"),
        (page(b"", status=307), "it leads on and on"),
    ],
)
async def test_why_it_cannot_be_read_is_named(said: bytes, told: str) -> None:
    found = await read(said)

    assert isinstance(found, Fault)
    assert told in why(found)


async def test_a_text_of_the_largest_size_is_read() -> None:
    found = await read(page(b"x" * LARGEST_BYTES, "text/plain"))

    assert found == "x" * LARGEST_BYTES


async def test_who_leads_on_is_followed_and_the_whole_address_is_asked_for() -> None:
    answers = {
        "/old?a=1&b=%20": leading_to("new page é#part".encode().decode("latin-1"), 308),
        "/new%20page%20%C3%A9": leading_to("?id=7", 303),
        "/new%20page%20%C3%A9?id=7": page(),
    }
    async with listening(at_paths(answers)) as port:
        url = f"http://127.0.0.1:{port}/old?a=1&b=%20#top"
        assert await notice_at(url, is_trial=True) == TEXT


@pytest.mark.parametrize(
    ("url", "is_trial"),
    [
        ("http://127.0.0.1:9/privacy", False),
        ("http://www.example.org/privacy", True),
        ("http://www.example.org/privacy", False),
    ],
)
async def test_without_https_nothing_is_fetched(url: str, is_trial: bool) -> None:
    assert await notice_at(url, is_trial=is_trial) == Fault("plain")


async def test_what_is_not_there_is_named(unused_tcp_port: int) -> None:
    url = f"https://127.0.0.1:{unused_tcp_port}/privacy"
    assert await notice_at(url, is_trial=False) == Fault("refused")
    assert await notice_at("https://www.invalid./privacy", is_trial=False) == Fault("name")


async def test_markup_made_to_be_read_for_hours_is_given_up() -> None:
    async with listening(saying(page(b"<!--" * 400_000))) as port:
        url = f"http://127.0.0.1:{port}/privacy"
        found = await notice_at(url, is_trial=True, seconds=3.0)

    assert found == Fault("tangled")
    assert why(found) == "its markup takes too long to read"


async def test_a_server_that_drips_is_given_up_in_the_time_that_there_is() -> None:
    """The time is one for all that it leads on to."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 x\r\nContent-Type: text/plain\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.01)

    async with listening(drip) as port:
        found = await notice_at(f"http://127.0.0.1:{port}/", is_trial=True, seconds=0.3)

    assert isinstance(found, Fault)
    assert why(found) == "no answer came within 10 seconds"


async def test_over_https_the_certificate_must_be_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "localhost.pem")
    async with listening(saying(page()), certificate=certificate) as port:
        url = f"https://localhost:{port}/privacy"
        unknown = await notice_at(url, is_trial=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        known = await notice_at(url, is_trial=False)
        not_tls = await notice_at(f"http://localhost:{port}/privacy", is_trial=True)
    async with listening(saying(page())) as port:
        plain = await notice_at(f"https://localhost:{port}/privacy", is_trial=False)

    assert isinstance(unknown, Fault)
    assert why(unknown).startswith("its certificate is not valid (self")
    assert known == TEXT
    assert isinstance(not_tls, Fault)
    assert plain == Fault("tls")


async def test_a_certificate_that_has_ended_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "old.pem", ends=dt.timedelta(days=-1))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with listening(saying(page()), certificate=certificate) as port:
        found = await notice_at(f"https://localhost:{port}/privacy", is_trial=False)

    assert found == Fault("certificate", "certificate has expired")


async def test_https_that_leads_to_http_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "localhost.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with listening(saying(page())) as plain:
        said = leading_to(f"http://localhost:{plain}/privacy")
        async with listening(saying(said), certificate=certificate) as port:
            found = await notice_at(f"https://localhost:{port}/privacy", is_trial=False)

    assert found == Fault("downgrade")
