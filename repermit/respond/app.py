"""The answer server: what each path and method does. GET, HEAD and OPTIONS change nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from repermit.domain import token
from repermit.domain.network import Network, network_of
from repermit.domain.notice import normalised
from repermit.errors import RepermitError, TokenRejected
from repermit.ledger.engine import Ledger
from repermit.ledger.store import notices
from repermit.ledger.store.origin import Origin
from repermit.ledger.store.snapshots import snapshot_hash
from repermit.respond.answer import Answers, Reply
from repermit.respond.form import LARGEST_BODY, TOO_LARGE, form_of
from repermit.respond.health import Health
from repermit.respond.pages import Pages
from repermit.respond.throttle import Throttle

_BAD, _GONE, _NOT_ALLOWED, _TOO_MANY, _UNAVAILABLE = 400, 404, 405, 429, 503
_LATER = {"Retry-After": "120"}
_CLOSING = {"Connection": "close"}  # nothing more is read: not the rest, nor another request
_MOST_AT_ONCE = 512  # presses that wait for the ledger: about a second for the last of them
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}"
_PRODUCT = re.compile(f"{_NAME}(?:/{_NAME})?")  # RFC 9110 section 10.1.5
_SCOPES = {
    "yes": token.Scope.ANSWER,
    "no": token.Scope.ANSWER,
    "u": token.Scope.UNSUBSCRIBE,
}


@dataclass(frozen=True)
class Settings:
    """What the config says of the pages. `notice` is where the privacy notice is a file."""

    public_url: str
    notice: Path | None = None
    trusted: Sequence[Network] = ()  # whose X-Forwarded-For is believed
    origin_time: timedelta = timedelta()  # for which the origin of a yes is kept


@dataclass(frozen=True)
class ReadNotice:
    """The privacy notice as it was read from its file, and the content hash of what is kept."""

    text: str
    hash: str

    @classmethod
    def of(cls, file: Path) -> ReadNotice:
        """Return what *file* holds now. Raises: OSError, ValueError."""
        text = file.read_text("utf-8-sig")
        return cls(text, snapshot_hash(normalised(text)))


def app(ledger: Ledger, answers: Answers, pages: Pages, settings: Settings) -> ASGIApp:
    """Return the answer server as an ASGI application."""
    return _Guarded(_Site(ledger, answers, pages, settings), pages)


class _Site:
    """The answers to requests; all they depend on is the path, the method and the form."""

    def __init__(self, ledger: Ledger, answers: Answers, pages: Pages, settings: Settings) -> None:
        self._ledger, self._answers, self._pages = ledger, answers, pages
        self._settings, self._throttle, self._health = settings, Throttle(), Health(ledger)
        self._prefix = unquote(urlsplit(settings.public_url).path).rstrip("/")
        self._read = ReadNotice.of(settings.notice) if settings.notice else ReadNotice("", "")
        self._waiting = 0  # presses that wait for the ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what fails unforeseen is answered, and raised for the log."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except TokenRejected:
            response = self._rejected(request)
        except HTTPException as refused:
            said, status = f"{refused.detail}\n".lower(), refused.status_code
            response = PlainTextResponse(said, status, refused.headers)
        except ClientDisconnect:  # within the form: nothing is recorded, and nobody reads this
            response = Response(status_code=_BAD)
        except RepermitError:
            response = self._failed()
        except Exception:
            await self._failed()(scope, receive, send)
            raise
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path: str = request.scope["path"]
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path.removeprefix(self._prefix)
        match path.split("/"):
            case ["", "yes" | "no" | "u" as kind, link] if link:
                return await self._link(request, kind, link)
            case ["", "yes", link, "record" | "record.json" as form] if link:
                _allow(request, "GET", "HEAD")
                return await self._record(link, as_json=form == "record.json")
            case ["", "healthz"]:
                _allow(request, "GET", "HEAD")
                return await self._healthz()
            case ["", "privacy"] if self._settings.notice:
                _allow(request, "GET", "HEAD")
                return PlainTextResponse(await self._notice(self._settings.notice))
        return self._gone()

    async def _notice(self, file: Path) -> str:
        """Return the privacy notice that answers point to: the file is read anew once another
        text of it counts, and not before."""
        with suppress(RepermitError, OSError, ValueError):
            counts = await self._ledger.read(notices.current_notice)
            if counts and counts.hash != self._read.hash:
                now = await asyncio.to_thread(ReadNotice.of, file)
                self._read = now if now.hash == counts.hash else self._read
        return self._read.text

    async def _link(self, request: Request, kind: str, link: str) -> Response:
        """The page of a link, or a press on it: whose it is comes before anything else is read."""
        _allow(request, "GET", "HEAD", "POST")
        recipient_id = self._answers.recipient(_SCOPES[kind], link)
        if request.method == "POST":
            return await self._press(request, kind, recipient_id)
        return self._page(await self._answers.look(recipient_id, no_first=kind != "yes"))

    async def _press(self, request: Request, kind: str, recipient_id: int) -> Response:
        """A press; POST to the link in List-Unsubscribe is a no by itself (RFC 8058), unless it
        comes from the page of that very link."""
        form = await form_of(request)  # at its own pace: it keeps no place
        if self._waiting >= _MOST_AT_ONCE:
            return self._failed()
        self._waiting += 1
        try:
            if kind == "u" and "answer" not in form:
                return self._page(await self._answers.one_click(recipient_id))
            return self._page(
                await self._answers.press(
                    _SCOPES[kind],
                    recipient_id,
                    form,
                    no_first=kind != "yes",
                    origin=self._origin(request),
                )
            )
        finally:
            self._waiting -= 1

    async def _record(self, link: str, *, as_json: bool) -> Response:
        """The record of a yes that stands, as a page or for programs."""
        found = await self._answers.record(self._answers.recipient(token.Scope.ANSWER, link))
        if found is None:
            return self._gone()
        if as_json:
            return JSONResponse(found.content, media_type="application/ld+json")
        return HTMLResponse(found.page)

    async def _healthz(self) -> Response:
        """Whether answers can be put on file; nothing else about it."""
        if await self._health.is_well():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("answers cannot be saved\n", _UNAVAILABLE, _LATER)

    def _gone(self) -> Response:
        """The page of a link that is no good, and of every path that is not ours."""
        return HTMLResponse(self._pages.gone, _GONE, _CLOSING)

    def _failed(self) -> Response:
        """The ledger could not be used: nobody is thanked for what was not saved."""
        return HTMLResponse(self._pages.failure, _UNAVAILABLE, _LATER)

    def _rejected(self, request: Request) -> Response:
        """A bad signature gets the page of a link that is no good; only those who try many are
        told to wait, and good links from beside them never are."""
        wait = self._throttle.wait_after(self._network(request))
        if not wait:
            return self._gone()
        return HTMLResponse(self._pages.gone, _TOO_MANY, {"Retry-After": str(wait), **_CLOSING})

    def _network(self, request: Request) -> str:
        peer = request.client.host if request.client else ""
        forwarded = request.headers.getlist("x-forwarded-for")
        return network_of(peer, forwarded, self._settings.trusted)

    def _origin(self, request: Request) -> Origin | None:
        """Return where a press comes from, if the config wants that kept."""
        if not self._settings.origin_time:
            return None
        agent = _PRODUCT.match(request.headers.get("user-agent", ""))
        until = self._ledger.clock.now() + self._settings.origin_time
        return Origin(self._network(request), agent[0] if agent else "", until)

    def _page(self, reply: Reply | None) -> Response:
        if reply is None:
            return self._gone()
        now = self._ledger.clock.now()
        return HTMLResponse(self._pages.page(reply.view, reply.asked, now=now))


class _Guarded:
    """Sets the headers of every response, and turns away what is no request of ours."""

    def __init__(self, inner: ASGIApp, pages: Pages) -> None:
        self._inner = inner
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"default-src 'none'; {pages.sources()}; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex, nofollow",
        }
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        if refused := self._refused(scope):
            await refused(scope, receive, guarded_send)
            return
        await self._inner(scope, receive, guarded_send)

    def _refused(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not looked at, or None.

        Source: RFC 9112 section 6.1 (two lengths are an attempt to smuggle a request).
        """
        headers = Headers(scope=scope)
        declared = headers.get("content-length")
        if declared is not None and "transfer-encoding" in headers:
            return PlainTextResponse("two lengths\n", _BAD, _CLOSING)
        if declared is not None and not _is_small(declared):
            return PlainTextResponse("too large\n", TOO_LARGE, _CLOSING)
        return None


def _allow(request: Request, *methods: str) -> None:
    """Raise HTTPException 405 for any other method. Source: RFC 9110 section 15.5.6."""
    if request.method not in methods:
        raise HTTPException(_NOT_ALLOWED, headers={"Allow": ", ".join(methods)})


def _is_small(declared: str) -> bool:
    """Return whether a Content-Length is one, and that of a form."""
    return re.fullmatch("[0-9]{1,5}", declared) is not None and int(declared) <= LARGEST_BODY
