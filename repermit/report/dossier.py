"""The evidence of one person: what they were shown, what they did, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from repermit.domain.address import Address
from repermit.domain.clock import iso
from repermit.errors import PersonUnknown
from repermit.ledger.engine import Ledger
from repermit.ledger.merkle import Tree
from repermit.ledger.store import evidence, reading
from repermit.ledger.store.consent import standing_consent
from repermit.ledger.store.reading import OnFile
from repermit.ledger.transaction import Transaction
from repermit.report.bundle import Bundle, Maker, Tell, shown_name, written


class Kept(NamedTuple):
    """Something that was shown, its places open."""

    kind: str
    language: str
    content: str


@dataclass
class Seen:
    """What one person saw, by file name, and in words what cannot be shown any more."""

    files: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


See = Callable[[OnFile, str | None, Mapping[str, Kept]], Seen]


def shown_to(tx: Transaction, found: OnFile) -> tuple[str | None, dict[str, Kept]]:
    """Return the hash of the mail that somebody had (None: none), and what they were shown."""
    mail = evidence.mail_of(tx, found.id)
    notices = evidence.notices_of(tx, found.id)
    shown = (hashed for each in found.answers for hashed in (each.mail, each.page))
    seen_by = {mail, *notices, *shown} - {None}
    kept = {
        hashed: Kept(kind, language, content)
        for hashed, kind, language, content in evidence.shown(tx)
        if hashed in seen_by
    }
    return mail, kept


async def bundle_of(
    ledger: Ledger, path: Path, maker: Maker, address: Address, see: See, *, tell: Tell
) -> int:
    """Write the evidence of the person at *address* to a new file at *path*, and return 1.

    *see* fills what was kept with what was theirs: it is given what is on file about them, the
    hash of their mail, and what they were shown.
    Raises: PersonUnknown; as `bundle` does.
    Crash: as `bundle`.
    """

    def fill(file: Bundle) -> int:
        found = reading.find(file.tx, address)
        if found is None:
            raise PersonUnknown
        mail, kept = shown_to(file.tx, found)
        seen = see(found, mail, kept)
        tell(
            "In it: what the log has about that person, each entry with the proof that it is"
            f" there, what they were shown, {len(seen.files):,} texts as they saw them, their"
            " record, and what checks it all."
        )
        tell("It names 1 person, by a masked address, and nobody else.")
        _fill(file, found, mail, kept, seen)
        return 1

    return await written(ledger, path, maker, fill)


def _fill(
    file: Bundle, found: OnFile, mail: str | None, kept: Mapping[str, Kept], seen: Seen
) -> None:
    tx, tree = file.tx, Tree(evidence.leaves(file.tx))
    consent = standing_consent(tx, found.id)
    file.begin()
    file.entries(
        "entries.jsonl",
        evidence.about(tx, found.id, kept),
        lambda entry: {"path": [each.hex() for each in tree.inclusion(entry.index)]},
    )
    file.archive.add_json("consistency.json", _consistency(tx, tree))
    file.consents(iter([(consent.leaf, found.id)] if consent else []))
    file.shown(among=kept)
    file.rules([_decision(found)])
    for name, content in sorted(seen.files.items()):
        file.archive.add(name, content)
    key = evidence.address_key(tx, found.id).hex()
    file.archive.add_json("who.json", {"recipient": found.id, "key": key})
    file.end(
        people=1,
        person={
            "masked": found.person.address.masked,
            "standing": str(found.standing),
            "asked_at": iso(found.intent_at),
            "mail": shown_name(mail, "mail") if mail else "",
            "notices": [shown_name(each, "notice") for each in kept if kept[each].kind == "notice"],
            "seen_mail": [name for name in sorted(seen.files) if name.startswith("seen/mail")],
            "acts": [_act(each, seen) for each in found.answers],
            "lost": seen.lost,
        },
    )


def _consistency(tx: Transaction, tree: Tree) -> list[dict[str, Any]]:
    """Return what proves that the log at each approval, when its page bore a checkpoint, is the
    beginning of this one."""
    sizes = [each["entry"] + 1 for each in evidence.approvals(tx)]
    return [
        {
            "size": size,
            "root": tree.root(size).hex(),
            "path": [each.hex() for each in tree.consistency(size)],
        }
        for size in sizes
    ]


def _decision(found: OnFile) -> dict[str, Any]:
    known = found.person.evidence
    return {
        "cell": found.cell,
        "standing": str(found.standing),
        "reason": found.reason,
        "relationship": known.relationship,
        "country": known.country,
        "source": known.source,
        "collected": known.collected.isoformat() if known.collected else None,
    }


def _act(each: reading.AnswerOnFile, seen: Seen) -> dict[str, Any]:
    page = f"seen/page-{each.leaf}.html"
    return {
        "at": iso(each.at),
        "answer": each.answer,
        "button": each.button,
        "way": each.way,
        "language": each.language,
        "purposes": ", ".join(each.purposes),
        "page": shown_name(each.page, "page") if each.page else "",
        "seen": page if page in seen.files else "",
        "entry": each.leaf,
    }
