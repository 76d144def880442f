"""The key folder: what must be kept, what will be burnt, and the mark.

    keys/keep/keys.json   campaign id and every lasting key: back it up, twice
    keys/keep/mark        how far the log had got; shows an older copy of the ledger for what it is
    keys/keep/destroyed   which generations of the vault were destroyed, and when
    keys/burn/N.key       generation N of the vault; destroyed by a purge

Directories are 0700 and files 0600; anything more open is refused.
"""

from __future__ import annotations

import glob
import json
import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from repermit.errors import KeysUnusable
from repermit.ledger.folder import (
    damaged,
    read_json,
    refuse_open,
    refuse_synchronised,
    usable,
)

_KEY_BYTES = 32


@dataclass(frozen=True)
class Generation:
    """One set of vault keys: what seals personal fields, and what finds them again."""

    number: int
    seal: bytes
    lookup: bytes


@dataclass(frozen=True)
class Keys:
    """What the key folder keeps for the whole campaign."""

    folder: Path
    campaign: str
    suppression: bytes
    message: bytes
    tokens: tuple[bytes, ...]
    signing: bytes  # the seed of the Ed25519 key that signs the checkpoints of the log
    foreign_suppression: tuple[bytes, ...] = ()  # came with the lists of other campaigns

    @property
    def file(self) -> Path:
        """Return the path of the file that holds these keys."""
        return self.folder / "keep" / "keys.json"

    @property
    def mark(self) -> Path:
        """Return the path of the mark."""
        return self.folder / "keep" / "mark"

    @property
    def burn(self) -> Path:
        """Return the folder of the generations."""
        return self.folder / "burn"


