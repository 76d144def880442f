"""The clock of a real HTTPS server; and whatever else may be there."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from repermit.respond.outside import outside_clock
from tests.builders import NOW
from tests.certificates import write_certificate
from tests.respond.servers import listening, saying

AHEAD = timedelta(hours=3)


def dated(*headers: str, status: int = 200) -> bytes:
    """Return the head of an answer over HTTP, as it comes to a HEAD: the body is only announced."""
    said = (f"HTTP/1.1 {status} x", "Content-Length: 4096", *headers, "", "")
    return "\r\n".join(said).encode("latin-1")


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for this machine, which is valid in this test."""
    certificate = write_certificate(tmp_path / "localhost.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


async def read(said: bytes, certificate: Path) -> timedelta | None:
    """Return what the clock of a server that says the same to everybody makes of NOW."""
    async with listening(saying(said), certificate=certificate) as port:
        url = f"https://localhost:{port}/privacy"
        return await outside_clock(url, NOW, is_trial=True, seconds=5)


@pytest.mark.parametrize("status", [200, 302, 404, 405, 500])
async def test_whatever_a_server_answers_it_says_the_time(trusted: Path, status: int) -> None:
    said = dated(f"Date: {format_datetime(NOW + AHEAD, usegmt=True)}", status=status)

    assert await read(said, trusted) == AHEAD


async def test_what_a_cache_kept_is_older_by_what_it_says(trusted: Path) -> None:
    """Or every page that a cache keeps for a day would say that our clock is a day ahead."""
    date = format_datetime(NOW - timedelta(days=1), usegmt=True)

    assert await read(dated(f"Date: {date}", "Age: 86400"), trusted) == timedelta(0)


async def test_a_date_without_a_zone_is_in_utc(trusted: Path) -> None:
    """RFC 5322 says of -0000 that nothing is known of the zone; HTTP knows but one."""
    date = format_datetime(NOW.replace(tzinfo=None))

    assert date.endswith("-0000")
    assert await read(dated(f"Date: {date}"), trusted) == timedelta(0)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Date: yesterday",),
        ("Date: Sat, 99 Nov 2026 09:30:00 GMT",),
        ("Date: Sat, 21 Nov 2026 09:30:00 GMT", "Age: old"),
        ("Date: Sat, 21 Nov 2026 09:30:00 GMT", "Age: 99999999999999999999"),
        ("Date: Fri, 31 Dec 9999 23:59:59 GMT", "Age: 86400"),
    ],
)
async def test_who_does_not_say_the_time_is_not_heard(
    trusted: Path, headers: tuple[str, ...]
) -> None:
    assert await read(dated(*headers), trusted) is None


async def test_only_a_valid_certificate_vouches_for_the_time(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path / "unknown.pem")

    assert await read(dated(f"Date: {format_datetime(NOW, usegmt=True)}"), certificate) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost:{}/",
        "https://localhost.:{}/",
        "https://www.localhost:{}/",
        "https://127.0.0.1:{}/",
        "https://127.8.0.1:{}/",
        "https://[::1]:{}/",
        "http://privacy.example:{}/",
        "https://:{}/",
        "https://privacy.example:{}0000/",
        "https://[privacy.example:{}/",
        "privacy.html",
    ],
)
async def test_this_machine_and_what_is_not_https_are_not_asked(url: str) -> None:
    asked: list[bool] = []

    async def note(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        asked.append(True)

    async with listening(note) as port:
        assert await outside_clock(url.format(port), NOW) is None
    assert not asked


async def test_a_server_that_is_silent_is_given_up(trusted: Path) -> None:
    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(wait, certificate=trusted) as port:
        url = f"https://localhost:{port}/"
        assert await outside_clock(url, NOW, is_trial=True, seconds=0.2) is None
