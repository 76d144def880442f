"""A clock outside: that of the web server with the privacy notice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from repermit.respond.exchange import Answered, exchange

_SECONDS = 5.0
_OWN_NAMES = ("localhost", ".localhost")


async def outside_clock(
    url: str, now: datetime, *, is_trial: bool = False, seconds: float = _SECONDS
) -> timedelta | None:
    """Return how far the clock of the server at *url* is ahead of *now*; None when it does not
    say, or nobody vouches for it: only https counts, and, except in a trial, another machine.

    Whatever the server answers, its headers say the time.
    Source: RFC 9110 section 6.6.1 (Date), RFC 9111 section 5.1 (Age, of what a cache kept).
    """
    if not _is_outside(url, is_trial=is_trial):
        return None
    answered = await exchange(url, head=True, seconds=seconds)
    if not isinstance(answered, Answered):
        return None
    try:
        said = parsedate_to_datetime(answered.headers.get("date", ""))
        age = timedelta(seconds=int(answered.headers.get("age", "0")))
        return said.replace(tzinfo=said.tzinfo or UTC) + age - now
    except (ValueError, OverflowError):
        return None


def _is_outside(url: str, *, is_trial: bool) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    if parts.scheme != "https" or not host:
        return False
    return is_trial or not _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.endswith(_OWN_NAMES)
