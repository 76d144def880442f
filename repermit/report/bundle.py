"""The evidence of a campaign, or of one person, for somebody who trusts nobody here.

What is in it, and what it proves, stands on its front page; `verifier.py` beside this file goes
with it and checks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from repermit.domain.clock import iso
from repermit.domain.count import counted
from repermit.domain.question import Question
from repermit.domain.record import record
from repermit.files import file_refused, whole
from repermit.ledger.checkpoint import Signing
from repermit.ledger.engine import Ledger
from repermit.ledger.mark import MarkFile
from repermit.ledger.store import evidence
from repermit.ledger.store.campaign import cells
from repermit.ledger.store.consent import standing_consent
from repermit.ledger.store.evidence import Entry
from repermit.ledger.store.written import note_file
from repermit.ledger.transaction import Transaction
from repermit.ledger.verify import Verified
from repermit.report.archive import Archive, line

VERIFIER: Final = Path(__file__).with_name("verifier.py")
_MOST_GROUPS = 500  # of the same mail, page and button, on the front page
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Maker:
    """What the bundles of one campaign are made with; *front* renders the front page."""

    signing: Signing
    question: Question
    public_url: str
    config: str
    release: str
    front: Callable[[Mapping[str, Any]], str]


@dataclass
class Group:
    """How many pressed the same button on the same page after the same mail, and when."""

    count: int = 0
    first: str = ""
    last: str = ""


Groups = dict[tuple[str, ...], Group]


@dataclass
class Bundle:
    """A bundle that is being written, of a ledger that verifies."""

    tx: Transaction
    maker: Maker
    archive: Archive
    found: Verified
    made: datetime
    groups: Groups = field(default_factory=dict)

    def begin(self) -> None:
        """Add what every bundle has."""
        signing, root = self.maker.signing, bytes.fromhex(self.found.root)
        self.archive.add("checkpoint.txt", signing.sign(self.found.size, root))
        self.archive.add("key.txt", f"{signing.verifying.text}\n")
        self.archive.add("verify.py", VERIFIER.read_text("utf-8"))

    def rules(self, decisions: list[dict[str, Any]]) -> None:
        """Add the approvals and the policy, as the log has them, and the *decisions* it made."""
        self.archive.add_json("approvals.json", evidence.approvals(self.tx))
        screenings = evidence.screenings(self.tx)
        self.archive.add_json("policy.json", {"decisions": decisions, "screenings": screenings})

    def consents(self, yeses: Iterator[tuple[int, int]]) -> int:
        """Add the record of each yes in *yeses*, and return how many they are."""
        count = 0
        with self.archive.member("consents.jsonl") as write:
            for entry, recipient_id in yeses:
                consent = standing_consent(self.tx, recipient_id)
                assert consent is not None  # noqa: S101 - the log verifies
                content = record(consent, self.maker.question, public_url=self.maker.public_url)
                write(line({"entry": entry, "record": content}))
                shown = (consent.mail or "", consent.page or "", consent.notice or "")
                pressed = (consent.button, consent.language, ", ".join(consent.purposes))
                self._group((*shown, *pressed), iso(consent.answered_at) or "")
                count += 1
        return count

    def entries(self, name: str, entries: Iterator[Entry], more: Callable[[Entry], Any]) -> int:
        """Add *entries*, each with what *more* says of it, and return how many they are."""
        count = 0
        with self.archive.member(name) as write:
            for entry in entries:
                write(line({**_told(entry), **more(entry)}))
                count += 1
        return count

    def shown(self, among: Mapping[str, Any] | None = None) -> Counter[str]:
        """Add what was shown, all of it or what is *among* those hashes; return how much of each
        kind."""
        kinds = Counter[str]()
        for hashed, kind, _, content in evidence.shown(self.tx):
            if among is None or hashed in among:
                kinds[kind] += 1
                self.archive.add(shown_name(hashed, kind), content)
        return kinds

    def end(self, **facts: Any) -> None:
        """Add the front page, which tells *facts*, and close the bundle."""
        context = {
            "made": iso(self.made),
            "release": self.maker.release,
            "size": self.found.size,
            "root": self.found.root,
            "key": self.maker.signing.verifying.text,
            "campaign_id": self.maker.signing.campaign,
            "who": self.maker.question.controller.name,
            "names": sorted({*self.archive.digests, "index.html", "manifest.txt"}),
            **facts,
        }
        self.archive.add("index.html", self.maker.front(context))
        self.archive.close(self.maker.signing, made=self.made, release=self.maker.release)

    def _group(self, key: tuple[str, ...], at: str) -> None:
        if key not in self.groups and len(self.groups) >= _MOST_GROUPS:
            return
        group = self.groups.setdefault(key, Group(first=at))
        group.count += 1
        group.first, group.last = min(group.first, at), max(group.last, at)


async def bundle(ledger: Ledger, path: Path, maker: Maker, *, tell: Tell) -> int:
    """Write the evidence of the whole campaign to a new file at *path*, and return how many people
    it names; *tell* is told what will be in it, first.

    Raises: ProofBroken when the log does not verify; FileRefused.
    Crash: a hidden file that ends in `.part`; an entry in the log without its bundle.
    """

    def fill(file: Bundle) -> int:
        tx, people = file.tx, evidence.count_yeses(file.tx)
        purges = evidence.purges(tx)
        tell(
            f"In it: {file.found.size:,} entries of the log, {counted(people, 'consent')}, what was"
            f" shown, approvals, policy, {counted(len(purges), 'purge')}, the config, and"
            " what checks it all."
        )
        tell(
            f"It names {counted(people, 'person', 'people')}, each by a masked address and a"
            " number."
        )
        file.begin()
        file.entries("log.jsonl", evidence.entries(tx), lambda _: {})
        file.consents(evidence.yeses(tx))
        file.shown()
        file.rules(
            [
                dict(zip(("cell", "standing", "reason", "count"), each, strict=True))
                for each in cells(tx)
            ]
        )
        file.archive.add_json("purges.json", purges)
        file.archive.add("config.toml", maker.config)
        file.end(people=people, groups=file.groups, purges=purges, person=None)
        return people

    return await written(ledger, path, maker, fill)


async def written(ledger: Ledger, path: Path, maker: Maker, fill: Callable[[Bundle], int]) -> int:
    """Let *fill* write a bundle to a new file at *path*, note it in the log, and return how many
    people it names."""
    mark = MarkFile(ledger.vault.keys.mark).read()

    with whole(path) as file:

        def part(tx: Transaction) -> int:
            found = evidence.proven(tx, mark)
            with file_refused(path), Archive(file) as archive:
                return fill(Bundle(tx, maker, archive, found, tx.now))

        people = await ledger.read(part)

        def note(tx: Transaction) -> None:
            note_file(tx, path, "bundle")
            evidence.note_bundle(tx, people=people)

        await ledger.write(note)
    return people


def shown_name(hashed: str, kind: str) -> str:
    """Return the name of what was shown under that hash."""
    return f"shown/{hashed}.{'html' if kind == 'page' else 'txt'}"


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "index": entry.index,
        "at": entry.at,
        "kind": entry.kind,
        "recipient": entry.recipient,
        "commitment": entry.commitment.hex(),
        "payload": None if entry.payload is None else entry.payload.decode(),
        "key": None if entry.key is None else entry.key.hex(),
    }
