"""The routes of the answer server. GET, HEAD and OPTIONS change nothing, on any of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from repermit.domain import token
from repermit.domain.network import Network, network_of
from repermit.errors import LedgerUnusable, RepermitError, TokenRejected
from repermit.ledger.engine import Ledger
from repermit.ledger.store.origin import Origin
from repermit.respond.answer import Answers, Reply
from repermit.respond.form import LARGEST_BODY, form_of
from repermit.respond.pages import Pages
from repermit.respond.throttle import Throttle

_BAD, _GONE, _TOO_LARGE, _TOO_MANY, _UNAVAILABLE = 400, 404, 413, 429, 503
_LATER = {"Retry-After": "120"}
_MOST_AT_ONCE = 512  # presses that wait for the ledger: about a second for the last of them
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}"
_PRODUCT = re.compile(f"{_NAME}(?:/{_NAME})?")  # RFC 9110 section 10.1.5


@dataclass(frozen=True)
class Settings:
    """What the config says of the pages. `notice` is the privacy notice where it is a file."""

    public_url: str
    notice: str = ""
    trusted: Sequence[Network] = ()  # whose X-Forwarded-For is believed
    origin_time: timedelta = timedelta()  # for which the origin of a yes is kept


def app(ledger: Ledger, answers: Answers, pages: Pages, settings: Settings) -> ASGIApp:
    """Return the answer server as an ASGI application."""
    site = _Site(ledger, answers, pages, settings)
    routes = [
        Route("/yes/{token}", site.question, methods=["GET", "POST"]),
        Route("/no/{token}", site.question, methods=["GET", "POST"]),
        Route("/yes/{token}/record", site.record, methods=["GET"]),
        Route("/yes/{token}/record.json", site.record_json, methods=["GET"]),
        Route("/u/{token}", site.unsubscribe, methods=["GET", "POST"]),
        Route("/healthz", site.health, methods=["GET"]),
    ]
    if settings.notice:
        routes.append(Route("/privacy", site.privacy, methods=["GET"]))
    prefix = urlsplit(settings.public_url).path.rstrip("/")
    under = Router(routes, redirect_slashes=False)
    every = [*([Mount(prefix, app=under)] if prefix else []), *routes]
    handlers = {
        HTTPException: site.not_found,
        ClientDisconnect: site.cut_off,
        TokenRejected: site.rejected,
        RepermitError: site.failed,
        Exception: site.failed,
    }
    inner = Starlette(routes=every, exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return _Guarded(inner, pages)


class _Site:
    """The handlers; all they know of a request is its path and its form."""

    def __init__(self, ledger: Ledger, answers: Answers, pages: Pages, settings: Settings) -> None:
        self._ledger, self._answers, self._pages = ledger, answers, pages
        self._settings, self._throttle = settings, Throttle()

    async def question(self, request: Request) -> Response:
        """The page of the Yes and the No link, and the press on it."""
        link = request.path_params["token"]
        no_first = request.scope["path"].rpartition("/")[0].endswith("/no")
        if request.method == "POST":
            form, origin = await form_of(request), self._origin(request)
            reply = await self._answers.press(
                token.Scope.ANSWER, link, form, no_first=no_first, origin=origin
            )
        else:
            reply = await self._answers.look(token.Scope.ANSWER, link, no_first=no_first)
        return self._response(reply)

    async def record(self, request: Request) -> Response:
        """The record of a yes that stands, as a page."""
        found = await self._answers.record(request.path_params["token"])
        return self._response(None) if found is None else HTMLResponse(found.page)

    async def record_json(self, request: Request) -> Response:
        """The same for programs."""
        found = await self._answers.record(request.path_params["token"])
        if found is None:
            return self._response(None)
        return JSONResponse(found.content, media_type="application/ld+json")

    async def unsubscribe(self, request: Request) -> Response:
        """The link in List-Unsubscribe: POST is a no by itself, GET shows the page (RFC 8058)."""
        link = request.path_params["token"]
        if request.method != "POST":
            reply = await self._answers.look(token.Scope.UNSUBSCRIBE, link, no_first=True)
            return self._response(reply)
        form = await form_of(request)
        if "answer" in form:  # the page of this very link, not the mail program
            origin = self._origin(request)
            reply = await self._answers.press(
                token.Scope.UNSUBSCRIBE, link, form, no_first=True, origin=origin
            )
        else:
            reply = await self._answers.one_click(link)
        return self._response(reply)

    async def health(self, _: Request) -> Response:
        """Whether the ledger can be read; nothing else about it."""
        try:
            await self._ledger.read(lambda tx: tx.value("SELECT size FROM log_head"))
        except LedgerUnusable:
            return PlainTextResponse("the ledger cannot be read\n", _UNAVAILABLE, _LATER)
        return PlainTextResponse("ok\n")

    async def privacy(self, _: Request) -> Response:
        """The privacy notice, where the operator gave it as a file."""
        return PlainTextResponse(self._settings.notice)

    async def not_found(self, _: Request, failure: Exception) -> Response:
        """Every path and method that is not ours gets the page of a link that is no good."""
        if not isinstance(failure, HTTPException):
            return HTMLResponse(self._pages.gone, _GONE)
        return HTMLResponse(self._pages.gone, failure.status_code, failure.headers)

    async def cut_off(self, _: Request, __: Exception) -> Response:
        """The connection ended within the form: nothing is recorded, and nobody reads this."""
        return Response(status_code=_BAD)

    async def failed(self, _: Request, __: Exception) -> Response:
        """The ledger could not be used: nobody is thanked for what was not saved."""
        return HTMLResponse(self._pages.failure, _UNAVAILABLE, _LATER)

    async def rejected(self, request: Request, _: Exception) -> Response:
        """A bad signature gets the page of a link that is no good; only those who try many are
        told to wait, and good links from beside them never are."""
        wait = self._throttle.wait_after(self._network(request))
        if not wait:
            return HTMLResponse(self._pages.gone, _GONE)
        return HTMLResponse(self._pages.gone, _TOO_MANY, {"Retry-After": str(wait)})

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

    def _response(self, reply: Reply | None) -> Response:
        if reply is None:
            return HTMLResponse(self._pages.gone, _GONE)
        now = self._ledger.clock.now()
        return HTMLResponse(self._pages.page(reply.view, reply.asked, now=now))


class _Guarded:
    """Sets the headers of every response; turns away what is no request of ours, and presses that
    are too many at once."""

    def __init__(self, inner: ASGIApp, pages: Pages) -> None:
        self._inner, self._failure, self._waiting = inner, pages.failure, 0
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"default-src 'none'; {pages.sources()}; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "interest-cohort=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex, nofollow",
        }
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        if refused := self._refused(scope):
            await refused(scope, receive, guarded_send)
            return
        waits = scope["method"] == "POST"
        self._waiting += waits
        try:
            await self._inner(scope, receive, guarded_send)
        finally:
            self._waiting -= waits

    def _refused(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not looked at, or None.

        Source: RFC 9112 section 6.1 (two lengths are an attempt to smuggle a request).
        """
        headers, closing = Headers(scope=scope), {"Connection": "close"}
        declared = headers.get("content-length")
        if declared is not None and "transfer-encoding" in headers:
            return PlainTextResponse("two lengths\n", _BAD, closing)
        if declared is not None and not _is_small(declared):
            return PlainTextResponse("too large\n", _TOO_LARGE, closing)
        if scope["method"] == "POST" and self._waiting >= _MOST_AT_ONCE:
            return HTMLResponse(self._failure, _UNAVAILABLE, _LATER)
        return None


def _is_small(declared: str) -> bool:
    """Return whether a Content-Length is one, and that of a form."""
    return re.fullmatch("[0-9]{1,5}", declared) is not None and int(declared) <= LARGEST_BODY
