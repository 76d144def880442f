"""What `check` says of everything on the web that a recipient may open, and of the clocks there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from repermit.cli.finding import Finding, Said, State, together
from repermit.cli.session import counted
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.respond.exchange import Answered, Fault
    from repermit.respond.probe import Found
    from repermit.runtime import Runtime

_SECONDS = 10.0  # for each link
_MOST_LINKS = 20  # that are opened
_SKEW = timedelta(seconds=60)
_FAILS = 400
_KEPT = "/%:@!$&'()*+,;=?~"  # what stands for itself in a path or a query (RFC 3986)
_NTP = "let this machine take the time from the network (NTP)"
_WHY = {
    "name": "its name does not resolve",
    "silent": "no answer in time",
    "certificate": "its certificate is not valid",
    "tls": "it does not speak TLS",
    "refused": "the connection is refused",
    "unreachable": "it cannot be reached",
    "nonsense": "it does not speak HTTP",
    "no_url": "it is no web address",
}


async def links(runtime: Runtime) -> list[Finding]:
    """Return whether the links beside those to the answer pages can be opened, and whether the
    clock is right. Never raises for what does not hold."""
    web = runtime.config.web
    try:
        known = _links(runtime)
    except RepermitError:  # that is told by itself
        known = []
    real = [each for each in known if not _is_trial(each)]
    trials, beyond = len(known) - len(real), max(0, len(real) - _MOST_LINKS)
    asked = [web.public_url, *real[:_MOST_LINKS]]
    before = runtime.clock.now()
    heard = await asyncio.gather(*map(heard_of, asked))
    answers = list(zip(asked, heard, strict=True))
    return [
        Finding("links", "links", *opened(answers[1:], trials=trials, beyond=beyond)),
        Finding("clock", "clock", *clock_of(answers, before, runtime.clock.now())),
    ]


async def heard_of(url: str) -> Answered | Fault:
    """Return what *url* answers to whoever opens it; what is no URL is a fault, too."""
    from repermit.respond.exchange import Fault, exchange

    try:
        where = urlsplit(url)
        path, query = quote(where.path, _KEPT), quote(where.query, _KEPT)  # as browsers ask for it
        asked = where._replace(path=path, query=query).geturl()
        return await exchange(asked, head=True, seconds=_SECONDS)
    except ValueError:  # unpaired brackets, a port that is none
        return Fault("no_url")


def _is_trial(url: str) -> bool:
    """Return whether nobody can have the host of *url*."""
    from repermit.published.lookup import is_reserved

    try:
        return is_reserved(urlsplit(url).hostname or "")
    except ValueError:  # `heard_of` says so
        return False


async def pages(runtime: Runtime, ledger: Ledger) -> list[Finding]:
    """Return whether a recipient can answer, and how long the certificate of the pages holds."""
    from repermit.cli.pagecertificate import certificate_of
    from repermit.cli.probe import last_answer, prober

    try:
        found = await prober(runtime, ledger).look()
        until = await last_answer(runtime, ledger)
    except RepermitError as failure:
        return [Finding("page", "answer page", State.FAIL, str(failure), failure.hint)]
    certificate = certificate_of(found, until, runtime.clock.now())
    return [
        Finding("page", "answer page", *_page(runtime, found)),
        Finding("certificate", "certificate", *certificate),
    ]


def _page(runtime: Runtime, found: Found) -> Said:
    if found.code:
        return State.FAIL, f"at {found.url} {found.why}", found.hint
    if runtime.config.web.is_local:
        return State.WARN, f"{found.url} works, on this machine only", "set web.public_url"
    return State.OK, f"at {found.url}, seen {found.vantage.words}", ""


def _links(runtime: Runtime) -> list[str]:
    """Return the links of mails and pages that lead elsewhere. Raises: WordingIncomplete."""
    from repermit.cli.written import links_written

    config = runtime.config
    named = [config.controller.privacy_url, config.controller.signup_url]
    found = dict.fromkeys([*(each for each in named if each), *links_written(runtime)])
    return [each for each in found if not each.startswith(f"{config.web.public_url}/")]


def opened(answers: list[tuple[str, Answered | Fault]], *, trials: int, beyond: int = 0) -> Said:
    """Return whether people can open what mails and pages link to; *trials* lead nowhere, and so
    many *beyond* these were not opened."""
    wrong = [(url, why) for url, answer in answers if (why := _why_not(url, answer))]
    found: list[Said] = [
        (State.FAIL, f"{url}: {why}", "correct it, or mend what is there") for url, why in wrong
    ]
    if trials:
        says = f"a trial: {counted(trials, 'link')} to a domain that nobody can have (.example)"
        found.append((State.WARN, says, "write your own"))
    if beyond:
        says = f"only the first {len(answers)} links were opened, {beyond:,} more were not"
        found.append((State.WARN, says, "open those of your mails and pages yourself"))
    opened = f"{counted(len(answers), 'link')} to elsewhere, and each can be opened"
    return together(found, otherwise=(State.OK, opened if answers else "none lead elsewhere", ""))


def _why_not(url: str, answer: Answered | Fault) -> str:
    """Return why a person cannot open *url*; empty when they can, or a redirect leads them on."""
    from repermit.respond.exchange import Fault

    if isinstance(answer, Fault):
        return _WHY.get(answer.code, answer.code)
    if urlsplit(url).scheme != "https":
        return "it is not https"
    refuses_head = answer.status in (405, 501)
    return f"it answers {answer.status}" if answer.status >= _FAILS and not refuses_head else ""


def clock_of(
    answers: list[tuple[str, Answered | Fault]], before: datetime, after: datetime
) -> Said:
    """Return how far this clock is from those of web servers, each of which tells the second.

    Source: RFC 9110 section 6.6.1; a kept copy (RFC 9111 section 5.1, Age) tells an old time.
    """
    from repermit.respond.exchange import Fault

    told = [
        (url, each.headers["date"])
        for url, each in answers
        if not isinstance(each, Fault) and "date" in each.headers and "age" not in each.headers
    ]
    known = [(url, when) for url, text in told if (when := _moment(text)) is not None]
    if not known:
        return State.WARN, "not known: no web server told the time", _NTP
    for url, when in known:
        apart = max(before - when - timedelta(seconds=1), when - after)
        if apart > _SKEW:
            host = urlsplit(url).hostname
            return State.FAIL, f"{apart.total_seconds():,.0f} s from that of {host}", _NTP
    return State.OK, f"within a minute of {counted(len(known), 'web server')}", ""


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year or a zone of a hundred digits
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
