"""Checks an evidence bundle of repermit without repermit: Python 3.9 or newer, nothing else.

    python3 verify.py BUNDLE.zip [--key KEY] [--checkpoint FILE] [--address [ADDRESS]]

One line a check, "ok" or "false"; ends with 0 when everything holds, with 1 when anything is false.
Nothing is unpacked to disk, nothing is fetched, nothing of the bundle is run.

Source: RFC 8032 (Ed25519); RFC 6962 section 2.1 and RFC 9162 section 2.1.3.2 (the hash tree); C2SP
tlog-checkpoint and signed-note.
"""

from __future__ import annotations

import argparse
import base64
import bisect
import hashlib
import hmac
import html
import json
import re
import stat
import struct
import sys
import unicodedata
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Callable, NamedTuple

LONGEST_LINE = 16 << 20  # bytes
LARGEST_FILE = 64 << 20  # of what is read whole
MOST_FILES = 20_000
DENSEST = 200  # how many times its packed size a bundle may be
_NAME = re.compile(
    r"[a-z]{1,20}\.(?:html|txt|json|jsonl|toml|py)"
    r"|shown/[0-9a-f]{64}\.(?:html|txt)|seen/mail\.(?:html|txt)"
    r"|seen/page-(?:0|[1-9]\d{0,18})\.html"
)
_EVERY = {"approvals.json", "checkpoint.txt", "consents.jsonl", "index.html", "key.txt"}
_EVERY |= {"manifest.txt", "policy.json", "verify.py"}
_WHOLE = frozenset(_EVERY | {"config.toml", "log.jsonl", "purges.json"})
_ONE = frozenset(_EVERY | {"consistency.json", "entries.jsonl", "who.json"})
_HEX = re.compile(r"[0-9a-f]{64}")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_KIND = re.compile(r"[a-z_]{1,30}")
_KEY = re.compile(r"repermit/([0-9a-f-]{36})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")
_SIGNATURE = re.compile(r"\u2014 (repermit/[0-9a-f-]{36}) ([A-Za-z0-9+/]{90,92}={0,2})\n")
_CHECKPOINT = re.compile(r"repermit/([0-9a-f-]{36})\n(0|[1-9]\d{0,18})\n([A-Za-z0-9+/]{43}=)\n")
_NOTE = re.compile(_CHECKPOINT.pattern + "\n" + r"\u2014 repermit/\1 [A-Za-z0-9+/]{90,92}={0,2}")
_HEAD = re.compile(r"repermit/[0-9a-f-]{36}[ \t]*\n")  # where a checkpoint begins
LONGEST_VALUE = 300  # characters, of what was somebody's own on a mail or a page
_PLACE = re.compile("\u27e6[a-z_]+\u27e7")
_DOCTYPE = "\n\n<!doctype"  # where the HTML of a mail begins that was kept with its text
_PERSONAL = frozenset(
    ("answered", "opted_out", "corrected", "requested", "mailed", "held", "released")
)
_GONE = frozenset(("purged", "erased"))
_ROOTS = frozenset(("signed_root", "whole_log", "one_person"))  # what all that follows rests on
_BROKEN = (  # what a file that somebody has made up may raise
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError),
    *(OSError, EOFError, MemoryError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error),
)


class Fault(Exception):
    """What is false, in plain words."""


# ── Ed25519 (RFC 8032 section 5.1) ───────────────────────────────────────────────────────────────

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)  # of -1
_Point = tuple[int, int, int, int]
_ZERO: _Point = (0, 1, 1, 0)


