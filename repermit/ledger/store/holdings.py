"""What is held at this moment, as counts: for the record of processing, and after a breach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from repermit.domain.address import holds_at
from repermit.errors import KeysUnusable, SealBroken
from repermit.ledger.instants import from_micros
from repermit.ledger.store.campaign import Figures, figures
from repermit.ledger.store.returns import waiting_replies
from repermit.ledger.transaction import Transaction

_SHARED: Final = 3  # a source that fewer people share may be about one of them
_MOST_SOURCES: Final = 20  # that are named
_KNOWN_SOURCES: Final = 10_000  # that are counted apart: a list may have another in every row


@dataclass(frozen=True)
class Exported:
    """One file with addresses that was made."""

    at: datetime
    standing: str
    format: str
    rows: int


@dataclass(frozen=True)
class Holdings:
    """What is held; nobody can be told from it."""

    figures: Figures
    begun_at: datetime
    imports: int
    first_import_at: datetime | None
    last_import_at: datetime | None
    groups: tuple[tuple[str | None, str | None, int], ...]  # relationship, country, people
    fields: Mapping[str, int]  # of how many people each sealed field is known
    altered: int  # people whose sealed fields were altered and cannot be opened
    keyless: int  # people whose sealed fields have no key that can be used
    sources: tuple[tuple[str, int], ...]  # where several people come from, the most first
    other_sources: int  # people whose source is not named here
    also_said: int  # people of whom another list says something, too
    answers: int
    origins: int
    replies: int  # that wait for a person
    agreed: Mapping[str, int]  # to each purpose
    suppressed: Mapping[str, int]  # by how it came
    suppressed_since: datetime | None
    exports: tuple[Exported, ...]
    generation: int
    in_use: tuple[int, ...]  # generations that a sealed field stands under
    purges: int
    last_purge_at: datetime | None


def holdings(tx: Transaction) -> Holdings:
    """Return what is held, all of one moment. Opens every sealed field, one after the other.

    What cannot be opened is counted: it is most needed when something is wrong.
    """
    begun, generation = tx.one("SELECT created_at, generation FROM campaign")
    imports, first, last = tx.one(
        "SELECT count(*), min(completed_at), max(completed_at) FROM intake"
        " WHERE completed_at IS NOT NULL AND undone_at IS NULL"
    )
    purges, purged_at = tx.one("SELECT count(finished_at), max(finished_at) FROM purge")
    sealed = _sealed(tx)
    fields, named = sealed.fields, _named(sealed.sources)
    return Holdings(
        figures=figures(tx),
        begun_at=from_micros(begun),
        imports=imports,
        first_import_at=from_micros(first),
        last_import_at=from_micros(last),
        groups=tuple(
            tx.rows(
                "SELECT relationship, country, count(*) FROM recipient"
                " GROUP BY relationship, country ORDER BY count(*) DESC, relationship, country"
            )
        ),
        fields=fields,
        altered=sealed.altered,
        keyless=sealed.keyless,
        sources=named,
        other_sources=fields["source"] - sum(count for _, count in named),
        also_said=tx.value("SELECT count(DISTINCT recipient_id) FROM also_said"),
        answers=tx.value("SELECT count(*) FROM answer"),
        origins=tx.value("SELECT count(*) FROM origin"),
        replies=waiting_replies(tx),
        agreed=dict(
            tx.rows(
                "SELECT value, count(*) FROM recipient, json_each(recipient.purposes)"
                " WHERE standing = 'opted_in' GROUP BY value"
            )
        ),
        suppressed=dict(
            tx.rows("SELECT source, count(*) FROM suppression GROUP BY source ORDER BY source")
        ),
        suppressed_since=from_micros(tx.value("SELECT min(at) FROM suppression")),
        exports=_exports(tx),
        generation=generation,
        in_use=tuple(
            number
            for (number,) in tx.rows(
                "SELECT generation FROM recipient UNION SELECT generation FROM origin"
                " UNION SELECT generation FROM reply ORDER BY 1"
            )
        ),
        purges=purges,
        last_purge_at=from_micros(purged_at),
    )


@dataclass
class _Sealed:
    """What the sealed fields of everybody hold, as counts of people."""

    fields: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    altered: int = 0
    keyless: int = 0


def _sealed(tx: Transaction) -> _Sealed:
    found = _Sealed()
    for recipient_id, generation, sealed in tx.connection.execute(
        "SELECT id, generation, CAST(sealed AS BLOB) FROM recipient"
    ):
        try:
            known = tx.vault.open(sealed, generation=generation, recipient_id=recipient_id)
        except SealBroken:
            found.altered += 1
            continue
        except KeysUnusable:
            found.keyless += 1
            continue
        found.fields.update(known.keys())
        source, sources = known.get("source", ""), found.sources
        if source in sources or (source and len(sources) < _KNOWN_SOURCES):
            sources[source] += 1
    return found


def _named(sources: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Return the sources that may be named: shared by several people, and no address in it."""
    shared: Iterable[tuple[str, int]] = (
        (source, count)
        for source, count in sources.most_common()
        if count >= _SHARED and not holds_at(source)
    )
    return tuple(shared)[:_MOST_SOURCES]


def _exports(tx: Transaction) -> tuple[Exported, ...]:
    rows = tx.rows("SELECT at, standing, format, rows FROM export ORDER BY id")
    return tuple(Exported(from_micros(at), *more) for at, *more in rows)
