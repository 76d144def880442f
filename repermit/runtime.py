"""Builds what a command needs, once: config, keys, vault, tokens, words, templates, clock.

It imports no stage: a command imports its own, so that it starts fast.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from repermit.config import Config, load, secret
from repermit.domain.clock import Clock
from repermit.domain.question import Controller, Question
from repermit.domain.wording import Wording, flatten, problems
from repermit.errors import WordingIncomplete
from repermit.ledger import copying, keys, linkkeys
from repermit.ledger.database import BUSY_SECONDS
from repermit.ledger.engine import Ledger
from repermit.ledger.keys import Keys
from repermit.ledger.linkkeys import LiveTokens
from repermit.ledger.sqlite import SQLite
from repermit.ledger.store import token_keys
from repermit.ledger.store.machines import Machine
from repermit.ledger.vault import Vault
from repermit.machine import joined, machine_of

if TYPE_CHECKING:
    from repermit.domain.templates import Templates
    from repermit.ledger.checkpoint import Signing
    from repermit.ledger.database import Database
    from repermit.ledger.postgres.engine import PostgreSQL


@dataclass
class Runtime:
    """One campaign on this machine."""

    config: Config
    clock: Clock
    tell: Callable[[str], None] = lambda _: None  # what is noticed on the way
    patience: float = BUSY_SECONDS  # how long a database that is away is waited for

    @classmethod
    def of(
        cls, path: Path, clock: Clock, *, tell: Callable[[str], None] = lambda _: None
    ) -> Runtime:
        """Return the runtime of the campaign whose config stands at *path*; *tell* is given a line
        about what is noticed on the way.

        Raises: ConfigInvalid with every problem.
        """
        return cls(load(path), clock, tell)

    @cached_property
    def keys(self) -> Keys:
        """Return the keys. Raises: KeysUnusable."""
        return keys.load(self.config.keys_dir)

    @cached_property
    def vault(self) -> Vault:
        """Return the vault. Raises: KeysUnusable."""
        return Vault(self.keys)

    @cached_property
    def signing(self) -> Signing:
        """Return what signs the checkpoints of the log. Raises: KeysUnusable."""
        from repermit.ledger.checkpoint import Signing

        return Signing(self.keys.campaign, self.keys.signing)

    @cached_property
    def tokens(self) -> LiveTokens:
        """Return what issues and reads the links. Raises: KeysUnusable."""
        return LiveTokens(self.keys)

    @property
    def database(self) -> Database:
        """Return where the ledger is, not opened yet."""
        return self.server if self.config.has_server else SQLite(self.config.ledger_path)

    @property
    def server(self) -> PostgreSQL:
        """Return the same where the config names PostgreSQL."""
        from repermit.ledger.postgres.engine import PostgreSQL

        password = secret("REPERMIT_DATABASE_PASSWORD")
        url, place = self.config.database.url, self.config.ledger_path
        return PostgreSQL(url, place, password=password, patience=self.patience)

    @asynccontextmanager
    async def ledger(self, *, create: bool = False, acts: bool = True) -> AsyncIterator[Ledger]:
        """Open the ledger for the length of a block; with *create*, make it if it is not there.
        Whoever *acts*, and does not only look, joins the machines that share it.

        Raises: LedgerUnusable, KeysUnusable, MachineDiffers.
        """
        opened = Ledger.open(self.database, self.vault, self.clock, create=create)
        for each in opened.dropped:
            self.tell(str(each))
        if older := opened.superseded:
            self.tell(f"take note: {older}")
            self.tell(f"  what to do: {older.hint}")
        try:
            if not acts:
                yield opened
                return
            async with self.joined(opened) if opened.database.is_shared else nullcontext():
                await self.log_change_of_keys(opened)
                yield opened
        finally:
            await opened.close()

    def joined(self, opened: Ledger) -> AbstractAsyncContextManager[None]:
        """Let this machine be one of those that work, for the length of a block. Raises:
        MachineDiffers."""
        return joined(opened, self.machine)

    def machine(self) -> Machine:
        """Return this machine as it is now. Raises: KeysUnusable."""
        return machine_of(self.config, self._template_folders)

    async def log_change_of_keys(self, opened: Ledger) -> None:
        """Put on record that the keys of links were changed, where a command was killed before."""
        if left := linkkeys.unlogged(self.keys):
            await opened.write(token_keys.log_change, left)
            linkkeys.note_logged(self.config.keys_dir, left)

    @asynccontextmanager
    async def rehearsal(self) -> AsyncIterator[Ledger]:
        """Open a copy of the ledger that is thrown away after the block; nothing else changes."""
        path = self.config.ledger_path
        with TemporaryDirectory(dir=self.config.folder, prefix=".rehearsal-") as folder:
            copy, mark = Path(folder) / path.name, Path(folder) / "mark"
            if self.database.exists():
                if self.keys.mark.exists():  # first, so that the copy is not older than it
                    mark.write_bytes(self.keys.mark.read_bytes())
                async with self.ledger() as ledger:
                    await asyncio.to_thread(copying.copy, ledger.database, copy)
            opened = Ledger.open(copy, self.vault, self.clock, create=True, mark=mark)
            try:
                yield opened
            finally:
                await opened.close()

    @cached_property
    def templates(self) -> Templates:
        """Return the templates: the campaign's own first, then those of the release."""
        from repermit.domain.templates import Templates

        return Templates(self._template_folders)

    @property
    def _template_folders(self) -> list[Path]:
        return [self.config.folder / "templates", shipped()]

    @cached_property
    def wordings(self) -> Mapping[str, Wording]:
        """Return the words of each language of the campaign.

        Raises: WordingIncomplete naming every sentence that is missing or broken.
        """
        found = {lang: self._sentences(lang) for lang in self.config.campaign.languages}
        wrong = [text for lang, said in found.items() for text in problems(lang, said)]
        if wrong:
            raise WordingIncomplete(wrong)
        return {lang: Wording(lang, said) for lang, said in found.items()}

    @cached_property
    def question(self) -> Question:
        """Return the question that mail and page ask. Raises: WordingIncomplete."""
        config = self.config
        said = config.controller
        privacy = said.privacy_url or f"{config.web.public_url}/privacy"
        return Question(
            controller=Controller(
                name=said.name,
                postal_address=said.postal_address,
                registration=said.registration,
                email=said.email,
                privacy_url=privacy,
                authority=said.authority,
                signup_url=said.signup_url,
            ),
            purposes=tuple(purpose.domain() for purpose in config.purposes),
            wordings=self.wordings,
            default_language=config.campaign.default_language,
            processors=tuple(f"{each.name} ({each.country})" for each in config.processors),
            zone=config.campaign.zone,
            answer_days=config.campaign.answer_days,
            ask_again_days=config.purge.ask_again_days,
            proof_days=config.purge.proof_days,
            sensitive=config.campaign.sensitive,
            colour=config.campaign.colour,
            logo=config.campaign.logo,
        )

    def today(self) -> date:
        """Return the day it is in the campaign's zone."""
        return self.clock.now().astimezone(self.config.campaign.zone).date()

    def relay_password(self) -> str | None:
        """Return the password of the relay, from the environment or a credentials folder."""
        return secret("REPERMIT_RELAY_PASSWORD")

    def _sentences(self, language: str) -> dict[str, str]:
        """Return the sentences of a language: the campaign's own before the release's."""
        said: dict[str, str] = {}
        for folder in (shipped(), self.config.folder / "templates"):
            path = folder / "wording" / f"{language}.toml"
            if path.exists():
                said.update(_read_sentences(path))
        return said


def shipped() -> Path:
    """Return the folder of the templates of this release: inside the wheel, or beside the code."""
    inside = Path(__file__).parent / "templates"
    return inside if inside.exists() else Path(__file__).parent.parent / "templates"


def example_config() -> str:
    """Return the commented example config of this release."""
    inside = Path(__file__).parent / "config.example.toml"
    beside = Path(__file__).parent.parent / "config.example.toml"
    return (inside if inside.exists() else beside).read_text("utf-8")


def _read_sentences(path: Path) -> dict[str, str]:
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        return flatten(table)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError, OSError) as failure:
        raise WordingIncomplete([f"{path.name} cannot be read: {failure}"]) from failure