def _added(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(factor: int, point: _Point) -> _Point:
    product = _ZERO
    while factor:
        if factor & 1:
            product = _added(product, point)
        point, factor = _added(point, point), factor >> 1
    return product


def _point(octets: bytes) -> _Point | None:
    """Return the point that 32 bytes stand for, or None (section 5.1.3)."""
    y = int.from_bytes(octets, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT % _P
    if x * x % _P != square or (not x and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return (x, y, 1, x * y % _P)


_BASE = _point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little")) or _ZERO


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether *signature* is that of *message* by Ed25519 key *key* (section 5.1.7)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = _point(key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= _L:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    left = _times(s, _BASE)
    right = _added(r, _times(int.from_bytes(digest, "little") % _L, a))
    return all((left[at] * right[2] - right[at] * left[2]) % _P == 0 for at in (0, 1))


# ── The hash tree ────────────────────────────────────────────────────────────────────────────────


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree, as the roots of its complete subtrees."""

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        size = self.size
        while size & 1:
            leaf = _node(self._subtrees.pop(), leaf)
            size >>= 1
        self._subtrees.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root."""
        if not self._subtrees:
            return hashlib.sha256(b"").digest()
        top = self._subtrees[-1]
        for subtree in reversed(self._subtrees[:-1]):
            top = _node(subtree, top)
        return top


def root_with(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Return the root that *path* leads to from the leaf at *index*, or None for no such path."""
    if not 0 <= index < size:
        return None
    at, last, top = index, size - 1, leaf
    for sibling in path:
        if not last:
            return None
        if at & 1 or at == last:
            top = _node(sibling, top)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            top = _node(top, sibling)
        at, last = at >> 1, last >> 1
    return None if last else top


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, path: list[bytes]) -> bool:
    """Return whether *path* proves that the tree of *old* leaves with *old_root* is the beginning
    of the one of *size* with *root* (RFC 9162 section 2.1.4.2)."""
    if old == size:
        return not path and old_root == root
    if not 0 < old < size or not path:
        return False
    first, *others = path if old & (old - 1) else [old_root, *path]
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = first
    for beside in others:
        if not last:
            return False
        if at & 1 or at == last:
            before, after = _node(beside, before), _node(beside, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = _node(after, beside)
        at, last = at >> 1, last >> 1
    return not last and before == old_root and after == root


# ── What the bundle is made of ───────────────────────────────────────────────────────────────────


class Files:
    """The files of a bundle, in a ZIP file or in a folder; none but those that a bundle has."""

    def __init__(self, path: Path) -> None:
        self._zip: zipfile.ZipFile | None = None
        self._folder = path
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            names = list(self._in_folder())
        elif stat.S_ISREG(mode):
            self._zip = zipfile.ZipFile(path)
            names = [self._checked(each) for each in self._zip.infolist()]
            with path.open("rb") as file:
                _require_nothing_else(file, self._zip)
            unpacked = sum(each.file_size for each in self._zip.infolist())
            if unpacked > (1 << 20) + DENSEST * path.stat().st_size:
                raise Fault("it would unpack to far more than it can hold")
        else:
            raise Fault("it is neither a file nor a folder")
        if len(names) > MOST_FILES or len(set(names)) != len(names):
            raise Fault("it holds more files than a bundle has, or one twice")
        if any(not _NAME.fullmatch(name) for name in names):
            raise Fault("it holds a file with a name that no bundle has")
        self.names = frozenset(names)

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file, as hex."""
        digest = hashlib.sha256()
        with self._opened(name) as file:
            for part in iter(lambda: file.read(1 << 20), b""):
                digest.update(part)
        return digest.hexdigest()

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file, which may be long."""
        with self._opened(name) as file:
            for line in iter(lambda: file.readline(LONGEST_LINE), b""):
                if not line.endswith(b"\n"):
                    raise Fault(f"a line of {name} is cut off, or longer than any has to be")
                yield line

    def text(self, name: str) -> str:
        """Return a file that is short."""
        with self._opened(name) as file:
            octets = file.read(LARGEST_FILE + 1)
        if len(octets) > LARGEST_FILE:
            raise Fault(f"{name} is larger than it has to be")
        return str(octets, "utf-8")

    def json(self, name: str) -> Any:
        """Return what a JSON file holds."""
        return _json(self.text(name))

    def _opened(self, name: str) -> Any:
        if name not in self.names:
            raise Fault(f"{name} is missing")
        return self._zip.open(name) if self._zip else (self._folder / name).open("rb")

    def _in_folder(self) -> Iterator[str]:
        for inside, prefix in (("", ""), ("shown", "shown/"), ("seen", "seen/")):
            folder = self._folder / inside
            if inside and not folder.is_dir():
                continue
            for each in folder.iterdir():
                mode = each.lstat().st_mode
                if stat.S_ISREG(mode):
                    yield prefix + each.name
                elif prefix or not stat.S_ISDIR(mode) or each.name not in ("shown", "seen"):
                    raise Fault("it holds something that is no file of a bundle")

    @staticmethod
    def _checked(info: zipfile.ZipInfo) -> str:
        is_packed = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if info.flag_bits & 9 or not is_packed or info.comment:
            raise Fault("it is packed in a way that no bundle is")
        if info.filename != info.orig_filename or not info.filename.isascii():
            raise Fault("it holds a file with a name that no bundle has")
        return info.filename


def _require_nothing_else(file: BinaryIO, archive: zipfile.ZipFile) -> None:
    """Refuse a ZIP file that has anything before, between, after or beside its members: another
    program could read that as the bundle."""
    fault = Fault("it holds octets that are in none of its files")
    end = file.seek(0, 2) - 22
    file.seek(end)
    known = struct.unpack("<4s4H2LH", file.read(22))
    size, start, comment = known[5:]
    if known[0] != b"PK\x05\x06" or comment:
        raise fault
    if start == 0xFFFFFFFF or known[4] == 0xFFFF:
        end -= 76
        file.seek(end)
        known = struct.unpack("<4sQ2H2L4Q4sLQL", file.read(76))
        size, start = known[8:10]
        if known[:2] != (b"PK\x06\x06", 44) or (known[10], known[12]) != (b"PK\x06\x07", end):
            raise fault
    members = sorted(archive.infolist(), key=lambda each: each.header_offset)
    listed = sum(46 + len(each.orig_filename) + len(each.extra) for each in members)
    at = 0
    for each in members:
        file.seek(at)
        head, name, extra = struct.unpack("<4s22x2H", file.read(30))
        file.seek(at + 30 + name)
        if (
            each.header_offset != at
            or head != b"PK\x03\x04"
            or name != len(each.orig_filename)
            or not (_is_size(file.read(extra)) and _is_size(each.extra))
        ):
            raise fault
        at += 30 + name + extra + each.compress_size
    if at != start or listed != size or start + size != end:
        raise fault


def _is_size(extra: bytes) -> bool:
    """Return whether what stands beside a member is nothing, or its size in 64 bits."""
    return not extra or (extra[:2] == b"\x01\0" and len(extra) == 4 + extra[2] <= 32)


class Key(NamedTuple):
    """What verifies the signatures of one campaign."""

    campaign: str
    id: bytes
    octets: bytes

    @classmethod
    def read(cls, text: str) -> Key:
        """Return the key that *text* is."""
        parts = _KEY.fullmatch(text.strip())
        octets = base64.b64decode(parts[3]) if parts else b""
        if parts is None or octets[:1] != b"\x01":
            raise Fault("it is no key of a campaign")
        key = octets[1:]
        named = hashlib.sha256(f"repermit/{parts[1]}\n".encode() + octets).digest()[:4]
        if named.hex() != parts[2]:
            raise Fault("its number is not that of this key")
        return cls(parts[1], named, key)

    def verified(self, note: str) -> str:
        """Return the text of a signed note, if the signature is that of this key."""
        text, found, signed = note.rpartition("\n\n")
        parts = _SIGNATURE.fullmatch(signed)
        if not found or parts is None or parts[1] != f"repermit/{self.campaign}":
            raise Fault("it is not signed by this campaign")
        signature = base64.b64decode(parts[2], validate=True)
        is_ours = signature[:4] == self.id
        if not is_ours or not is_signed(self.octets, f"{text}\n".encode(), signature[4:]):
            raise Fault("the signature is not that of this campaign's key")
        return f"{text}\n"


class Checkpoint(NamedTuple):
    """How long the log was, and its root."""

    size: int
    root: bytes

    @classmethod
    def read(cls, note: str, key: Key) -> Checkpoint:
        """Return what a signed note says of the log."""
        parts = _CHECKPOINT.fullmatch(key.verified(note))
        if parts is None or parts[1] != key.campaign:
            raise Fault("it is no checkpoint of this campaign")
        if parts[2] == "0":
            raise Fault("a checkpoint of an empty log says nothing")
        return cls(int(parts[2]), base64.b64decode(parts[3]))


class Entry(NamedTuple):
    """One entry of the log; `said` is its payload, None when that is erased."""

    number: int
    at: str
    kind: str
    recipient: int | None
    leaf: bytes
    said: dict[str, Any] | None
    path: list[bytes]

    @classmethod
    def read(cls, line: bytes) -> Entry:
        """Return the entry on a line, if its payload is the one that it was made for."""
        told = _json(line)
        index, recipient, payload = told["index"], told["recipient"], told["payload"]
        if not _is_count(index) or not (recipient is None or _is_count(recipient)):
            raise Fault("an entry has no number")
        commitment = _octets(told["commitment"])
        if not _AT.fullmatch(told["at"]) or not _KIND.fullmatch(told["kind"]):
            raise Fault(f"entry {index}: it is not what was written")
        if payload is not None:
            made = hmac.new(_octets(told["key"]), payload.encode(), "sha256").digest()
            if made != commitment:
                raise Fault(f"entry {index}: its content is not the one that was committed to")
        elif told["kind"] not in _PERSONAL or told["key"] is not None:
            raise Fault(f"entry {index}: its content is missing")
        data = (
            f'{{"at":"{told["at"]}","commitment":"{commitment.hex()}","index":{index},'
            f'"kind":"{told["kind"]}","recipient":{"null" if recipient is None else recipient}}}'
        )
        return cls(
            number=index,
            at=told["at"],
            kind=told["kind"],
            recipient=recipient,
            leaf=hashlib.sha256(b"\x00" + data.encode()).digest(),
            said=None if payload is None else _json(payload),
            path=[_octets(each) for each in told.get("path", ())],
        )


class Replay:
    """Where the entries leave those who answered, and what they say was shown."""

    def __init__(self) -> None:
        self.yes: dict[int, int | None] = {}  # by recipient: the entry of the yes that counts
        self.standing: dict[int, str] = {}
        self.unreadable: set[int] = set()  # whose content is gone; erased, if all is well
        self.shown: dict[str, str] = {}  # by hash: the file that it is in
        self.seen: set[str] = set()  # what the answers name of it
        self.approved: dict[str, Any] = {}  # the facts of the approval in force
        self.notice: Any = None  # the hash of the privacy notice that counts
        self.purged: dict[int, int] = {}
        self.begun: dict[int, dict[str, Any]] = {}  # what the entry of each purge says
        self.reported: dict[int, str] = {}  # the hash of its report
        self.may_go: tuple[Any, list[Any]] = (None, [])  # the purge that began last, and its ids
        self.facts: dict[str, dict[int, tuple[str, Any]]] = {"approved": {}, "screened": {}}

    def read(self, entry: Entry) -> None:
        """Note what an entry says."""
        said = entry.said
        if said is None:
            self.unreadable.add(entry.recipient or 0)
            return
        if entry.kind in ("answered", "opted_out"):
            if said["recipient"] != entry.recipient:
                raise Fault(f"entry {entry.number}: it is about somebody else")
            self.standing[said["recipient"]] = said["standing"]
        if entry.kind == "answered":
            self._note_seen(entry.number, said)
        elif entry.kind == "approved":
            self.approved = said["facts"]
            self.notice = said["facts"].get("notice")
        elif entry.kind == "judged":
            self.notice = said["is"]
        elif entry.kind == "frozen":
            self.begun[said["purge"]] = said
            self.may_go = said["purge"], said["ids"]
        elif entry.kind == "reported":
            self.reported[said["purge"]] = said["report"]
        if is_yes(entry):
            self.yes[said["recipient"]] = entry.number
        elif entry.kind == "answered" and said["suspect"]:
            self.yes[said["recipient"]] = said["yes"]  # what void presses leave in force
        elif entry.kind == "shown":
            kind = "html" if said["kind"] == "page" else "txt"
            self.shown[said["hash"]] = f"shown/{said['hash']}.{kind}"
        elif entry.kind == "approved" or (entry.kind == "screened" and "table" in said):
            self.facts[entry.kind][entry.number] = (entry.at, said)
        for move in said.get("moves", ()):
            for first, last in move["ids"]:
                self._move(first, last, move["to"], said)

    def stands(self) -> dict[int, int]:
        """Return, by the entry of each yes that stands, whose it is."""
        found = {}
        for recipient, standing in self.standing.items():
            entry = self.yes.get(recipient)
            if standing == "opted_in" and entry is not None:
                found[entry] = recipient
        return found

    def _note_seen(self, number: int, said: dict[str, Any]) -> None:
        if said["notice"] != self.notice:
            raise Fault(f"entry {number}: it names another privacy notice than counted then")
        self.seen |= {said["mail"], said["notice"], said["page"]} - {None}

    def _move(self, first: int, last: int, to: str, said: dict[str, Any]) -> None:
        for recipient in _within(self.standing, first, last):
            self.standing[recipient] = to
            if to in _GONE:
                del self.standing[recipient]
                self.yes.pop(recipient, None)
        if to in _GONE:
            self.unreadable.difference_update(_within(self.unreadable, first, last))
        if to == "purged":
            number = said["purge"]
            of, ids = self.may_go
            at = bisect.bisect_right(ids, [first, float("inf")]) - 1
            if number != of or at < 0 or ids[at][1] < last:
                raise Fault(f"purge {number}: somebody went who is not in its manifest")
            self.purged[number] = self.purged.get(number, 0) + last - first + 1


def is_yes(entry: Entry) -> bool:
    """Return whether an entry is a yes that nothing makes doubtful."""
    said = entry.said or {}
    if entry.kind != "answered" or said.get("answer") != "yes":
        return False
    return said.get("standing") == "opted_in" and said.get("suspect") is False


# ── The checks ───────────────────────────────────────────────────────────────────────────────────


class Checks:
    """The checks of one bundle, in their order; each returns in words what is so, or raises."""

    def __init__(self, files: Files, given: argparse.Namespace) -> None:
        self.files, self.given = files, given
        self.is_whole = "log.jsonl" in files.names
        self.key = Key.read(files.text("key.txt"))
        self.checkpoint = Checkpoint(-1, b"")
        self.replay = Replay()
        self.consents: dict[int, int] = {}  # by entry: whose
        self.answers: list[Entry] = []
        self.mails: set[str] = set()  # that the person of this bundle had
        self.roots: dict[int, bytes] = {}  # by size, at those of the checkpoints kept elsewhere

    def all(self) -> list[Callable[[], str]]:
        """Return the checks of this kind of bundle."""
        checks = [self.signed_key, self.signed_files, self.signed_root]
        checks += (
            [self.whole_log, self.every_yes]
            if self.is_whole
            else [self.one_person, self.consistency]
        )
        checks += [self.shown, self.approvals, self.policy]
        checks += [self.purges] if self.is_whole else [self.seen]
        checks += [self.kept_elsewhere] if self.given.checkpoint else []
        return checks + ([self.address] if self.given.address else [])

    def signed_key(self) -> str:
        """The key is the one that was given."""
        if self.given.key is None:
            return "key: it is whole"
        if Key.read(self.given.key) != self.key:
            raise Fault("key: the bundle is of another key than the one given")
        return "key: it is the one given"

    def signed_files(self) -> str:
        """Every file is on the signed list, as it is."""
        text = self.key.verified(self.files.text("manifest.txt"))
        head, _, *rows = text.splitlines()
        if head != f"repermit-bundle/{self.key.campaign}":
            raise Fault("files: the list of files is of another campaign")
        listed = {name: hashed for hashed, name in (row.split("  ", 1) for row in rows)}
        if listed.keys() != self.files.names - {"manifest.txt"}:
            lost = sorted(listed.keys() ^ (self.files.names - {"manifest.txt"}))
            raise Fault(f"files: {_plain(lost[0])} is missing, or was added")
        beside = {name for name in self.files.names if not name.startswith(("shown/", "seen/"))}
        if others := sorted(beside ^ (_WHOLE if self.is_whole else _ONE)):
            raise Fault(f"files: {others[0]} is missing, or does not belong into such a bundle")
        if self.is_whole and any(name.startswith("seen/") for name in self.files.names):
            raise Fault("files: what somebody saw does not belong into the bundle of a campaign")
        for name in sorted(listed):
            if self.files.digest(name) != listed[name]:
                raise Fault(f"files: {name} is not the file that was signed")
        return f"files: all {len(listed)} are those that the campaign's key has signed"

    def signed_root(self) -> str:
        """The checkpoint is signed."""
        self.checkpoint = Checkpoint.read(self.files.text("checkpoint.txt"), self.key)
        return f"checkpoint: the root of {self.checkpoint.size} entries is signed by the same key"

    def whole_log(self) -> str:
        """Every entry, from the first to the last, leads to the root."""
        frontier, consents = Frontier(), self._consents()
        wanted = self._sizes_elsewhere()
        awaited = next(consents, None)
        for line in self.files.lines("log.jsonl"):
            entry = Entry.read(line)
            if entry.number != frontier.size:
                raise Fault(f"log: entry {frontier.size} is missing")
            frontier.add(entry.leaf)
            self.replay.read(entry)
            if awaited is not None and awaited[0] == entry.number:
                self._agree(awaited[1], entry)
                awaited = next(consents, None)
            if frontier.size in wanted:
                self.roots[frontier.size] = frontier.root()
        if frontier.size != self.checkpoint.size:
            raise Fault(f"log: {frontier.size} entries of {self.checkpoint.size} are here")
        if frontier.root() != self.checkpoint.root:
            raise Fault("log: its entries do not lead to the root of the checkpoint")
        if awaited is not None:
            raise Fault("consents: one has no entry in the log, or stands out of its order")
        if self.replay.unreadable:
            raise Fault("log: the content of an entry is missing, and its person was never erased")
        return f"log: all {frontier.size} entries are here, and lead to that root"

    def every_yes(self) -> str:
        """The consents are those whom the log leaves with a yes: nobody else, nobody less."""
        stands = self.replay.stands()
        if extra := sorted(self.consents.items() - stands.items()):
            raise Fault(f"consents: that of entry {extra[0][0]} does not stand any more")
        if lost := sorted(stands.items() - self.consents.items()):
            raise Fault(f"consents: that of entry {lost[0][0]} is missing")
        return f"consents: {len(stands)} stand, each as its entry has it"

    def one_person(self) -> str:
        """Every entry of a bundle of one person is in the log, and about that person."""
        whose = self.files.json("who.json")["recipient"]
        consents, before, own = dict(self._consents()), -1, 0
        for line in self.files.lines("entries.jsonl"):
            entry = Entry.read(line)
            root = root_with(entry.leaf, entry.number, self.checkpoint.size, entry.path)
            if entry.number <= before or root != self.checkpoint.root:
                raise Fault(f"entries: entry {entry.number} is not in the log of the checkpoint")
            if entry.recipient not in (None, whose):
                raise Fault(f"entries: entry {entry.number} is about somebody else")
            self.replay.read(entry)
            self._note_mail(entry, whose)
            if entry.number in consents:
                self._agree(consents.pop(entry.number), entry)
            if entry.kind == "answered":
                self.answers.append(entry)
            before, own = entry.number, own + 1
        if self.replay.unreadable:
            raise Fault("entries: the content of one is missing, and this person is not erased")
        if consents:
            raise Fault("consents: a record has no entry: it is not of this person")
        if any(whose != recipient for recipient in self.consents.values()):
            raise Fault("consents: a record is that of somebody else")
        if self.consents != self.replay.stands():
            raise Fault("consents: the record is not that of the yes that stands")
        return f"entries: {own} about this person, each proven to be in the log"

    def consistency(self) -> str:
        """The log at each approval is the beginning of the log of the checkpoint."""
        for told in self.files.json("consistency.json"):
            size, root = told["size"], _octets(told["root"])
            path = [_octets(each) for each in told["path"]]
            is_new = _is_count(size) and size not in self.roots
            if not is_new or not is_consistent(size, root, *self.checkpoint, path):
                raise Fault("consistency: a root is not that of an earlier log")
            self.roots[size] = root
        if self.roots.keys() != {entry + 1 for entry in self.replay.facts["approved"]}:
            raise Fault("consistency: the roots are not those at the approvals")
        return f"consistency: {len(self.roots)} earlier roots are of the same log"

    def shown(self) -> str:
        """What was shown is what the log knows, by its hash."""
        here = {name[6:70]: name for name in self.files.names if name.startswith("shown/")}
        for hashed, name in sorted(here.items()):
            if self.files.digest(name) != hashed:
                raise Fault(f"shown: {name[:22]}... is not what was shown")
        if lost := sorted(self.replay.shown.keys() - here.keys()):
            raise Fault(f"shown: {lost[0][:16]}... is missing")
        if {name for name in self.files.names if name.startswith("shown/")} != {
            *self.replay.shown.values()
        }:
            raise Fault("shown: something is here of which the log knows nothing")
        if lost := sorted(self.replay.seen - here.keys()):
            raise Fault(f"shown: {_plain(lost[0])[:16]}..., which an answer names, is missing")
        return f"shown: {len(here)} mails, pages and notices, each with the hash that the log has"

    def approvals(self) -> str:
        """The approvals are those of the log."""
        return self._facts("approvals", "approved", self.files.json("approvals.json"))

    def policy(self) -> str:
        """The decisions on who may be asked are those of the log."""
        told = self.files.json("policy.json")["screenings"]
        return self._facts("policy", "screened", told)

    def purges(self) -> str:
        """The purges count whom the log counts."""
        told = self.files.json("purges.json")
        counted = {each["number"]: each["purged"] for each in told if each["purged"]}
        if not isinstance(told, list) or counted != self.replay.purged:
            raise Fault("purges: they do not count those whom the log says were purged")
        if sorted(each["number"] for each in told) != sorted(self.replay.begun):
            raise Fault("purges: they are not those that the log says were begun")
        for each in told:
            self._is_purge(each)
        reports = sum(each["report"] is not None for each in told)
        return (
            f"purges: {len(told)}, which count those whom the log says were purged, all of them in"
            f" the manifests; {reports} reports are those of the log"
        )

    def _is_purge(self, told: dict[str, Any]) -> None:
        """Require that a purge, and its report, are what the log says."""
        number, report = told["number"], told["report"]
        begun = self.replay.begun.get(number, {})
        if any(told[name] != begun.get(name) for name in ("by", "due", "by_reason")):
            raise Fault(f"purge {number}: its beginning is not that of the log")
        hashed = None if report is None else hashlib.sha256(report.encode()).hexdigest()
        if hashed != self.replay.reported.get(number):
            raise Fault(f"purge {number}: its report is not the one of the log")

    def seen(self) -> str:
        """The mail and the pages of one person are those that were shown, with places filled."""
        seen = {name for name in self.files.names if name.startswith("seen/")}
        pages = {f"seen/page-{e.number}.html": e.said["page"] for e in self.answers if e.said}
        mails = seen & {"seen/mail.txt", "seen/mail.html"}
        for name in sorted(seen - mails):
            if not pages.get(name) or not _fits(
                self.files.text(name), self._shown(pages[name], "html"), is_html=True
            ):
                raise Fault(f"seen: {name} is not the page that was shown")
        if mails and not any(self._is_mail(self._shown(each, "txt"), mails) for each in self.mails):
            raise Fault("seen: the mail is not one that was shown")
        return f"seen: {len(seen)} texts, with the words that were shown and only places filled"

    def kept_elsewhere(self) -> str:
        """The checkpoint kept elsewhere is one of this log."""
        text = self._text_elsewhere()
        found = [Checkpoint.read(f"{note[0]}\n", self.key) for note in _NOTE.finditer(text)]
        if not found:
            raise Fault("elsewhere: there is no checkpoint of this campaign in the file given")
        if len(found) != len(_HEAD.findall(text)):
            raise Fault("elsewhere: a checkpoint in the file given cannot be read")
        roots = {**self.roots, self.checkpoint.size: self.checkpoint.root}
        for size, root in found:
            if size > self.checkpoint.size:
                raise Fault(f"elsewhere: that log had {size} entries: this is an older copy")
            if root != roots.get(size, root):
                raise Fault(f"elsewhere: this log is not that of the checkpoint at {size} entries")
        if lost := sorted({each.size for each in found} - roots.keys()):
            raise Fault(
                f"elsewhere: NOT CHECKED: the bundle of one person cannot compare a checkpoint of"
                f" {lost[0]} entries; compare it with the bundle of the campaign"
            )
        return f"elsewhere: {len(found)} checkpoints kept elsewhere are of this very log"

    def address(self) -> str:
        """The acts are those of whoever has that address."""
        if self.is_whole:
            raise Fault("address: only a bundle of one person has the key that this takes")
        key = _octets(self.files.json("who.json")["key"])
        wanted = hmac.new(key, _canonical(self.given.address).encode(), "sha256").hexdigest()
        told = [entry.said["who"] for entry in self.answers if entry.said]
        if not self.answers:
            return "address: there is no answer to hold it to"
        if not told or any(each != wanted for each in told):
            raise Fault("address: the answers are not those of that address")
        return "address: the answers are those of that address"

    def _text_elsewhere(self) -> str:
        with Path(self.given.checkpoint).open("rb") as file:
            octets = file.read(LARGEST_FILE + 1)
        if len(octets) > LARGEST_FILE:
            raise Fault("elsewhere: the file given is larger than it has to be")
        text = str(octets, "utf-8", "replace").replace("\r\n", "\n")
        return re.sub(r"(?m)^(?:> ?)+", "", text)  # as mails quote

    def _sizes_elsewhere(self) -> set[int]:
        """Return the sizes of which `kept_elsewhere` will ask for the root."""
        if not self.given.checkpoint:
            return set()
        try:
            return {int(note[2]) for note in _NOTE.finditer(self._text_elsewhere())}
        except (Fault, OSError):
            return set()  # `kept_elsewhere` says so

    def _consents(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for line in self.files.lines("consents.jsonl"):
            told = _json(line)
            yield told["entry"], told["record"]

    def _agree(self, record: dict[str, Any], entry: Entry) -> None:
        """Hold a consent to its entry."""
        said, proof = entry.said or {}, record["repermit:proof"]
        if "controller" not in self.replay.approved:
            raise Fault(f"consents: before that of entry {entry.number} nothing was approved")
        languages = record["dct:language"]
        number = str(uuid.uuid5(uuid.UUID(self.key.campaign), f"consent:{entry.number}"))
        given = record["dpv:hasConsentStatus"][-1]
        notices = [each["dct:identifier"] for each in record["dpv:hasNotice"][:-1]]
        purposes = [each["dct:identifier"] for each in record["dpv:hasProcess"]]
        shown = [f"sha256:{each}" for each in (said.get("mail"), said.get("page")) if each]
        privacy = record["dpv:hasNotice"][-1].get("dct:identifier")
        counted = f"sha256:{said['notice']}" if said.get("notice") else None
        facts = {
            "is no yes": is_yes(entry),
            "has another number": record["@id"] == f"urn:uuid:{number}"
            and record["dct:identifier"] == number,
            "has another leaf": proof["repermit:leafHash"] == entry.leaf.hex()
            and proof["repermit:leaf"] == entry.number,
            "has another root": proof["repermit:logRoot"] == self.checkpoint.root.hex()
            and proof["repermit:logSize"] == self.checkpoint.size,
            "is that of somebody else": record["dpv:hasDataSubject"]["dct:identifier"]
            == f"{self.key.campaign}/{entry.recipient}",
            "has another time": given["dpv:isIndicatedAtTime"] == f"{entry.at[:19]}Z"
            and record["dct:created"] == f"{entry.at[:19]}Z",
            "has another button": given["schema:text"] == said.get("button"),
            "came another way": given["dpv:hasIndicationMethod"] == said.get("way"),
            "has another language": "+".join(languages) == said.get("language")
            and all(each["dct:language"] == languages for each in record["dpv:hasNotice"][:-1]),
            "has another purpose": bool(purposes)
            and sorted(purposes) == sorted(said.get("covers", ())),
            "has other words for its purpose": all(
                self._is_approved(each, languages) for each in record["dpv:hasProcess"]
            ),
            "has another controller": self._is_controller(record),
            "was shown something else": notices == shown,
            "has another privacy notice": privacy == counted,
            "has another release": proof["repermit:release"] == said.get("release"),
        }
        for words, holds in facts.items():
            if not holds:
                raise Fault(f"consents: that of entry {entry.number} {words}")
        self.consents[entry.number] = int(entry.recipient or 0)

    def _is_approved(self, process: dict[str, Any], languages: list[str]) -> bool:
        """Return whether a record has a purpose in the words that were approved for it."""
        (known,) = (
            each
            for each in self.replay.approved["purposes"]
            if each["id"] == process["dct:identifier"]
        )
        words, often = process["dpv:hasPurpose"]["dct:description"], process["dpv:hasFrequency"]
        told = (_spoken(known[each], languages) for each in ("text", "frequency"))
        return (words, often) == (*told,)

    def _is_controller(self, record: dict[str, Any]) -> bool:
        """Return whether a record names who asked as that was approved."""
        approved, said = self.replay.approved, record["dpv:hasDataController"]
        known = approved["controller"]
        stored = record["dpv:hasStorageCondition"][1]["dpv:hasLocation"][0]
        facts = (
            (said["dpv:hasName"], known["name"]),
            (record["dpv:hasRecipient"][0], known["name"]),
            (said["dpv:hasAddress"], known["postal_address"]),
            (stored, known["postal_address"]),
            (said["dpv:hasContact"], known["email"]),
            (said["dct:identifier"], known["registration"]),
            (record["dpv:hasAuthority"]["dpv:hasName"], known["authority"]),
            (
                record["dpv:hasNotice"][-1]["schema:url"],
                known["privacy_url"] or f"{approved['public_url']}/privacy",
            ),
        )
        return all(one == other for one, other in facts)

    def _is_mail(self, skeleton: str, mails: set[str]) -> bool:
        """Return whether the mail as it was seen is *skeleton*, with places filled."""
        text, doctype, markup = skeleton.partition(_DOCTYPE)
        if mails != ({"seen/mail.txt", "seen/mail.html"} if doctype else {"seen/mail.txt"}):
            return False
        return _fits(self.files.text("seen/mail.txt"), text) and (
            not doctype
            or _fits(self.files.text("seen/mail.html"), doctype[2:] + markup, is_html=True)
        )

    def _note_mail(self, entry: Entry, whose: int) -> None:
        for move in (entry.said or {}).get("moves", ()):
            if "mail" in move and any(first <= whose <= last for first, last in move["ids"]):
                self.mails.add(move["mail"])

    def _facts(self, name: str, kind: str, told: Any) -> str:
        logged = self.replay.facts[kind]
        here = {each["entry"]: (each["at"], each["said"]) for each in told}
        if len(here) != len(told) or here != logged:
            raise Fault(f"{name}: they are not those of the log")
        return f"{name}: {len(here)} of them, each as its entry has it"

    def _shown(self, hashed: Any, kind: str) -> str:
        return self.files.text(f"shown/{hashed}.{kind}")


def _spoken(texts: dict[str, str], languages: list[str]) -> list[dict[str, str]]:
    """Return *texts* as a record has them: in those of *languages*, or in all for none of them."""
    found = [each for each in languages if each in texts] or list(texts)
    return [{"@language": each, "@value": texts[each]} for each in found]


def _fits(text: str, skeleton: str, *, is_html: bool = False) -> bool:
    """Return whether *text* is *skeleton* with a short value in each of its places."""
    first, *others = _PLACE.split(skeleton)
    if not others:
        return text == first
    if not text.startswith(first):
        return False
    start = len(first)
    for number, part in enumerate(others, 1):
        end = text.find(part, start) if number < len(others) else len(text) - len(part)
        if end < start or not text.endswith(part, start, end + len(part)):
            return False
        if not _is_value(text[start:end], is_html=is_html):
            return False
        start = end + len(part)
    return True


def _is_value(text: str, *, is_html: bool) -> bool:
    """Return whether *text* may stand in a place: one line, short, and no markup."""
    plain = html.unescape(text) if is_html else text
    is_escaped = not is_html or html.escape(plain) == text
    is_line = not any(unicodedata.category(each) in ("Cc", "Zl", "Zp") for each in plain)
    return is_escaped and is_line and len(plain) <= LONGEST_VALUE


def _within(ids: Any, first: int, last: int) -> list[int]:
    """Return which of *ids* are from *first* to *last*."""
    if last - first < len(ids):
        return [each for each in range(first, last + 1) if each in ids]
    return [each for each in ids if first <= each <= last]


def _json(text: Any) -> Any:
    return json.loads(text, parse_constant=_no_number)


def _no_number(_: str) -> None:
    raise Fault("a number is none")


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _octets(text: Any) -> bytes:
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise Fault("a hash or a key is not written as one")
    return bytes.fromhex(text)


def _canonical(address: str) -> str:
    """Return an address as the campaign compares it."""
    local, _, domain = unicodedata.normalize("NFKC", address.strip()).rpartition("@")
    if not domain.isascii():
        domain = str(domain.encode("idna"), "ascii")
    return f"{local}@{domain}".casefold()


def _plain(text: str) -> str:
    return "".join(each if " " <= each <= "~" else "?" for each in text)[:80]


def _given(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Checks an evidence bundle, without repermit.")
    parser.add_argument("bundle", metavar="BUNDLE", help="the ZIP file, or the folder it is in")
    parser.add_argument("--key", help="the campaign's key, from somewhere you trust, or its file")
    parser.add_argument(
        "--checkpoint", metavar="FILE", help="a checkpoint that was kept elsewhere, in any text"
    )
    parser.add_argument(
        *("--address",),
        nargs="?",
        const="-",
        help="of one person's bundle: is it that of this address? Without it, you are asked.",
    )
    given = parser.parse_args(arguments)
    for path in filter(None, (given.bundle, given.checkpoint)):
        if not Path(path).exists():
            parser.error(f"there is no {_plain(path)}")
    if given.key and Path(given.key).is_file():
        given.key = Path(given.key).read_text("utf-8", "replace").strip()
    if given.address == "-":
        print("E-mail address: ", end="", file=sys.stderr, flush=True)
        given.address = sys.stdin.readline()
    return given


def _said(check: Callable[[], str]) -> tuple[bool, str]:
    """Return whether a check holds, and what it says."""
    name = str(getattr(check, "__name__", "bundle")).replace("_", " ")
    try:
        return True, check()
    except Fault as fault:
        return False, str(fault)
    except _BROKEN:
        return False, f"{name}: something in it is missing, or not what a bundle has there"


def main(arguments: list[str] | None = None) -> int:
    """Check the bundle that *arguments* name, say what was found, and return 0 or 1."""
    given = _given(arguments)
    checks: list[Callable[[], str]] = []
    names = set[str]()

    def bundle() -> str:
        files = Files(Path(given.bundle))
        names.update(files.names)
        checks.extend(Checks(files, given).all())
        return "bundle: it can be read"

    found = [_said(bundle)]
    print(f"{'ok' if found[0][0] else 'false':6}{found[0][1]}")
    for check in checks:
        found.append(_said(check))
        print(f"{'ok' if found[-1][0] else 'false':6}{found[-1][1]}", flush=True)
        if not found[-1][0] and check.__name__ in _ROOTS:
            print("Nothing that rests on this was looked at.")
            break
    wrong = sum(not holds for holds, _ in found)
    if wrong:
        print(f"This bundle does not hold: {wrong} of {len(found)} checks are false.")
        return 1
    if given.key is None:
        print("Not checked: whose key it is. Compare key.txt with one from elsewhere, by --key.")
    if "entries.jsonl" in names:
        print("Not checked: that nothing later about this person is left out. Only the bundle of")
        print("  the campaign shows that.")
    print("Not checked: index.html, config.toml, verify.py, and in policy.json the decisions. They")
    print("  are signed, and not held to the log. Of the records: the masked address, country and")
    print("  law, when the question was asked, processors, the address of the pages, and the terms")
    print("  that are the same in all of them, such as the legal basis.")
    if not given.checkpoint:
        print("Not checked: that no other log was made later. Give a checkpoint with --checkpoint.")
    print(f"This bundle holds: {len(found)} checks.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
