"""The config file, read into one frozen `Config`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from pydantic import ValidationError

from repermit.config import consistency, problems
from repermit.config.lines import Lines
from repermit.config.tables import (
    Campaign,
    Controller,
    Database,
    Inbound,
    Keys,
    Notices,
    Policy,
    Processor,
    Purge,
    Purpose,
    Relay,
    Tables,
    Web,
)
from repermit.domain.policy import EEA
from repermit.errors import ConfigInvalid

_NO_FILE = "write one with `repermit init`, or name another with --config FILE"
_NO_RIGHT = "let the user who runs this read it, or name another with --config FILE"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Config:
    """One campaign's config; `path` and what derives from it are absolute."""

    path: Path
    campaign: Campaign
    controller: Controller
    purposes: tuple[Purpose, ...]
    policy: Policy
    database: Database
    keys: Keys
    relay: Relay
    web: Web
    inbound: Inbound
    purge: Purge
    notices: Notices
    processors: tuple[Processor, ...]

    @property
    def folder(self) -> Path:
        """Return the folder of the file; relative paths in it start here."""
        return self.path.parent

    @property
    def ledger_path(self) -> Path:
        """Return where the SQLite file of the ledger is; of one in PostgreSQL, where it would be:
        what belongs to the ledger on this machine stands beside it."""
        if self.has_server:
            return self.folder / "repermit.db"
        return self.folder / self.database.url.removeprefix("sqlite:///")

    @property
    def has_server(self) -> bool:
        """Return whether the ledger is in PostgreSQL."""
        return self.database.url.startswith("postgresql:")

    @property
    def keys_dir(self) -> Path:
        """Return where the key folder is."""
        return self.folder / self.keys.dir

    @property
    def maildir(self) -> Path | None:
        """Return the maildir in which bounces and replies come in; None when there is none."""
        return self.folder / self.inbound.maildir if self.inbound.maildir else None

    @property
    def inbound_dir(self) -> Path:
        """Return the folder beside the ledger for messages that wait, or nobody can read."""
        return self.ledger_path.parent / "inbound"

    @property
    def dkim_key(self) -> Path | None:
        """Return where the key is that signs the mails; None when the relay signs them."""
        return self.folder / self.relay.dkim_key if self.relay.dkim_key else None

    @property
    def sensitive_prepared(self) -> bool:
        """Return whether a sensitive list may be asked: DPO, DPIA, and a relay in the EEA."""
        return bool(self.controller.dpo and self.controller.dpia) and any(
            "relay" in each.role.lower() and each.country in EEA and each.agreement
            for each in self.processors
        )


def load(path: Path) -> Config:
    """Return the config in the file at *path*.

    Raises: ConfigInvalid with every problem, or with the one that keeps the file from being read.
    """
    try:
        text = _octets(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise ConfigInvalid([f"{path}: there is no such config file"], hint=_NO_FILE) from None
    except IsADirectoryError:
        raise ConfigInvalid([f"{path}: this is a folder, not a file"], hint=_NO_FILE) from None
    except UnicodeDecodeError:
        raise ConfigInvalid(
            [f"{path}: this is not UTF-8 text"],
            hint="open it in an editor of plain text, and save it with the encoding UTF-8",
        ) from None
    except PermissionError:
        raise ConfigInvalid([f"{path}: this file cannot be read"], hint=_NO_RIGHT) from None
    except (OSError, ValueError):
        raise ConfigInvalid([f"{path}: this file cannot be read"], hint=_NO_FILE) from None
    return read(text, path=path)


def _octets(path: Path) -> bytes:
    """Return what is in the file at *path*. What is no file may give no end, or nothing for ever.

    Raises: ConfigInvalid when it is no file, or too large for a config; OSError.
    """
    mode = path.stat().st_mode
    if S_ISDIR(mode):
        raise IsADirectoryError
    if not S_ISREG(mode):
        hint = "put a file of text in its place, or name another with --config FILE"
        raise ConfigInvalid([f"{path}: this is no file, but a device or a pipe"], hint=hint)
    with path.open("rb") as file:
        octets = file.read(_MOST_BYTES + 1)
    if len(octets) > _MOST_BYTES:
        hint = "look whether it is another file, or name the config with --config FILE"
        raise ConfigInvalid([f"{path}: larger than 1 MB, which no config is"], hint=hint)
    return octets


def read(text: str, *, path: Path) -> Config:
    """Return the config that *text* is, as if it stood at *path*.

    Raises: ConfigInvalid with every problem.
    """
    hint = f"correct {path.name}; config.example.toml explains every key"
    raw = _parsed(text, file=path.name, hint=hint)
    path = path.absolute()
    found = list(consistency.faults(raw))
    try:
        tables = Tables.model_validate(raw, context={"folder": path.parent})
    except ValidationError as invalid:
        found += problems.faults(invalid)
    if found:
        raise ConfigInvalid(problems.sentences(found, Lines(text), file=path.name), hint=hint)
    return Config(path=path, **dict(iter(tables)))  # not dict(tables): it has a field `keys`


def _parsed(text: str, *, file: str, hint: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of 5,000 digits
        raise ConfigInvalid([problems.syntax(error, text, file=file)], hint=hint) from None
