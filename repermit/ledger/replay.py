"""Where the log leaves everybody: its entries, read from the first to the last."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from repermit.domain.standing import Standing
from repermit.ledger.instants import to_micros
from repermit.ledger.log import MOVING, Kind, listed

GONE: Final = ("purged", "erased", "taken_back")
_NAMES = ("", *map(str, Standing), *GONE)
_CODES = {name: code for code, name in enumerate(_NAMES)}
_NONE: Final = "[]"  # of what a yes could be for
_BEFORE_A_MAIL = frozenset(  # no date is printed in a mail that nobody has
    (Standing.LISTED, Standing.DEFERRED, Standing.WITHHELD, Standing.EXEMPT)
)


class Act(NamedTuple):
    """Where a person's own act leaves them: for what the yes is, as JSON, whether presses were
    void, and the entry of the yes that stands."""

    recipient: int
    standing: str
    covers: str
    suspect: int
    yes: int | None


def act_of(payload: Mapping[str, Any], index: int) -> Act:
    """Return the act that the entry at *index* tells."""
    standing, suspect = payload["standing"], payload.get("suspect", False)
    is_own = standing == Standing.OPTED_IN and not suspect
    return Act(
        recipient=payload["recipient"],
        standing=standing,
        covers=listed(payload.get("covers", ())),
        suspect=suspect,
        yes=index if is_own else payload.get("yes"),
    )


class Replay:
    """What the entries that were read so far say of each recipient, in 27 bytes for each.

    `standing` has codes (`name_of`); `due` microseconds, 0 without; `mail` and `covers`, for what
    the yes is, their places among `texts`.
    """

    def __init__(self, next_id: int) -> None:
        self.standing = bytearray(next_id)
        self.due = array("q", bytes(8 * next_id))
        self.mail, self.covers = array("I", bytes(4 * next_id)), array("I", bytes(4 * next_id))
        self.suspect = bytearray(next_id)
        self.yes = array("q", bytes(8 * next_id))  # the entry of the yes that stands, 0 without
        self.texts: list[str | None] = [None]
        self.gone = Counter[str]()  # ids, by one of GONE
        self.purged = Counter[int]()  # ids, by the number of the purge
        self.outside = set[int]()  # purges by which somebody went who is not in their manifest
        self._frozen = (0, bytearray())  # the purge that began last; a 1 for each id it may erase
        self._places: dict[str, int] = {}

    def read(self, index: int, kind: str, payload: Mapping[str, Any]) -> None:
        """Note what an entry says of recipients; most kinds say nothing."""
        if kind == Kind.FROZEN:
            self._freeze(payload["purge"], payload["ids"])
        if kind in MOVING:
            self.act(act_of(payload, index))
        for moved in payload.get("moves", ()):
            for first, last in moved["ids"]:
                self._move(first, last, moved)
                if moved["to"] == "purged":
                    self._purge(payload["purge"], first, last)

    def act(self, act: Act) -> None:
        """Note where a person's own act leaves them."""
        recipient_id = act.recipient
        if 0 <= recipient_id < len(self.standing):
            self.standing[recipient_id] = _CODES[act.standing]
            self.covers[recipient_id] = self._place(act.covers)
            self.suspect[recipient_id] = act.suspect
            self.yes[recipient_id] = act.yes or 0

    def row(
        self, recipient_id: int
    ) -> tuple[str, int | None, str | None, str | None, bool, int | None]:
        """Return where a recipient stands: standing, due date, mail, what the yes is for as JSON,
        whether presses are suspect, the entry of the yes. Nothing but empty values for an id that
        was never given."""
        if not 0 <= recipient_id < len(self.standing):
            return ("", None, None, None, False, None)
        return (
            _NAMES[self.standing[recipient_id]],
            self.due[recipient_id] or None,
            self.texts[self.mail[recipient_id]],
            self.texts[self.covers[recipient_id]],
            bool(self.suspect[recipient_id]),
            self.yes[recipient_id] or None,
        )

    def at(self, standing: Standing) -> Iterator[int]:
        """Yield the ids of who stands at *standing*, in their order."""
        code, found = _CODES[standing], -1
        while (found := self.standing.find(code, found + 1)) >= 0:
            yield found

    def there(self) -> int:
        """Return how many are not gone."""
        absent = sum(self.standing.count(_CODES[name]) for name in ("", *GONE))
        return len(self.standing) - absent

    def forget(self, recipient_id: int) -> None:
        """Take a recipient out: that they are there was seen."""
        if 0 <= recipient_id < len(self.standing):
            self.standing[recipient_id] = 0

    def left(self) -> Iterator[tuple[int, str]]:
        """Yield who is not gone, with where they stand."""
        gone = {_CODES[name] for name in GONE} | {0}
        return (
            (recipient_id, _NAMES[code])
            for recipient_id, code in enumerate(self.standing)
            if code not in gone
        )

    def _freeze(self, number: int, pairs: list[list[int]]) -> None:
        """Note whom a purge that begins may erase."""
        self._frozen = (number, bytearray(len(self.standing)))
        for first, last in pairs:
            self._frozen[1][first : last + 1] = b"\x01" * (last - first + 1)

    def _purge(self, number: int, first: int, last: int) -> None:
        """Note that the ids from *first* to *last* went by a purge."""
        size = last - first + 1
        self.purged[number] += size
        of, ids = self._frozen
        if of != number or ids[first : last + 1] != b"\x01" * size:
            self.outside.add(number)
        ids[first : last + 1] = bytes(len(ids[first : last + 1]))

    def _move(self, first: int, last: int, moved: Mapping[str, Any]) -> None:
        """Note that the ids from *first* to *last* moved."""
        name, size = moved["to"], last - first + 1
        if not 0 <= first <= last < len(self.standing) or name not in _CODES:
            return
        self.standing[first : last + 1] = bytes([_CODES[name]]) * size
        if name in GONE:
            self.gone[name] += size
        if "due" in moved or name in _BEFORE_A_MAIL:
            due = _micros(moved["due"]) if "due" in moved else 0
            self.due[first : last + 1] = array("q", [due]) * size
        if "mail" in moved:
            self.mail[first : last + 1] = array("I", [self._place(moved["mail"])]) * size

    def _place(self, text: str) -> int:
        if text == _NONE:
            return 0
        if text not in self._places:
            self._places[text] = len(self.texts)
            self.texts.append(text)
        return self._places[text]


@lru_cache(maxsize=64)  # one a day
def _micros(due: str) -> int:
    return to_micros(datetime.fromisoformat(due))
