"""Takes in who unsubscribed elsewhere: in the newsletter tool that an export went to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from repermit.domain.address import Address
from repermit.domain.standing import Standing
from repermit.intake.listfile import ListFile
from repermit.intake.suppress import Heard, require_somebody, stopping
from repermit.ledger.engine import Ledger
from repermit.ledger.store import suppression


@dataclass
class WithdrawnList(Heard):
    """What a list of unsubscribes says, or what became of it: how many different addresses, where
    those of them who are recipients stood, and how many are newly suppressed."""

    addresses: int = 0
    stood: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0

    @property
    def withdrawn(self) -> int:
        """Return how many yeses stood."""
        return self.stood[Standing.OPTED_IN]

    @property
    def known(self) -> int:
        """Return how many had opted out before."""
        return self.stood[Standing.OPTED_OUT]

    @property
    def never_said_yes(self) -> int:
        """Return how many recipients had no yes that stood, and had not opted out."""
        return self.stood.total() - self.withdrawn - self.known

    @property
    def unknown(self) -> int:
        """Return how many addresses are nobody's here; they are suppressed like the others."""
        return self.addresses - self.stood.total()

    @property
    def leaving(self) -> int:
        """Return how many had a mail on its way, which nobody can call back."""
        return self.stood[Standing.CLAIMED]


async def heard(ledger: Ledger, source: ListFile) -> WithdrawnList:
    """Return what *source* says; changes nothing.

    Raises: ListUnreadable when it holds nobody at all.
    """
    found = WithdrawnList()
    for chunk in _different(source, found):
        found.stood += await ledger.read(suppression.stood, chunk)
    hint = "check that it is the right file"
    require_somebody(source.name, found, found.addresses, hint=hint)
    return found


async def withdraw(ledger: Ledger, source: ListFile) -> WithdrawnList:
    """Opt out and suppress everybody in *source*, and return what was done.

    Crash: those of the parts that are done stay so; run it again.
    """
    done = WithdrawnList()
    for chunk in _different(source, done):
        part = await ledger.write(suppression.suppress, chunk, source="elsewhere", reason="")
        done.stood += part.stood
        done.suppressed += part.added
    return done


def _different(source: ListFile, found: WithdrawnList) -> Iterator[list[Address]]:
    """Yield each address of *source* once, in parts, and count them."""
    seen = Seen()
    for chunk in stopping(source, found):
        part = [each for each in chunk if seen.is_new(each.canonical)]
        found.addresses += len(part)
        yield part


class Seen:
    """Which texts there were before, in some 25 bytes for each of a million: of each a digest of
    128 bits, among those that begin as it does."""

    def __init__(self) -> None:
        self._rests = defaultdict[bytes, bytearray](bytearray)

    def is_new(self, text: str) -> bool:
        """Return whether *text* was not there before; it is from now on."""
        digest = blake2b(text.encode(), digest_size=16).digest()
        rests, rest = self._rests[digest[:2]], digest[2:]
        if rest in rests:
            return False
        rests += rest
        return True
