"""What a person sees, in a real browser, as pictures for the documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.builders import a_browser, press
from tests.journeys.web import mailbox, message

_WIDTH, _HEIGHT = 640, 480
_COLOURS = 32
LARGEST_BYTES = 80_000


@dataclass
class Pictures:
    """A browser that starts when the first picture is taken."""

    folder: Path
    _stack: ExitStack
    _browser: Browser | None = field(default=None)

    @classmethod
    @contextmanager
    def taken_into(cls, folder: Path) -> Iterator[Pictures]:
        """Take pictures into *folder* for the length of a block."""
        with ExitStack() as stack:
            yield cls(folder, stack)

    def answered(self, mail: bytes, answer: str, names: Mapping[int, str]) -> None:
        """Let somebody read their mail, open the link and press; *names* are the pictures of the
        mail, of the page, and of the page after the press, as far as they are wanted."""
        body = message(mail).get_body(("html",))
        assert body is not None
        with self._page() as page:
            page.set_content(str(body.get_content()))
            self._take(page, names.get(0, ""))
            links = mailbox(mail)
            page.goto(links.yes if answer == "yes" else links.no)
            self._take(page, names.get(1, ""))
            press(page, answer)
            self._take(page, names.get(2, ""))

    def of_file(self, path: Path, name: str) -> None:
        """Take a picture of an HTML file."""
        with self._page(width=900) as page:
            page.goto(path.as_uri())
            self._take(page, name)

    @contextmanager
    def _page(self, width: int = _WIDTH) -> Iterator[Page]:
        if self._browser is None:
            self._browser = self._stack.enter_context(a_browser())
        viewport = {"width": width, "height": _HEIGHT}
        with self._browser.new_context(viewport=viewport) as context:  # type: ignore[arg-type]
            yield context.new_page()

    def _take(self, page: Page, name: str) -> None:
        if not name:
            return
        tall = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": page.viewport_size["width"], "height": min(tall, 1100)})  # type: ignore[index]
        with Image.open(BytesIO(page.screenshot(scale="css"))) as seen:
            few = seen.convert("RGB").quantize(_COLOURS)
        few.save(self.folder / f"{name}.png", optimize=True)
