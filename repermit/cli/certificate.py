"""The certificate of erasure for a client whose contract has ended.

It is made only when nothing is left to erase that repermit can reach, and says what it cannot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from repermit import __version__
from repermit.cli.session import counted
from repermit.errors import CertificateRefused

if TYPE_CHECKING:
    from repermit.ledger.store.certifying import Erased
    from repermit.ledger.store.closing import Obstacle
    from repermit.ledger.verify import Verified
    from repermit.purge.scan import Scanned
    from repermit.report.papers import Paper
    from repermit.runtime import Runtime


async def make_certificate(runtime: Runtime) -> Paper:
    """Return the certificate in the campaign's default language, or in English; every file that may
    hold somebody is looked through first.

    Raises: CertificateRefused with every reason; ProofBroken; WordingIncomplete; LedgerUnusable.
    """
    from repermit.cli.purging import own_addresses
    from repermit.ledger.store import certifying
    from repermit.purge.scan import scan
    from repermit.report import papers

    campaign = runtime.config.campaign
    async with runtime.ledger(acts=False) as ledger:
        found = await ledger.verified()
        found.require()
        _require_none(await ledger.read(lambda tx: list(certifying.against(tx))))
        folders = (runtime.config.folder,)
        scanned = await scan(ledger, own_addresses(runtime.config), folders)
        _require_none(list(_in_files(scanned)))
        erased = await ledger.read(certifying.erased)
    facts = _facts(runtime, erased, found, scanned)
    language = papers.language_of(campaign.default_language)
    return papers.make(
        runtime.templates, "certificate", (language,), lambda _: facts, zone=campaign.zone
    )


def _require_none(obstacles: list[Obstacle]) -> None:
    if obstacles:
        raise CertificateRefused(
            [(each.code, each.text, each.until) for each in obstacles],
            hint="do that, in this order, then make the certificate again; see docs/ending.md",
        )


def _in_files(scanned: Scanned) -> Iterator[Obstacle]:
    """Yield the files in which somebody who is erased can still be read, also those that say whom
    to remove elsewhere."""
    from repermit.ledger.store.closing import Obstacle

    for name, count in scanned.traces:
        people = counted(count, "person", "people")
        yield Obstacle("traces", f"{name} still tells of {people} who are erased: delete it")
    for name, count in scanned.removal:
        people = counted(count, "person", "people")
        text = f"{name} names {people} for other places: give it to the client, then delete it"
        yield Obstacle("traces", text)


def _facts(runtime: Runtime, erased: Erased, found: Verified, scanned: Scanned) -> dict[str, Any]:
    said, last = runtime.config.controller, erased.reports[-1] if erased.reports else {}
    by_reason = Counter[str]()
    for each in erased.reports:
        by_reason.update(each["by_reason"])
    return {
        "made": runtime.clock.now(),
        "release": __version__,
        "campaign": {"name": runtime.config.campaign.name, "id": erased.campaign},
        "controller": {
            "name": said.name,
            "postal_address": ", ".join(
                filter(None, map(str.strip, said.postal_address.split("\n")))
            ),
            "registration": said.registration,
        },
        "erased": vars(erased),
        "by_reason": list(by_reason.items()),
        "purges": [
            {
                "number": each["number"],
                "finished": datetime.fromisoformat(each["finished"]),
                "by": each["by"],
                "scheduled": each["scheduled"],
                "purged": each["purged"],
                "sha256": each["sha256"],
            }
            for each in erased.reports
        ],
        "places": [
            {"name": each.name, "on": each.done_on, "by": each.done_by} for each in erased.places
        ],
        "files": scanned.files,
        "unread": scanned.unread,
        "missing": scanned.missing,
        "beyond": last.get("beyond", ()),
        "level": last.get("level", ""),
        "machines": last.get("machines", ()),
        "copies": last.get("key_copies", {}).get("out_of_reach", ()),
        "log": {"size": found.size, "root": found.root},
        "verbatim": runtime.signing.sign(found.size, bytes.fromhex(found.root)),
    }
