"""Handles messages: each is read, settled once, and then removed or put away where it came from.

A message stays until it is settled, so that a kill at any instant only makes it be handled again;
the ledger knows it then by its digest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from repermit.domain.envelope import Of, SignedNames
from repermit.domain.token import Tokens, is_nobody
from repermit.errors import SendRefused
from repermit.inbound.digest import digest
from repermit.inbound.reading import REPLIES, Kind, Reading, Unreadable, read
from repermit.inbound.settle import Outcome, settle_all
from repermit.inbound.tree import MOST_BYTES
from repermit.ledger.engine import Ledger
from repermit.ledger.store import handled
from repermit.ledger.store.inbound import LanguageOf, whose_address

BATCH = 64  # messages that are settled together: their commits share a sync
UNREADABLE = "unreadable"
_WHY = {
    Outcome.FORGED: "it names a mail of this campaign, with a signature that is not ours",
    Outcome.NOT_OURS: "it names no mail of this campaign, or nobody who is on file, or so much of"
    " theirs waits already that it is not listed",
}
_ABOUT_US = "it was refused because of us: read what it says"
_OF_PEOPLE = frozenset({Of.QUESTION, Of.UNSUBSCRIBE})
_NOBODY = frozenset({None, Outcome.REPEATED, Outcome.FORGED, Outcome.NOT_OURS})
_PUT_AWAY = frozenset(map(str, _WHY))


Looked = tuple[bytes, Reading | Unreadable]  # its digest, and what it is


@dataclass(frozen=True)
class Handled:
    """What became of one message: `outcome` is None for one that cannot be read."""

    reading: Reading | Unreadable
    outcome: Outcome | None

    @property
    def is_kept(self) -> bool:
        """Return whether it must stay where it is, for the next look."""
        return self.outcome is Outcome.LATER

    @property
    def reason(self) -> str:
        """Return the word for why it is put away, empty when it is not. What was refused because of
        us is, for a person must read it."""
        if isinstance(self.reading, Unreadable):
            return UNREADABLE
        if self.outcome in _WHY:
            return str(self.outcome)
        return str(Kind.ABOUT_US) if self.reading.kind is Kind.ABOUT_US else ""

    @property
    def why(self) -> str:
        """Return the sentence for it."""
        if isinstance(self.reading, Unreadable):
            return self.reading.why
        if self.outcome in _WHY:
            return _WHY[self.outcome]
        return _ABOUT_US if self.reason else ""


@dataclass(frozen=True)
class Foreseen:
    """What a message is, and the recipient from whose address somebody wrote it, where nothing of
    ours tells whose it is."""

    reading: Reading | Unreadable
    writer: int | None = None


@dataclass
class Tally:
    """What was done with the messages of one look; what settles nobody is of no kind."""

    by_kind: Counter[str] = field(default_factory=Counter)
    by_outcome: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    on_server: int = 0  # of these, those in a folder of the mailbox
    stops: int = 0  # messages that stopped the sending
    stopped: SendRefused | None = None  # why and what to do, once one has
    waiting: int = 0  # they could not be settled now, or not be read, and stay

    def count(self, handled: Handled) -> None:
        """Count a message."""
        reading = handled.reading
        if not isinstance(reading, Unreadable) and handled.outcome not in _NOBODY:
            self.by_kind[str(reading.kind)] += 1
            is_settled = handled.outcome is Outcome.SETTLED
            self.stops += is_settled and reading.kind is Kind.ABOUT_US
        self.by_outcome[str(handled.outcome or UNREADABLE)] += 1
        self.waiting += handled.is_kept

    @property
    def read(self) -> int:
        """Return how many messages were read."""
        return self.by_outcome.total()


@dataclass(frozen=True)
class Desk:
    """What messages are read and settled with."""

    ledger: Ledger
    names: SignedNames
    tokens: Tokens
    key: bytes = field(repr=False)  # of the mails
    language_of: LanguageOf
    tally: Tally = field(default_factory=Tally)

    def now(self) -> datetime:
        """Return the moment it is."""
        return self.ledger.clock.now()

    def look(self, content: bytes) -> Looked:
        """Return the digest of a message and what it is: pure, and for a thread, for it may take a
        while. *content* is a byte longer than what is read if there is more."""
        begin, is_cut = content[:MOST_BYTES], len(content) > MOST_BYTES
        reading = read(begin, self.names, self.tokens, is_cut=is_cut)
        about = None if isinstance(reading, Unreadable) else reading.whose
        return digest(begin, self.key, about), reading

    async def foresee(self, reading: Reading | Unreadable) -> Foreseen:
        """Return as what a message would be handled; nothing is changed."""
        if isinstance(reading, Unreadable) or reading.whose or not reading.sender:
            return Foreseen(reading)
        if reading.kind not in REPLIES:
            return Foreseen(reading)
        return Foreseen(reading, await self.ledger.read(whose_address, reading.sender))

    async def settle(self, looked: Sequence[Looked]) -> list[Handled]:
        """Settle what was read, durably, and return what became of each, counted."""
        whole = [(of, each) for of, each in looked if not isinstance(each, Unreadable)]
        outcomes = iter(await settle_all(self.ledger, whole, language_of=self.language_of))
        done: list[Handled] = []
        for of, each in looked:
            outcome = None if isinstance(each, Unreadable) else next(outcomes)
            if outcome is Outcome.REPEATED:  # its end may have come before it was put away
                before = await self.ledger.look(handled.outcome_of, of)
                outcome = Outcome(before) if before in _PUT_AWAY else outcome
            done.append(Handled(each, outcome))
            self.tally.count(done[-1])
        return done


def whose(reading: Reading) -> str:
    """Return whose mail a message is about: the id of a recipient, another mail of ours, or
    nobody."""
    found = reading.whose
    if found is None or (found.of in _OF_PEOPLE and is_nobody(found.number)):
        return "nobody"
    return str(found.number) if found.of in _OF_PEOPLE else f"{found.of} {found.number}"


def why_of(reading: Reading) -> str:
    """Return why a message would move nobody, as far as it alone tells; else empty."""
    if reading.whose is not None:
        return ""
    return _WHY[Outcome.FORGED if reading.forged else Outcome.NOT_OURS]
