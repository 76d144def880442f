"""Whether a recipient can answer right now: what a person does, done by nobody.

The link of a probe belongs to no recipient. Its page is opened and its Yes pressed as anybody's,
and the server puts that press on file apart; a server that cannot write is found that way.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from html.parser import HTMLParser

from repermit.domain.standing import Answer
from repermit.domain.token import MONITOR, Scope, Tokens, is_for_monitor
from repermit.errors import LedgerUnusable, ProbeFailed, TokenRejected
from repermit.ledger.engine import Ledger
from repermit.ledger.store import probing
from repermit.ledger.store.probing import Vantage
from repermit.respond.exchange import Answered, Fault, exchange

_SECONDS = 10.0  # for each of the two requests
_OK, _FOUND, _GONE, _UNAVAILABLE = 200, range(300, 400), 404, 503
_WHY = {  # by code: why nobody can answer, and what to do
    "name": ("its name does not resolve", "check web.public_url, and the DNS entry of its host"),
    "refused": (
        "the connection is refused",
        "start `repermit serve`, and the web server in front of it",
    ),
    "unreachable": ("it cannot be reached ({})", "check the network, and what the DNS says"),
    "silent": (
        "no answer came within {} seconds",
        "see whether a firewall is in between, and what `repermit serve` does",
    ),
    "certificate": (
        "its certificate is not valid ({})",
        "renew the certificate: browsers warn people off, and nobody answers",
    ),
    "tls": (
        "it does not speak TLS",
        "let the web server in front of `repermit serve` do the https",
    ),
    "nonsense": (
        "it hangs up, or does not speak HTTP",
        "see what listens there instead of `repermit serve`",
    ),
    "status": (
        "it answers {}",
        "see that `repermit serve` runs, and what the web server in front of it says",
    ),
    "redirect": (
        "it answers {}, a redirect",
        "let web.public_url be where that leads, and approve anew; or end the redirect",
    ),
    "foreign": (
        "it is no page of this campaign ({})",
        "let web.public_url lead to `repermit serve` with this very config and its keys",
    ),
    "large": (
        "it is no page of this campaign (much larger than one)",
        "let web.public_url lead to `repermit serve` with this very config and its keys",
    ),
    "unwritable": (
        "the press cannot be put on file (it answers {})",
        "see whether the disk of the ledger is full, or the ledger read-only or locked",
    ),
    "elsewhere": (
        "the press was put on file in another ledger",
        "stop that `repermit serve`, and start it with this config",
    ),
}


_IN_GENERAL = {"silent": f"{_SECONDS:g}", "status": "an error", "redirect": "3xx"}
_DETAIL = re.compile(r" \([^()]*\{\}\)")


def why_in_general(code: str) -> str:
    """Return why nobody could answer, as far as *code* alone says it."""
    return _DETAIL.sub("", _WHY[code][0]).format(_IN_GENERAL.get(code))


@dataclass(frozen=True)
class Found:
    """What a probe found: whether a recipient can answer, and how long both requests took."""

    url: str  # of the pages; never that of a link
    vantage: Vantage
    seconds: float
    fault: Fault | None = None
    certificate_ends: datetime | None = None

    @property
    def code(self) -> str:
        """Return why nobody can answer, in one word; empty when a recipient can."""
        return self.fault.code if self.fault else ""

    @property
    def why(self) -> str:
        """Return why nobody can answer; empty when a recipient can."""
        return _WHY[self.fault.code][0].format(self.fault.detail) if self.fault else ""

    @property
    def hint(self) -> str:
        """Return what to do about it."""
        return _WHY[self.fault.code][1] if self.fault else ""

    def failure(self) -> ProbeFailed:
        """Return what to tell when nobody can answer."""
        where = f"{self.url}, seen {self.vantage.words}"
        return ProbeFailed(f"nobody can answer at {where}: {self.why}", hint=self.hint)


class Probe:
    """Looks at one address of the answer pages, on a machine that has the ledger; what it finds
    goes on record when that address is the one in the mails (`is_public`)."""

    def __init__(
        self,
        ledger: Ledger,
        tokens: Tokens,
        url: str,
        *,
        is_public: bool = True,
        vantage: Vantage = Vantage.HERE,
        seconds: float = _SECONDS,
    ) -> None:
        self._ledger, self._tokens, self._url = ledger, tokens, url
        self._is_public, self._vantage, self._seconds = is_public, vantage, seconds

    async def look(self) -> Found:
        """Return what was found. Raises: LedgerUnusable when a page that works cannot be noted."""
        began = time.monotonic()
        number = MONITOR + 1 + secrets.randbits(61)
        link = f"{self._url}/yes/{self._tokens.issue(Scope.ANSWER, number)}"
        outcome = await _press(link, partial(self._is_made_for, number), self._seconds)
        if isinstance(outcome, Answered):
            is_here = await self._ledger.read(probing.is_pressed, number)
            outcome = outcome if is_here else Fault("elsewhere")
        found = _found(self._url, self._vantage, began, outcome)
        if self._is_public:
            try:
                await self._ledger.write(probing.note, found.code, self._vantage)
            except LedgerUnusable:
                if not found.code:
                    raise
        return found

    def _is_made_for(self, number: int, nonce: str) -> bool:
        try:
            return self._tokens.read(Scope.FORM, nonce) == number
        except TokenRejected:
            return False


def monitor_link(tokens: Tokens, url: str) -> str:
    """Return the link with which a machine that has nothing else can probe the pages at *url*."""
    return f"{url}/yes/{tokens.issue(Scope.ANSWER, MONITOR)}"


async def look_from_elsewhere(url: str, token: str, *, seconds: float = _SECONDS) -> Found:
    """Return what was found at *url* by the link for a monitor, whose signed part is *token*.

    That the press is on file is the server's word alone: it keeps when it came.
    """
    began = time.monotonic()
    outcome = await _press(f"{url}/yes/{token}", is_for_monitor, seconds)
    return _found(url, Vantage.ELSEWHERE, began, outcome)


def _found(url: str, vantage: Vantage, began: float, outcome: Answered | Fault) -> Found:
    seconds = time.monotonic() - began
    if isinstance(outcome, Fault):
        return Found(url, vantage, seconds, outcome)
    return Found(url, vantage, seconds, certificate_ends=outcome.certificate_ends)


async def _press(link: str, is_ours: Callable[[str], bool], seconds: float) -> Answered | Fault:
    """Open the page of a link that belongs to nobody, and press Yes on it; *is_ours* says whether
    a hidden field was made for that link."""
    answered = await exchange(link, seconds=seconds)
    if isinstance(answered, Fault):
        return answered
    if fault := _judged(answered, is_ours):
        return fault
    page = _Page(answered.text)
    form = {**page.hidden, "answer": "yes", "purpose": page.boxes}
    pressed = await exchange(link, form=form, seconds=seconds)
    return _fault_of(pressed) or answered


def _judged(answered: Answered, is_ours: Callable[[str], bool]) -> Fault | None:
    """Return what is wrong with the page of a link; None when it is ours, made for that link."""
    if answered.status != _OK:
        return _status(answered.status)
    page = _Page(answered.text)
    if not {"nonce", "page"} <= page.hidden.keys() or sorted(page.buttons) != ["no", "yes"]:
        return Fault("foreign", "it has no Yes and No")
    if not is_ours(page.hidden["nonce"]):
        return Fault("foreign", "another campaign's, or kept by a cache")
    return None


def _fault_of(pressed: Answered | Fault) -> Fault | None:
    """Return what is wrong with the answer to a press; None when it is thanked for."""
    if isinstance(pressed, Fault):
        return pressed
    if pressed.status == _UNAVAILABLE:
        return Fault("unwritable", str(pressed.status))
    if pressed.status != _OK:
        return _status(pressed.status)
    if _Page(pressed.text).buttons != ["no"]:  # that of a thank-you
        return Fault("foreign", "it does not take the press")
    return None


def _status(status: int) -> Fault:
    if status == _GONE:
        return Fault("foreign", "it does not know this link: 404")
    return Fault("redirect" if status in _FOUND else "status", str(status))


@dataclass
class _Page(HTMLParser):
    """What a browser would send from a page."""

    text: str
    hidden: dict[str, str] = field(default_factory=dict)
    boxes: list[str] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)  # the answers

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the fields and buttons of the form; that of the answers is the first."""
        known = {name: value or "" for name, value in attrs}
        kind, name, value = known.get("type"), known.get("name", ""), known.get("value", "")
        if tag == "button" and name == "answer" and value in frozenset(Answer):
            self.buttons.append(value)
        elif tag == "input" and kind == "hidden":
            self.hidden.setdefault(name, value)
        elif tag == "input" and kind == "checkbox":
            self.boxes.append(value)
