"""What stands beside the log, compared with it: answers, approvals, purges, what was shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from repermit.domain.standing import Standing
from repermit.ledger.instants import to_micros
from repermit.ledger.log import Kind, canonical, listed
from repermit.ledger.purged import Purges
from repermit.ledger.replay import Act, Replay, act_of
from repermit.ledger.store import places
from repermit.ledger.transaction import Transaction

_FACTS: Final = (  # of an answer: the names in its entry, and of its columns
    *("answer", "button", "covers", "language", "mail", "notice", "page", "purposes"),
    *("recipient", "release", "standing", "suspect", "way", "who", "yes"),
)
_ERASING = frozenset((Kind.FROZEN, Kind.PURGED, Kind.ERASED, Kind.REPORTED))
_COLUMNS = {"recipient": "recipient_id", "yes": "yes_leaf"}
_EXPORTED: Final = ("standing", "purpose", "log_size", "format", "rows", "content")
_TRUTHS = {0: "false", 1: "true"}
_LISTS = frozenset(("covers", "purposes"))
ANSWER_COLUMNS: Final = ", ".join(
    f"answer.{_COLUMNS.get(name, name)}" for name in ("leaf", "at", *_FACTS)
)
_UNPROVEN = (
    "SELECT leaf FROM answer WHERE NOT EXISTS"
    " (SELECT 1 FROM log WHERE \"index\" = leaf AND kind = 'answered' AND payload IS NOT NULL)"
)


class Records:
    """Compares each record with its entry as the entries pass; *note* takes what is false."""

    def __init__(self, tx: Transaction, note: Callable[[str], None]) -> None:
        self._tx, self._note = tx, note
        self._shown = {row[0]: row[1:] for row in _snapshots(tx, note)}
        self._proven = set[str]()  # of what was shown
        self._missing = set[str]()
        self._answers = self._approvals = self._exports = 0
        self._holds: dict[int, tuple[Any, ...]] = {}  # on those who are there
        self._extended: int | None = None  # before when nobody falls due
        self._purges = Purges(tx, note)
        self._notice: str | None = None  # that counts, by the entries so far
        self._places: dict[int, dict[str, Any]] = {}  # elsewhere, as the latest entries have them
        self._closed: int | None = None  # when the campaign was

    def proven(self, at: str, payload: bytes | None, answer: Sequence[Any]) -> Act | None:
        """Return where an answer, a row, leaves its person, if that is what the payload of its
        entry says to the letter; None otherwise."""
        leaf, moment, *facts = answer
        if leaf is None or moment != _micros(at):
            return None
        act = Act(facts[8], facts[10], facts[2], facts[11], facts[-1])
        is_own = act.standing == Standing.OPTED_IN and not act.suspect
        if is_own is not (act.yes == leaf):
            return None
        if entry_of([*facts[:-1], None] if is_own else facts) != payload:
            return None
        self._answers += 1
        self._require_shown(*facts[4:7])
        return act

    def compare(
        self, kind: str, at: str, said: Mapping[str, Any], *, index: int, answer: Sequence[Any]
    ) -> None:
        """Compare the record of one entry that was found true; *answer* is the row of its press,
        if it is one."""
        if kind == Kind.ANSWERED:
            self._answer(said, index, answer)
        elif kind == Kind.SHOWN:
            self._snapshot(said)
        elif kind == Kind.APPROVED:
            self._approval(at, said)
            self._set_notice(said["facts"].get("notice"))
        elif kind == Kind.JUDGED:
            self._set_notice(said["is"])
        elif kind == Kind.EXTENDED:
            self._extended = _micros(said["until"])
        elif kind == Kind.HELD:
            self._holds[said["recipient"]] = (
                *(said["kind"], _micros(at), _micros(said["until"])),
                *(said["by"], said["reason"]),
            )
        elif kind == Kind.RELEASED:
            self._holds.pop(said["recipient"], None)
        elif kind == Kind.EXPORTED and "number" in said:  # not the suppression list
            self._export(said)
        elif kind in _ERASING:
            self._purges.read(kind, at, said, index=index)
        elif kind == Kind.PLACED:
            self._places |= {each["id"]: each for each in said["places"]}
        elif kind == Kind.CLOSED:
            self._closed = _micros(at)

    def end(self, replay: Replay) -> None:
        """Compare what has no entry of its own: counts, and rows that nothing speaks of."""
        if self._answers != self._tx.value("SELECT count(*) FROM answer"):
            for (leaf,) in self._tx.connection.execute(_UNPROVEN):
                self._note(f"the answer at entry {leaf}: the log has none there")
        for hashed in sorted(self._shown.keys() - self._proven):
            self._note(f"what was shown as {_short(hashed)}: the log does not know it")
        if self._approvals != self._tx.value("SELECT count(*) FROM approval"):
            self._note("there are approvals of which the log does not know")
        if self._exports != self._tx.value("SELECT count(*) FROM export"):
            self._note("there are exports of which the log does not know")
        if self._tx.value("SELECT notice FROM campaign") != self._notice:
            self._note("the privacy notice that counts is not that of the log")
        if self._tx.value("SELECT extended_until FROM campaign") != self._extended:
            self._note("the date to which the deadline was moved is not that of the log")
        self._compare_holds()
        self._compare_places()
        if self._tx.value("SELECT closed_at FROM campaign") != self._closed:
            self._note("the campaign was closed at another time than the log says, or not at all")
        for name in ("purged", "erased"):
            self._count(name, replay.gone[name])
        self._count("admitted", replay.there() + replay.gone["purged"] + replay.gone["erased"])
        self._purges.end(replay)

    def _compare_holds(self) -> None:
        rows = self._tx.rows("SELECT recipient_id, kind, since, until, by, reason FROM hold")
        held = {recipient: tuple(facts) for recipient, *facts in rows}
        for recipient in sorted(held.keys() | self._holds.keys()):
            if held.get(recipient) != self._holds.get(recipient):
                self._note(f"the hold on recipient {recipient}: not what was logged")

    def _compare_places(self) -> None:
        """Name the places elsewhere that are not what the log says of them."""
        there = {each["id"]: each for each in places.rows_of(self._tx)}
        for number in sorted({*there, *self._places}):
            if repr(there.get(number)) != repr(_in_order(self._places.get(number))):
                self._note(f"place {number} elsewhere: not what was logged")

    def _set_notice(self, notice: str | None) -> None:
        """Note which text of the privacy notice counts from here on."""
        self._notice = notice
        self._require_shown(notice)

    def _count(self, name: str, logged: int) -> None:
        counted = self._tx.value(f"SELECT {name} FROM campaign")
        if counted != logged:
            self._note(f"the campaign counts {counted} {name}, the log {logged}")

    def _answer(self, said: Mapping[str, Any], index: int, answer: Sequence[Any]) -> None:
        """Name what is false about the record of an answer."""
        leaf, _, *facts = answer
        self._require_shown(said["mail"], said["notice"], said["page"])
        if leaf is None:
            self._note(f"the answer at entry {index} is not there any more")
            return
        self._answers += 1
        logged = [listed(said[name]) if name in _LISTS else said[name] for name in _FACTS]
        logged[-1] = act_of(said, index).yes
        differing = [
            name for name, fact, was in zip(_FACTS, facts, logged, strict=True) if fact != was
        ]
        named = ", ".join(differing) or "time"
        self._note(f"the answer at entry {index}: not what was logged ({named})")

    def _require_shown(self, *hashes: str | None) -> None:
        """Note what was shown and is not on file any more, once."""
        for hashed in hashes:
            if hashed and hashed not in self._shown and hashed not in self._missing:
                self._missing.add(hashed)
                self._note(f"what was shown as {_short(hashed)} is missing")

    def _snapshot(self, said: Mapping[str, Any]) -> None:
        self._require_shown(said["hash"])
        self._proven.add(said["hash"])
        on_file = self._shown.get(said["hash"])
        if on_file is not None and on_file != (said["kind"], said["language"], said["release"]):
            self._note(f"what was shown as {_short(said['hash'])}: not of the kind that was logged")

    def _approval(self, at: str, said: Mapping[str, Any]) -> None:
        self._approvals += 1
        row = self._tx.one(
            "SELECT at, by, informed, digest, log_size, facts FROM approval WHERE id = ?",
            said["number"],
        )
        wanted = (
            *(_micros(at), said["by"], said["informed"], said["digest"], said["log_size"]),
            canonical(said["facts"]).decode(),
        )
        if row != wanted:
            self._note(f"approval {said['number']}: not what was logged")

    def _export(self, said: Mapping[str, Any]) -> None:
        self._exports += 1
        row = self._tx.one(
            f"SELECT at, {', '.join(_EXPORTED)} FROM export WHERE id = ?", said["number"]
        )
        wanted = (said["seen"], *(said[name] for name in _EXPORTED))
        if repr(row) != repr(wanted):  # 1.0 is not 1
            self._note(f"export {said['number']}: not what was logged")


def _snapshots(tx: Transaction, note: Callable[[str], None]) -> Iterable[tuple[str, str, str, str]]:
    """Yield the hash of each content on file, with its kind, language and release; note those
    that are not what they were."""
    for hashed, kind, language, release, content, stored in tx.connection.execute(
        "SELECT hash, kind, language, release, CAST(content AS BLOB), typeof(content) FROM snapshot"
    ):
        if stored != "text" or sha256(content).hexdigest() != hashed:
            note(f"what was shown as {_short(str(hashed))}: it is not what was shown")
        yield str(hashed), kind, language, release


def _in_order(place: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what an entry says of a place, in the order of its columns."""
    return None if place is None else {name: place[name] for name in places.COLUMNS}


def entry_of(facts: Sequence[Any]) -> bytes:
    """Return the payload of the entry of an answer that has these columns, as `canonical` would
    write it."""
    answer, button, covers, language, mail, notice, page, purposes, *rest = facts
    recipient, release, standing, suspect, way, who, yes = rest
    return (
        f'{{"answer":"{answer}","button":{_quoted(button)},"covers":{covers},'
        f'"language":"{language}","mail":{_quoted(mail)},"notice":{_quoted(notice)},'
        f'"page":{_quoted(page)},'
        f'"purposes":{purposes},"recipient":{recipient},"release":"{release}",'
        f'"standing":"{standing}","suspect":{_TRUTHS.get(suspect)},"way":"{way}",'
        f'"who":"{who}","yes":{_quoted(yes)}}}'
    ).encode()


@lru_cache(maxsize=4096)  # words on buttons, hashes of what was shown
def _quoted(text: object) -> str:
    return json.dumps(text, ensure_ascii=False, default=repr)


def _short(hashed: str) -> str:
    return f"{hashed[:16]}…"


@lru_cache(maxsize=64)  # a group of entries has one moment
def _micros(at: str) -> int:
    return to_micros(datetime.fromisoformat(at))
