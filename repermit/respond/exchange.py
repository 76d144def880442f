"""One request to a web page, as a browser makes it: the certificate is verified, a redirect is not
followed, and what is too large by far is not read to its end."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlencode, urlsplit

import h11

from repermit import __version__

_LARGEST_BYTES = 200_000  # a page of ours has less than a tenth of that
_LARGEST_HEAD_BYTES = 65_536
_PIECE_BYTES = 65_536
_NEXT_ADDRESS_SECONDS = 0.25  # before another address of the same name is tried (RFC 8305)

Form = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Fault:
    """Why there was no answer that is of use: a code, and what it was exactly where that helps."""

    code: str
    detail: str = ""


@dataclass(frozen=True)
class Answered:
    """What came back; the names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    certificate_ends: datetime | None = None

    @property
    def text(self) -> str:
        """Return the body of a page of ours."""
        return self.body.decode("utf-8", "replace")


async def exchange(
    url: str,
    *,
    form: Form | None = None,
    head: bool = False,
    seconds: float,
    largest: int = _LARGEST_BYTES,
) -> Answered | Fault:
    """Return what *url* answers to a GET, or with *form* to a POST, within so many seconds and in
    that many bytes; with *head* to a HEAD, which has no body."""
    method = "HEAD" if head else "GET" if form is None else "POST"
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(urlsplit(url), method, form, largest)
    except TimeoutError:
        return Fault("silent", f"{seconds:g}")
    except (socket.gaierror, UnicodeError):
        return Fault("name")
    except ssl.SSLCertVerificationError as failure:
        return Fault("certificate", failure.verify_message)
    except ssl.SSLError:
        return Fault("tls")
    except h11.RemoteProtocolError:
        return Fault("nonsense")
    except OSError as failure:
        # asyncio joins what several addresses of one name said into one text without a number
        if failure.errno == errno.ECONNREFUSED or f"[Errno {errno.ECONNREFUSED}]" in str(failure):
            return Fault("refused")
        return Fault("unreachable", failure.strerror or "")


async def _exchange(
    where: SplitResult, method: str, form: Form | None, largest: int
) -> Answered | Fault:
    is_https = where.scheme == "https"
    reader, writer = await asyncio.open_connection(
        where.hostname,
        where.port or (443 if is_https else 80),
        ssl=ssl.create_default_context() if is_https else None,
        happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
    )
    try:
        connection = h11.Connection(h11.CLIENT, _LARGEST_HEAD_BYTES)
        writer.write(_request(connection, where, method, form))
        answered = await _answer(connection, reader, largest)
        if isinstance(answered, Fault):
            return answered
        return replace(answered, certificate_ends=_end_of(writer.get_extra_info("peercert")))
    finally:
        writer.transport.abort()  # nothing is left to say, and nobody waits for a goodbye


def _request(
    connection: h11.Connection, where: SplitResult, method: str, form: Form | None
) -> bytes:
    body = b"" if form is None else urlencode(form, doseq=True).encode("ascii")
    headers = [
        ("Host", where.netloc.rpartition("@")[2]),
        ("User-Agent", f"repermit/{__version__}"),  # some servers turn away who has no name
        ("Accept", "text/html, text/plain;q=0.9"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]
    if form is not None:
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        headers.append(("Content-Length", str(len(body))))
    query = f"?{where.query}" if where.query else ""
    events = (
        h11.Request(method=method, target=(where.path or "/") + query, headers=headers),
        *([h11.Data(data=body)] if body else []),
        h11.EndOfMessage(),
    )
    return b"".join(connection.send(event) or b"" for event in events)


async def _answer(
    connection: h11.Connection, reader: asyncio.StreamReader, largest: int
) -> Answered | Fault:
    status, headers, body = 0, dict[str, str](), b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_PIECE_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {str(name, "ascii"): str(value, "latin-1") for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > largest:
                return Fault("large")
    return Answered(status, headers, body)


def _end_of(certificate: Mapping[str, str] | None) -> datetime | None:
    """Return until when *certificate* is valid; None without one."""
    if not certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