@usable()
def create(folder: Path) -> Keys:
    """Make a key folder with fresh keys and generation 1, and return its keys.

    Raises: KeysUnusable when the folder exists already, would be synchronised elsewhere, or cannot
    be written.
    Crash: no key folder; a hidden folder beside it ends in `.new`, which the next `create` removes.
    """
    refuse_synchronised(folder)
    place = folder.resolve()
    _refuse_filled(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    for leftover in place.parent.glob(f".{glob.escape(place.name)}.[0-9]*.*.new"):
        if not _is_running(leftover):  # nobody uses its keys
            shutil.rmtree(leftover)
    name = f".{place.name}.{os.getpid()}."
    beside = Path(tempfile.mkdtemp(prefix=name, suffix=".new", dir=place.parent))
    try:
        _fill(beside)
        beside.rename(place)  # takes the place of an empty folder, and of no other
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    sync_folder(place.parent)
    return load(folder)


def is_unused(folder: Path) -> bool:
    """Return whether *folder* is a whole key folder as `create` makes it, which no ledger has used
    yet: with a ledger comes the mark."""
    found = {each.relative_to(folder).as_posix() for each in folder.rglob("*")}
    if found != {"keep", "burn", "keep/keys.json", "burn/1.key"}:
        return False
    try:
        load(folder)
        load_generation(folder / "burn", 1)
    except KeysUnusable:
        return False
    return True


def _refuse_filled(folder: Path) -> None:
    """Raise KeysUnusable when something is in the place of a key folder that is to be made."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if folder.is_dir() and not _holds_keys(folder):
        raise KeysUnusable(
            f"the key folder {folder.name} is not whole, and holds no key",
            hint="look what is in it; delete it, then run the same command again",
        )
    raise KeysUnusable(
        f"the key folder {folder.name} exists already",
        hint="keep it: it may belong to a campaign, whose config.toml is then to be put back; begin"
        " in another folder",
    )


def _is_running(beside: Path) -> bool:
    """Return whether the process that makes keys in a folder *beside* is still there."""
    try:
        with suppress(PermissionError):  # another user's
            os.kill(int(beside.name.split(".")[-3]), 0)
    except ProcessLookupError:
        return False
    return True


def _holds_keys(folder: Path) -> bool:
    return (folder / "keep" / "keys.json").exists() or any(folder.glob("burn/*.key"))


def _fill(folder: Path) -> None:
    """Make *folder* with fresh keys and generation 1, durably."""
    for part in (folder / "keep", folder / "burn"):
        part.mkdir(mode=0o700)
        part.chmod(0o700)
    create_generation(folder / "burn", 1)
    content = {
        "campaign": str(uuid4()),
        "suppression": secrets.token_hex(_KEY_BYTES),
        "message": secrets.token_hex(_KEY_BYTES),
        "tokens": [secrets.token_hex(_KEY_BYTES)],
        "signing": secrets.token_hex(_KEY_BYTES),
    }
    write_durably(folder / "keep" / "keys.json", json.dumps(content, indent=1).encode())
    sync_folder(folder)


def load(folder: Path) -> Keys:
    """Return the keys in *folder*.

    What a service leaves in its folders is looked for when a key folder is made and by `check`:
    keys are loaded too often to list every folder around.

    Raises: KeysUnusable when it is missing, damaged, synchronised or open to other users.
    """
    refuse_synchronised(folder, lists=False)
    path = folder / "keep" / "keys.json"
    for part in (folder, folder / "keep", folder / "burn", path):
        refuse_open(part)
    return read(path, folder)


def read(path: Path, folder: Path) -> Keys:
    """Return the keys in the file at *path* as those of the key folder *folder*.

    Raises: KeysUnusable when it is missing or damaged.
    """
    content = read_json(path)
    try:
        return Keys(
            folder=folder,
            campaign=str(content["campaign"]),
            suppression=_key(content["suppression"]),
            message=_key(content["message"]),
            tokens=_token_keys(content["tokens"]),
            signing=_key(content["signing"]),
            foreign_suppression=tuple(map(_key, content.get("foreign_suppression", []))),
        )
    except (KeyError, TypeError, ValueError) as failure:
        raise damaged(path) from failure


@usable()
def create_generation(burn: Path, number: int, *, is_unused: bool = False) -> Generation:
    """Write fresh vault keys as generation *number*, durably, and return them.

    A generation that is there already is returned as it is, so that a purge which was killed
    goes on under the keys that it had made; one that cannot be read is made anew if it
    *is_unused*: nothing is sealed under it.

    Raises: KeysUnusable, as `load_generation` does, and when the folder cannot be written.
    """
    if (burn / f"{number}.key").exists():
        try:
            return load_generation(burn, number)
        except KeysUnusable:
            if not is_unused or number in destroyed(burn):
                raise
    for leftover in burn.glob(f".{number}.key.*"):  # of a purge that was killed; never a key
        leftover.unlink()
    fresh = {"seal": secrets.token_hex(_KEY_BYTES), "lookup": secrets.token_hex(_KEY_BYTES)}
    write_durably(burn / f"{number}.key", json.dumps(fresh).encode())
    return load_generation(burn, number)


@usable()
def load_generation(burn: Path, number: int) -> Generation:
    """Return generation *number*.

    Raises: KeysUnusable when it was destroyed, is missing, damaged or open to other users.
    """
    path = burn / f"{number}.key"
    if at := destroyed(burn).get(number):
        raise KeysUnusable(
            f"sealed under generation {number}, destroyed on {at[:10]}",
            hint="a purge destroyed it, so that nobody whom it erased can be read or found any"
            " more; put back the ledger from after it, or its copy in backup/",
        )
    if not path.exists():
        raise KeysUnusable(
            f"vault generation {number} is not in the key folder",
            hint="it was destroyed by a purge, or this is the key folder of another moment; "
            "what was sealed under it cannot be read any more",
        )
    refuse_open(path)
    return read_generation(path, number)


def read_generation(path: Path, number: int) -> Generation:
    """Return generation *number* from the file at *path*.

    Raises: KeysUnusable when it is missing or damaged.
    """
    content = read_json(path)
    try:
        seal, lookup = _key(content["seal"]), _key(content["lookup"])
    except (KeyError, TypeError, ValueError) as failure:
        raise damaged(path) from failure
    return Generation(number=number, seal=seal, lookup=lookup)


@usable()
def destroy_generation(burn: Path, number: int) -> bool:
    """Overwrite, sync and remove generation *number*; return whether it was still there.

    Raises: KeysUnusable when the folder cannot be written.
    Source: NIST SP 800-88, level "Clear" at most: a disk may keep old sectors out of reach.
    """
    path = burn / f"{number}.key"
    if not path.exists():
        return False
    size = path.stat().st_size
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(descriptor, secrets.token_bytes(size), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
    sync_folder(burn)
    return True


@usable()
def note_destroyed(burn: Path, number: int, at: str) -> None:
    """Keep that generation *number* was destroyed at *at*, ISO 8601; the first time counts.

    Raises: KeysUnusable when the folder cannot be written.
    """
    known = destroyed(burn)
    known.setdefault(number, at)
    write_durably(_tombstones(burn), json.dumps(known).encode())


def destroyed(burn: Path) -> dict[int, str]:
    """Return which generations were destroyed, and when. Raises: KeysUnusable when what says so
    cannot be read."""
    path = _tombstones(burn)
    if not path.exists():
        return {}
    content = read_json(path)
    try:
        return {int(number): str(at) for number, at in content.items()}
    except ValueError as failure:
        raise damaged(path) from failure


def _tombstones(burn: Path) -> Path:
    return burn.parent / "keep" / "destroyed"


def write_durably(path: Path, content: bytes) -> None:
    """Replace *path* by *content*, 0600, so that after a crash it is the old or the new; nothing
    is left beside it when that fails. Raises: OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:  # writes all of it, however short each write is
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _key(text: str) -> bytes:
    """Return the key that *text* spells. Raises: ValueError when it is cut off or no key."""
    key = bytes.fromhex(text)
    if len(key) != _KEY_BYTES:
        raise ValueError("a key has another length")
    return key


def _token_keys(texts: list[str]) -> tuple[bytes, ...]:
    if not texts:
        raise ValueError("no key signs the links")
    return tuple(map(_key, texts))
