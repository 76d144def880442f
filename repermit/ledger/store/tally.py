"""People counted by what became of them, by what they are to the organisation and by who runs their
mailbox: also those whose rows are gone, whom the purge counts while it erases them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from repermit.domain.outcome import ASKED, Outcome, outcome
from repermit.domain.standing import Standing
from repermit.ledger.transaction import Transaction

LEAST: Final = 10  # people, of whom a group is told apart: nobody is known by their group then
OTHER: Final = "other"  # all smaller groups together; of providers also one of many others
Groups = Mapping[str, Mapping[str, int]]  # name of a group, outcome, people


@dataclass(frozen=True)
class Tally:
    """The same people twice: by relationship ("" where none is known), and by provider."""

    relationships: Groups = field(default_factory=dict)
    providers: Groups = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[tuple[str | None, str | None, str, bool, bool, int]]) -> Tally:
        """Return the tally of rows of (relationship, provider, standing, suspect, whether a mail
        may have left, people)."""
        relationships: dict[str, Counter[str]] = {}
        providers: dict[str, Counter[str]] = {}
        for relationship, provider, standing, suspect, may_have_mail, people in rows:
            found = outcome(
                Standing(standing), suspect=bool(suspect), may_have_mail=bool(may_have_mail)
            )
            relationships.setdefault(relationship or "", Counter())[str(found)] += people
            providers.setdefault(provider or OTHER, Counter())[str(found)] += people
        return cls(relationships, providers)

    @classmethod
    def from_json(cls, kept: Mapping[str, Groups] | None) -> Tally:
        """Return what `to_json` made; an empty one of nothing."""
        return cls(**kept) if kept else cls()

    def to_json(self) -> dict[str, Any]:
        """Return it as a purge keeps it."""
        return {"relationships": self.relationships, "providers": self.providers}

    def plus(self, other: Tally) -> Tally:
        """Return both together."""
        return Tally(
            _sum(self.relationships, other.relationships), _sum(self.providers, other.providers)
        )

    def outcomes(self) -> dict[str, int]:
        """Return how many people there are by what became of them, every outcome named."""
        found = dict.fromkeys(map(str, Outcome), 0)
        for counts in self.relationships.values():
            for name, people in counts.items():
                found[name] += people
        return found

    def folded(self) -> Tally:
        """Return the same without a group of which fewer than `LEAST` were asked: those are one."""
        return Tally(_folded(self.relationships), _folded(self.providers))


def asked_of(counts: Mapping[str, int]) -> int:
    """Return how many of a group were asked."""
    return sum(counts.get(str(each), 0) for each in ASKED)


def on_file(tx: Transaction) -> Tally:
    """Return the tally of everybody who is there; it reads every row once."""
    return Tally.of(
        tx.rows(
            "SELECT relationship, provider, standing, suspect,"
            " (restored OR intent_at IS NOT NULL) AS may_have_mail, count(*) FROM recipient"
            " GROUP BY relationship, provider, standing, suspect,"
            " (restored OR intent_at IS NOT NULL)"
        )
    )


def outcomes(tx: Transaction, standings: Mapping[str, int]) -> dict[str, int]:
    """Return what `on_file` counts by outcome, of all those who stand as in *standings*; it reads
    only the few of whom their standing alone does not tell it."""
    few = [
        *tx.rows(
            "SELECT standing, suspect, (restored OR intent_at IS NOT NULL) AS may_have_mail,"
            " count(*) FROM recipient WHERE suspect"
            " GROUP BY standing, suspect, (restored OR intent_at IS NOT NULL)"
        ),
        *tx.rows(  # a mail has a date, so the index finds those without one
            "SELECT standing, suspect, FALSE AS may_have_mail, count(*) FROM recipient"
            " WHERE standing = 'opted_out' AND due_at IS NULL AND intent_at IS NULL"
            " AND NOT restored AND NOT suspect GROUP BY standing, suspect"
        ),
    ]
    rest = Counter(standings)
    for standing, _, _, people in few:
        rest[standing] -= people
    rows = [*few, *((standing, False, True, people) for standing, people in rest.items())]
    return Tally.of((None, None, *row) for row in rows).outcomes()


def _sum(one: Groups, other: Groups) -> dict[str, Counter[str]]:
    found = {name: Counter(counts) for name, counts in one.items()}
    for name, counts in other.items():
        found.setdefault(name, Counter()).update(counts)
    return found


def _folded(groups: Groups) -> dict[str, Counter[str]]:
    """Return the groups, the largest first; the next larger one joins the small ones where these
    are too few people together."""
    kept = {name: Counter(counts) for name, counts in groups.items() if name != OTHER}
    rest = Counter(groups.get(OTHER, {}))
    for name in sorted(kept, key=lambda each: (asked_of(kept[each]), each)):
        if asked_of(kept[name]) >= LEAST and not 0 < asked_of(rest) < LEAST:
            break
        rest.update(kept.pop(name))
    largest = dict(sorted(kept.items(), key=lambda each: (-asked_of(each[1]), each[0])))
    return {**largest, OTHER: rest} if rest else largest
