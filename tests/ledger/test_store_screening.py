from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

from repermit.domain.policy import Outcome, Rules
from repermit.domain.provider import NO_CAPS
from repermit.ledger.engine import Ledger
from repermit.ledger.store import admission, approval, campaign, screening, sending
from tests.builders import (
    EVERYTHING,
    NOW,
    RULES,
    a_newcomer,
    admit,
    ask,
    intend_one,
    standings,
    take_in,
    verified,
)
from tests.databases import crowd, steps_of

FORBID = Rules(reasons=RULES.reasons, overrides={"BE.signed_up_no_proof": Outcome.WITHHOLD})

OLD_TOO = replace(RULES, old_contacts="they were members")
LONG_AGO = date(2019, 3, 12)


async def screen(
    ledger: Ledger, rules: Rules, *, slice_rows: int = 2
) -> Counter[tuple[str, str, str]]:
    """Screen everyone, slice by slice, and return the counts."""
    screened = screening.Counts()
    last = 0
    while True:
        last, found = await ledger.write(
            screening.screen_slice,
            rules,
            today=NOW.date(),
            after_id=last,
            slice_rows=slice_rows,
        )
        screened.add(found)
        if not last:
            return screened.cells


async def test_a_policy_that_changed_moves_those_who_had_no_mail(a_ledger: Ledger) -> None:
    ids = await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(5)))
    counts = await screen(a_ledger, FORBID)

    assert await standings(a_ledger) == dict.fromkeys(ids, "withheld")
    assert counts == {("BE.signed_up_no_proof", "withheld", "forbidden_here"): 5}
    assert (await verified(a_ledger)).holds
    await screen(a_ledger, RULES)
    assert await standings(a_ledger) == dict.fromkeys(ids, "listed")
    assert (await verified(a_ledger)).holds


async def test_those_who_may_be_asked_are_counted_by_age_and_by_the_mail_they_get(
    a_ledger: Ledger,
) -> None:
    """The latest contact decides on the age; whoever is not asked is not counted."""
    newcomers = [
        a_newcomer("a@voorbeeld.example", rules=OLD_TOO, collected=LONG_AGO),
        a_newcomer(
            "b@voorbeeld.example", rules=OLD_TOO, collected=LONG_AGO, last_contact=NOW.date()
        ),
        a_newcomer("c@voorbeeld.example", rules=OLD_TOO, collected=LONG_AGO, language=None),
        a_newcomer("d@voorbeeld.example", rules=OLD_TOO, collected=LONG_AGO, country="GB"),
    ]
    await a_ledger.write(take_in, newcomers)
    last, found = await a_ledger.write(
        screening.screen_slice, OLD_TOO, today=NOW.date(), after_id=0, slice_rows=9
    )

    assert last == 4
    assert found.ages == {7: 2, 0: 1}
    assert found.mails == {
        ("nl", "BE", "signed_up_no_proof", False): 2,
        (None, "BE", "signed_up_no_proof", False): 1,
    }


