"""What a list said wrong of somebody is put right on their own word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from repermit.ledger.engine import Ledger
from repermit.ledger.log import Kind
from repermit.ledger.store import approval, campaign, correcting, reading, timeline
from repermit.ledger.store.correcting import Correction
from repermit.ledger.store.reading import OnFile
from tests.builders import NOW, RULES, admit, asked, standings, verified

AN = "an@voorbeeld.example"


async def corrected(ledger: Ledger, number: int, name: str, value: str | date) -> Correction:
    """Correct one field and return what became of it; the ledger must verify after it."""
    rules, today = replace(RULES, recent_days=365), NOW.date()
    done = await ledger.write(correcting.correct, number, name, value, rules=rules, today=today)
    assert (await verified(ledger)).holds
    return done


async def person(ledger: Ledger, number: int) -> OnFile:
    """Return what is on file."""
    found = await ledger.read(reading.of, number)
    assert found is not None
    return found


@pytest.mark.parametrize("name", correcting.FIELDS)
async def test_each_field_counts_as_it_was_corrected_before_a_mail_has_left(
    a_ledger: Ledger, name: str
) -> None:
    (an,) = await admit(a_ledger, AN)
    value = date(2024, 5, 6) if name in correcting.DATES else "fr"

    assert await corrected(a_ledger, an, name, value) is Correction.DONE

    found = await person(a_ledger, an)
    assert found.person.address.mailbox == AN
    assert (getattr(found.person.evidence, name, None) or found.language) == value
    last = (await a_ledger.read(timeline.timeline, an))[-1]
    assert (last.kind, last.facts) == (Kind.CORRECTED, {"fields": [name]})


async def test_after_it_the_policy_decides_anew_and_no_earlier_approval_covers_them(
    a_ledger: Ledger,
) -> None:
    (an,) = await admit(a_ledger, AN, relationship="past_customer", ended=date(2010, 1, 1))
    assert (await standings(a_ledger))[an] == "withheld"
    proof = {"sale_ref": "F-1"}
    (els,) = await admit(a_ledger, "els@voorbeeld.example", **proof)
    await a_ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    await a_ledger.write(approval.approve, by="An", informed="Jan", digest="0" * 64, facts={})

    await corrected(a_ledger, an, "ended", date(2026, 11, 1))
    await corrected(a_ledger, els, "language", "fr")

    assert (await person(a_ledger, an)).reason == "evidence_incomplete"
    size, listed = await a_ledger.read(
        lambda tx: (
            tx.value("SELECT log_size FROM approval"),
            tx.value("SELECT listed_at_leaf FROM recipient WHERE id = ?", els),
        )
    )
    assert listed >= size


async def test_once_a_mail_may_have_left_only_the_language_is_corrected(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)

    assert await corrected(a_ledger, an, "source", "the market") is Correction.SHOWN
    assert await corrected(a_ledger, an, "language", "de") is Correction.DONE

    found = await person(a_ledger, an)
    assert (found.language, found.person.evidence.source) == ("de", "the stand at the fair")
    assert str(found.standing) == "asked"


async def test_nobody_is_corrected_who_is_not_there(a_ledger: Ledger) -> None:
    assert await corrected(a_ledger, 9, "language", "fr") is Correction.GONE
