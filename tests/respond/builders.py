"""What the tests of the answer pages build of: a campaign that is served, and who presses on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from httpx2 import ASGITransport, AsyncClient, Response
from sqlmodel import SQLModel

from repermit.cli.answers import answer_app
from repermit.cli.assembly import pages
from repermit.domain.standing import Answer
from repermit.domain.templates import Templates
from repermit.domain.token import Scope
from repermit.ledger import tables
from repermit.ledger.engine import Ledger
from repermit.ledger.transaction import Transaction
from repermit.respond.pages import View
from repermit.runtime import Runtime, example_config
from tests.builders import FakeClock

SCOPES = {"yes": Scope.ANSWER, "no": Scope.ANSWER, "u": Scope.UNSUBSCRIBE}
IN_FOLDER = "sqlite:///ledger.db"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}  # RFC 8058 section 3.1
LANGUAGES = ("nl", "fr", "de", "en")
_COMPILED: dict[str, Templates] = {}  # compiling the templates costs more than most tests
FAIR = """
[[purposes]]
id = "fair"
text.nl = "uitnodigingen voor onze plantenbeurs"
text.fr = "des invitations à notre foire aux plantes"
text.de = "Einladungen zu unserer Pflanzenmesse"
text.en = "invitations to our plant fair"
frequency.nl = "twee per jaar"
frequency.fr = "deux par an"
frequency.de = "zwei im Jahr"
frequency.en = "two a year"

[policy]
"""


def write_config(
    folder: Path, *, several: bool = False, database: str = IN_FOLDER, **changes: str
) -> Path:
    """Write the example config for the ledger in *folder*, or in *database*, and return its path.

    With *several*, there are two purposes; *changes* replace a whole line, by its key.
    """
    text = example_config().replace("sqlite:///repermit.db", database)
    lines = [_changed(line, changes) for line in text.splitlines()]
    text = "\n".join(lines)
    if several:
        text = text.replace("\n[policy]\n", FAIR)
    path = folder / "config.toml"
    path.write_text(text, "utf-8")
    return path


def _changed(line: str, changes: Mapping[str, str]) -> str:
    key = line.lstrip("#").partition(" = ")[0]
    return changes.get(key, line)


@dataclass
class Page(HTMLParser):
    """A page as a person or a machine presses on it."""

    text: str
    hidden: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)  # the answers
    rights: list[str] = field(default_factory=list)  # the other presses
    boxes: list[dict[str, str | None]] = field(default_factory=list)
    language: str | None = None

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "html":
            self.language = known["lang"]
        if tag == "button":
            is_answer = known["value"] in frozenset(Answer)
            (self.buttons if is_answer else self.rights).append(known["value"] or "")
        if tag == "input" and known["type"] == "hidden":
            self.hidden.setdefault(known["name"] or "", known["value"] or "")
        if tag == "input" and known["type"] == "checkbox":
            self.boxes.append(known)


@dataclass
class Site:
    """The answer pages of one campaign, and a client that reaches them."""

    runtime: Runtime
    ledger: Ledger
    clock: FakeClock
    client: AsyncClient

    def link(self, kind: str, recipient_id: int) -> str:
        """Return the path of a link in somebody's mail: yes, no or u."""
        return f"/{kind}/{self.runtime.tokens.issue(SCOPES[kind], recipient_id)}"

    async def page(self, path: str) -> Page:
        """Open *path* and return the page that is there."""
        response = await self.client.get(path)
        assert response.status_code == 200
        return Page(response.text)

    async def post(self, path: str, fields: Mapping[str, Any]) -> Response:
        """Send a form as a browser does."""
        return await self.client.post(path, data=dict(fields))

    async def press(self, path: str, answer: str, *, tick: Sequence[str] = ()) -> Page:
        """Open *path*, tick, press the button, and return the page that follows."""
        return await self.press_on(await self.page(path), path, answer, tick=tick)

    async def press_on(
        self, page: Page, path: str, answer: str, *, tick: Sequence[str] = ()
    ) -> Page:
        """Press a button of *page*, which stands at *path*, and return the page that follows."""
        fields = {**page.hidden, "answer": answer, "purpose": list(tick)}
        response = await self.post(path, fields)
        assert response.status_code == 200
        return Page(response.text)

    async def standing(self, recipient_id: int) -> str:
        """Return where the recipient stands."""
        sql = "SELECT standing FROM recipient WHERE id = ?"
        return str(await self.ledger.read(lambda tx: tx.value(sql, recipient_id)))

    async def answers(self) -> list[dict[str, Any]]:
        """Return every press on file, the oldest first."""
        return await self.ledger.read(_answers)

    async def everything(self) -> str:
        """Return a hash over every row of every table, and the mark in the key folder."""
        mark = self.runtime.keys.mark
        rows = await self.ledger.read(hash_of_tables)
        return rows + (mark.read_text("ascii") if mark.exists() else "")


@asynccontextmanager
async def served(folder: Path, clock: FakeClock, **config: Any) -> AsyncIterator[Site]:
    """Serve the campaign in *folder* for the length of a block; *config* as in `write_config`."""
    runtime = Runtime.of(write_config(folder, **config), clock)
    runtime.templates = _COMPILED.setdefault("", runtime.templates)
    async with runtime.ledger() as ledger:
        transport = ASGITransport(answer_app(runtime, ledger))
        async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield Site(runtime, ledger, clock, client)


def hash_of_tables(tx: Transaction) -> str:
    """Return a hash over every row of every table."""
    return sha256(text_of_tables(tx).encode()).hexdigest()


def text_of_tables(tx: Transaction) -> str:
    """Return every row of every table, as a text."""
    told = []
    for table in tables.Campaign.metadata.sorted_tables:
        rows = tx.rows(f'SELECT * FROM "{table.name}"')
        told.append(repr((table.name, sorted(map(repr, rows)))))
    return "\n".join(told)


def rows_of(tx: Transaction, table: type[SQLModel], rest: str) -> list[dict[str, Any]]:
    """Return the rows of *table* that *rest*, which follows its name, leaves."""
    names = list(table.model_fields)
    columns = ", ".join(f'"{name}"' for name in names)
    found = tx.rows(f'SELECT {columns} FROM "{table.__tablename__}" {rest}')
    return [dict(zip(names, row, strict=True)) for row in found]


def _answers(tx: Transaction) -> list[dict[str, Any]]:
    return rows_of(tx, tables.AnswerRecord, "ORDER BY leaf")


def page_code(site: Site) -> str:
    """Return what the form of the plain question says of its page."""
    view = View("question", "nl", "signed_up_no_proof")
    return pages(site.runtime).shown(view).code(view)
