"""What the browser tests build of: a browser, and the answer pages behind a real socket."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserType, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from repermit.cli.answers import answer_app
from repermit.respond.server import bound, serve_until
from repermit.runtime import Runtime
from tests.builders import FakeClock, a_newcomer, ask, take_in
from tests.respond.builders import SCOPES, hash_of_tables, write_config

T = TypeVar("T")
NARROW, PHONE, DESK = 320, 390, 1280
with_and_without_scripts = pytest.mark.parametrize("scripts", [True, False], ids=["js", "no-js"])
SECONDS = 30
_OFFLINE = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
)


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Start Debian's Chromium or else Playwright's own; where there is neither, say so loudly."""
    with sync_playwright() as playwright:
        browser = _started(playwright.chromium)
        yield browser
        browser.close()


@contextmanager
def a_page(
    chromium: Browser, *, width: int = PHONE, height: int = 844, gone: bool = False, **options: Any
) -> Iterator[Page]:
    """Open a tab that fails the test when a page asks for anything that is not ours, says
    anything on the console, or sets a cookie; with *gone*, a page of status 404 may say that."""
    viewport = {"width": width, "height": height}
    with chromium.new_context(
        viewport=viewport,  # type: ignore[arg-type]  # a plain dict will do
        **options,
    ) as context:
        context.set_default_timeout(SECONDS * 1000)
        page, said, asked_for = context.new_page(), list[str](), set[str]()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda failure: said.append(str(failure)))
        page.on("request", lambda request: asked_for.add(urlsplit(request.url).netloc))
        yield page
        assert said == [] or (gone and all("404" in text for text in said))
        assert len(asked_for - {""}) <= 1  # no host: the logo, which stands in the page
        assert context.cookies() == []


def press(page: Page, answer: str) -> None:
    """Press the button for *answer*, as a finger does."""
    page.locator(f"button[value={answer}]").first.click()
    page.wait_for_load_state()


def asked_for_within_a_minute(page: Page) -> list[str]:
    """Let a minute of the browser's own time go by, in which timers and refreshes fall due, and
    return what the page has asked for in it. Time then stands still in that page.

    Source: Chrome DevTools Protocol, Emulation.setVirtualTimePolicy.
    """
    devtools, ended, asked_for = page.context.new_cdp_session(page), list[object](), list[str]()
    devtools.on("Emulation.virtualTimeBudgetExpired", lambda event: ended.append(event))
    page.on("request", lambda request: asked_for.append(request.url))
    devtools.send("Emulation.setVirtualTimePolicy", {"policy": "advance", "budget": 60_000})
    for _ in range(SECONDS * 20):
        if ended:
            return asked_for
        page.wait_for_timeout(50)
    raise AssertionError("the browser's minute does not end")


def open_rights(page: Page) -> None:
    """Unfold the part of the page that is about the person's data."""
    page.locator("details:has(.quiet) summary").first.click()


def title(page: Page) -> str:
    """Return the first heading of the page."""
    return page.locator("h1").first.inner_text()


def _started(chromium: BrowserType) -> Browser:
    failures = []
    for path in dict.fromkeys((shutil.which("chromium"), None)):
        try:
            return chromium.launch(executable_path=path, args=_OFFLINE)
        except BrowserError as failure:
            failures.append(str(failure).partition("\n")[0])
    reason = f"NO PAGE WAS LOOKED AT: no Chromium starts on this machine ({'; '.join(failures)})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Served:
    """The answer pages of one campaign on this machine, in a thread of their own."""

    folder: Path
    several: bool = False
    config: Mapping[str, str] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    url: str = ""
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def running(self) -> Iterator[Served]:
        """Serve for the length of a block."""
        started, ended = threading.Event(), threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(started, ended)))
        thread.start()
        assert started.wait(SECONDS)
        try:
            yield self
        finally:
            ended.set()
            thread.join(SECONDS)

    async def _serve(self, started: threading.Event, ended: threading.Event) -> None:
        self._loop, stop = asyncio.get_running_loop(), asyncio.Event()
        path = write_config(self.folder, several=self.several, **self.config)
        self.runtime = Runtime.of(path, self.clock)
        async with self.runtime.ledger() as self.ledger:
            with bound("127.0.0.1", 0) as listening:
                self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
                app = answer_app(self.runtime, self.ledger)
                serving = asyncio.create_task(serve_until(app, listening, stop))
                started.set()
                await asyncio.to_thread(ended.wait)
                stop.set()
                await serving

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what *work* comes to on the loop of the server."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def ask(self, language: str | None = "nl") -> int:
        """Ask one more person, and return who; None is a Belgian whose language nobody knows."""
        return self.run(self._ask(language))

    async def _ask(self, language: str | None) -> int:
        address = f"lieselot.vandenberghe{next(self._names)}@gemeenteraad.voorbeeld.example"
        newcomer = a_newcomer(address, language=language, country="BE")
        await self.ledger.write(take_in, [newcomer])
        found = await self.ledger.read(lambda tx: tx.value("SELECT max(id) FROM recipient"))
        await ask(self.ledger, found)
        return int(found)

    def link(self, kind: str, recipient_id: int) -> str:
        """Return the URL in somebody's mail: yes, no or u."""
        return f"{self.url}/{kind}/{self.runtime.tokens.issue(SCOPES[kind], recipient_id)}"

    def standing(self, recipient_id: int) -> str:
        """Return where the recipient stands; nowhere, once erased."""
        sql = "SELECT standing FROM recipient WHERE id = ?"
        return self.run(self.ledger.read(lambda tx: str(tx.value(sql, recipient_id) or "")))

    def owed(self, recipient_id: int) -> list[str]:
        """Return which mails the outbox holds for the recipient."""
        sql = "SELECT kind FROM outbox WHERE recipient_id = ? ORDER BY id"
        rows = self.run(self.ledger.read(lambda tx: tx.rows(sql, recipient_id)))
        return [kind for (kind,) in rows]

    def everything(self) -> str:
        """Return a hash over every row of every table."""
        return self.run(self.ledger.read(hash_of_tables))

    def wait_a_while(self) -> None:
        """Let more time pass than there is between presses that contradict one another."""
        self.clock.advance(timedelta(seconds=11))
