"""Writes the config and the key folder of a new campaign."""

from __future__ import annotations

import fcntl
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from repermit.cli.configtext import Filling, Value, filled
from repermit.config import read
from repermit.errors import FileRefused
from repermit.files import is_full
from repermit.ledger import keys
from repermit.ledger.folder import refuse_synchronised
from repermit.runtime import example_config

# What names somebody: with a value of the example in it, a mail must not leave.
_NAMING = (
    *("controller.name", "controller.postal_address", "controller.registration"),
    *("controller.email", "controller.privacy_url", "controller.authority"),
    *("policy.reasons.signed_up_no_proof", "relay.from", "web.public_url"),
)


def require_new(folder: Path) -> Path:
    """Return where the config goes.

    Raises: FileRefused when there is one already, or none can be written there; KeysUnusable when
    the folder would be copied elsewhere by itself.
    """
    target = folder / "config.toml"
    if os.path.lexists(target):
        raise FileRefused(
            f"{target} exists already", hint="edit it, or name another folder: `repermit init DIR`"
        )
    refuse_synchronised(folder, what="campaign", cure="begin it in")
    nearest = next(
        each for each in (folder.absolute(), *folder.absolute().parents) if each.exists()
    )
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        why = "no right to" if nearest.is_dir() else f"{nearest.name} is a file"
        raise FileRefused(f"{folder} cannot be written ({why})", hint="name another folder")
    return target


def left_as_in_the_example(path: Path) -> list[str]:
    """Return the keys of the config at *path* that name somebody and still say what the example
    says."""
    found = tomllib.loads(path.read_text("utf-8-sig"))
    example = tomllib.loads(example_config())
    return [key for key in _NAMING if _value(found, key) == _value(example, key) is not None]


def write_campaign(
    folder: Path,
    values: Mapping[str, Value | None],
    *,
    remarks: Mapping[str, Sequence[str]] | None = None,
) -> bool:
    """Write the key folder and config.toml into *folder*: the example with those *values*, and
    *remarks* as comments before some keys; return whether the keys are those that an `init` left
    which was cut off.

    Raises: FileRefused when there is a config already; ConfigInvalid when a value does not
    fit; KeysUnusable when the folder is synchronised elsewhere, or its keys were used already.
    Crash: a key folder without a config, which the next `init` takes over, and hidden leftovers,
    which it removes. Nothing after an interrupt.
    """
    target = require_new(folder)
    text = filled(example_config(), Filling(values, remarks or {}))
    config = read(text, path=target)
    refuse_synchronised(config.ledger_path.parent, what="ledger", cure="set database.url to")
    try:
        with ExitStack() as made:
            _make(folder, made)
            with _alone(folder), ExitStack() as undo:
                require_new(folder)
                is_left = not config.ledger_path.exists() and keys.is_unused(config.keys_dir)
                if not is_left:
                    keys.create(config.keys_dir)
                    undo.callback(shutil.rmtree, config.keys_dir, ignore_errors=True)
                _write_config(target, text)
                undo.pop_all()
            made.pop_all()
    except OSError as failure:
        raise FileRefused(
            f"{folder} cannot be written ({failure.strerror})",
            hint="make room there, then run the same command again"
            if is_full(failure)
            else "name another folder",
        ) from failure
    return is_left


def _write_config(target: Path, text: str) -> None:
    """Give the config its name in one step, whole. Raises: FileRefused when there is one already;
    OSError."""
    for leftover in target.parent.glob(f".{target.name}.*.part"):  # of an init that was killed
        leftover.unlink()
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        require_new(target.parent)
        beside.rename(target)
    finally:
        beside.unlink(missing_ok=True)
    keys.sync_folder(target.parent)


def _make(folder: Path, undo: ExitStack) -> None:
    """Make *folder* and those above it that are missing; *undo* removes these alone."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        with suppress(FileExistsError):
            each.mkdir()
            undo.callback(_remove, each)
    folder.mkdir(exist_ok=True)  # a file in its place is refused


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let whoever else begins in *folder* at the same instant wait for the length of a block."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _value(table: Any, key: str) -> Any:
    for name in key.split("."):
        table = table.get(name) if isinstance(table, dict) else None
    return table
