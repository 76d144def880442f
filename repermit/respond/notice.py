"""The privacy notice as people find it on the web: its text, or why that cannot be kept."""

from __future__ import annotations

import asyncio
import codecs
import re
import sys
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from repermit.domain import notice
from repermit.domain.notice import LARGEST_BYTES, normalised
from repermit.respond.exchange import Answered, Fault, exchange

_SECONDS = 10.0  # in all, with every redirect
_LEAST_SECONDS = 3.0  # for the words of a page that came late
_MOST_REDIRECTS = 5
_OK, _REDIRECTS = 200, frozenset((301, 302, 303, 307, 308))
_PAGES: Final = frozenset(("text/html", "application/xhtml+xml"))
_LOCAL: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_LATIN: Final = frozenset(("ascii", "iso8859-1"))  # that the web means Windows-1252 by
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
_HEAD_BYTES = 1024  # within which a page names its charset
_MARKS: Final = (  # byte order marks
    *((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16")),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WHY: Final = {
    "name": "its name does not resolve",
    "refused": "the connection is refused",
    "unreachable": "it cannot be reached ({})",
    "silent": f"no answer came within {_SECONDS:g} seconds",
    "certificate": "its certificate is not valid ({})",
    "tls": "it does not speak TLS",
    "nonsense": "it hangs up, or does not speak HTTP",
    "status": "it answers {}",
    "plain": "it is not https",
    "downgrade": "it leads on to an address that is not https",
    "redirects": "it leads on and on",
    "large": f"it is larger than {LARGEST_BYTES // 1_000_000} MB",
    "kind": "it is {} and no text",
    "packed": "it comes packed ({})",
    "charset": "its letters cannot be read as {}",
    "tangled": "its markup takes too long to read",
    "empty": "it has no text, unless a script puts it there",
}


async def notice_at(url: str, *, is_trial: bool, seconds: float = _SECONDS) -> str | Fault:
    """Return the text of the notice at *url*; in a trial it may be on this machine, without https.

    Of what it leads on to, only https counts.
    """
    loop, fault = asyncio.get_running_loop(), "plain"
    end = loop.time() + seconds
    for _ in range(_MOST_REDIRECTS + 1):
        if not _is_safe(url, is_trial=is_trial):
            return Fault(fault)
        answered = await exchange(url, seconds=end - loop.time(), largest=LARGEST_BYTES)
        if isinstance(answered, Fault):
            return answered
        if answered.status not in _REDIRECTS:
            if answered.status != _OK:
                return _status(answered)
            return await _text_of(answered, seconds=end - loop.time())
        url, fault = _led_to(url, answered.headers.get("location", "")), "downgrade"
    return Fault("redirects")


def why(fault: Fault) -> str:
    """Return in words why there is no text."""
    plain = "".join(each if each.isprintable() else "?" for each in fault.detail)
    return _WHY[fault.code].format(plain[:80])


def _is_safe(url: str, *, is_trial: bool) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    is_local = is_trial and parts.scheme == "http" and host in _LOCAL
    return bool(host) and (parts.scheme == "https" or is_local)


def _led_to(url: str, location: str) -> str:
    """Return where *location* leads from *url*, and nothing where that is no address."""
    try:
        return urljoin(url, quote(location.encode("latin-1"), safe="%/:=&?~+!$,;'@()*#[]"))
    except ValueError:
        return ""


def _status(answered: Answered) -> Fault:
    return Fault("status", str(answered.status))


async def _text_of(answered: Answered, *, seconds: float) -> str | Fault:
    kind, _, options = answered.headers.get("content-type", "").partition(";")
    kind, packed = kind.strip().lower(), answered.headers.get("content-encoding", "identity")
    if packed.lower() != "identity":
        return Fault("packed", packed)
    if kind not in _PAGES and kind != "text/plain":
        return Fault("kind", kind or "of no kind that it names")
    read = _decoded(answered.body, options, is_page=kind in _PAGES)
    if isinstance(read, Fault):
        return read
    text = await _words_of(read, seconds=seconds) if kind in _PAGES else normalised(read)
    return text if isinstance(text, Fault) or text.strip("\0 \n") else Fault("empty")


async def _words_of(html: str, *, seconds: float) -> str | Fault:
    """Return the words of a page, read in a process of its own: markup can be made so that any
    parser takes hours over it, or all the memory."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", notice.__file__),
        env={},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(max(seconds, _LEAST_SECONDS)):
            text, _ = await child.communicate(html.encode())
    except TimeoutError:
        child.kill()
        await child.wait()
        return Fault("tangled")
    return text.decode() if child.returncode == 0 else Fault("tangled")


def _decoded(body: bytes, options: str, *, is_page: bool) -> str | Fault:
    """Return *body* as text: by its byte order mark, else by what the header, and then the page,
    says of it, else as UTF-8.

    Source: WHATWG HTML section 13.2.3.2; WHATWG Encoding section 4.2 (what Latin-1 means).
    """
    named = _CHARSET.search(options)
    if named is None and is_page:
        named = _CHARSET.search(body[:_HEAD_BYTES].decode("latin-1"))
    charset = next((name for mark, name in _MARKS if body.startswith(mark)), None)
    charset = charset or (named[1] if named else "utf-8")
    try:
        if codecs.lookup(charset).name in _LATIN:
            charset = "windows-1252"
        text = body.decode(charset)
        text.encode()  # some codecs make what is no text
    except (LookupError, ValueError):
        return Fault("charset", charset)
    return text