async def test_whoever_had_a_mail_is_not_screened_again(a_ledger: Ledger) -> None:
    one, two = await admit(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example")
    await ask(a_ledger, one)
    counts = await screen(a_ledger, FORBID)

    assert await standings(a_ledger) == {one: "asked", two: "withheld"}
    assert counts.total() == 1


async def test_a_screening_that_changes_nothing_writes_nothing(a_ledger: Ledger) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    size = (await a_ledger.read(campaign.figures)).log_size
    counts = await screen(a_ledger, RULES)

    assert counts == {("BE.signed_up_no_proof", "listed", "allowed"): 1}
    assert (await a_ledger.read(campaign.figures)).log_size == size


async def test_a_reason_that_changed_is_kept_without_an_entry(a_ledger: Ledger) -> None:
    """Withheld for want of a reason, then because the cell is forbidden."""
    await a_ledger.write(take_in, [a_newcomer("an@voorbeeld.example", rules=Rules())])
    size = (await a_ledger.read(campaign.figures)).log_size
    await screen(a_ledger, FORBID)

    assert await a_ledger.read(campaign.cells) == [
        ("BE.signed_up_no_proof", "withheld", "forbidden_here", 1)
    ]
    assert (await a_ledger.read(campaign.figures)).log_size == size


async def test_promise_3_whoever_is_withheld_after_a_sender_reserved_them_is_not_mailed(
    a_ledger: Ledger,
) -> None:
    await admit(a_ledger, "an@voorbeeld.example")
    (reserved,) = await a_ledger.write(
        sending.reserve, "sender", approved_size=EVERYTHING, limit=1, caps=NO_CAPS
    )
    await screen(a_ledger, FORBID)
    await screen(a_ledger, RULES)

    assert not await a_ledger.write(intend_one, reserved, "sender", due=a_ledger.clock.now())


async def test_whoever_is_listed_by_a_screening_was_not_approved_before(a_ledger: Ledger) -> None:
    stay, go = await admit(a_ledger, "an@voorbeeld.example", "jan@voorbeeld.example", country="NL")

    def withhold(tx: Any) -> None:
        tx.run("UPDATE recipient SET standing = 'withheld', reason = 'x' WHERE id = ?", go)

    await a_ledger.write(withhold)
    await a_ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    await a_ledger.write(approval.approve, by="An", informed="Jan", digest="d", facts={})
    approved = await a_ledger.read(approval.latest_approval)
    await screen(a_ledger, RULES)
    assert approved is not None
    reserved = await a_ledger.write(
        sending.reserve, "sender", approved_size=approved.log_size, limit=9, caps=NO_CAPS
    )

    assert await standings(a_ledger) == {stay: "listed", go: "listed"}
    assert [one.id for one in reserved] == [stay]
    assert await a_ledger.read(approval.listed_since, approved) == {None: 1}


async def test_the_rules_of_a_screening_are_kept_in_the_log(a_ledger: Ledger) -> None:
    await a_ledger.write(campaign.keep_rules, {"table": "2026-11", "cells": {"BE.customer": 3}})
    kept = await a_ledger.read(
        lambda tx: tx.one('SELECT kind, payload FROM log ORDER BY "index" DESC LIMIT 1')
    )

    assert kept == ("screened", b'{"cells":{"BE.customer":3},"table":"2026-11"}')
    assert (await verified(a_ledger)).holds


def test_every_outcome_has_its_standing() -> None:
    assert set(admission.STANDING_AFTER) == set(Outcome)


async def test_a_slice_reads_its_own_rows_only(a_ledger: Ledger) -> None:
    """Else each slice would go through all who are left, and a long list would never be done."""

    (one,) = await admit(a_ledger, "an@voorbeeld.example")
    await a_ledger.write(crowd, one)

    steps = await a_ledger.read(steps_of, screening.NEXT, {"after": 0, "limit": 9})
    used = ("(standing=? AND due_at=? AND id>?)", "Index Scan using")
    assert sum(any(index in step for index in used) for step in steps) >= 3, steps
    assert not [step for step in steps if "SCAN recipient" in step or "Seq Scan" in step], steps


async def test_a_slice_is_full_whoever_stands_between(a_ledger: Ledger) -> None:
    """Everybody is screened in the order of the ids, whatever they stand at and however many of
    those between had a mail."""
    ids = await admit(a_ledger, *(f"r{n}@voorbeeld.example" for n in range(6)))
    for asked in ids[1:4]:
        await ask(a_ledger, asked)
    last, found = await a_ledger.write(
        screening.screen_slice, FORBID, today=NOW.date(), after_id=0, slice_rows=2
    )

    assert (last, sum(found.cells.values())) == (ids[4], 2)
    last, found = await a_ledger.write(
        screening.screen_slice, RULES, today=NOW.date(), after_id=0, slice_rows=3
    )
    assert (last, sum(found.cells.values())) == (ids[5], 3)
