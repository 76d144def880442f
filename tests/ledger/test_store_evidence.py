"""What a third party needs to check the log for themselves."""

from __future__ import annotations

import hmac
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.domain.standing import Answer
from repermit.errors import ProofBroken
from repermit.ledger import keys, merkle
from repermit.ledger.engine import Ledger
from repermit.ledger.log import leaf_data
from repermit.ledger.store import approval, campaign, erasing, evidence
from repermit.ledger.store.personal import own_key
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from tests.builders import (
    ANSWER_TIME,
    MAIL,
    PAGE,
    FakeClock,
    admit,
    asked,
    begin_purge,
    mark_of,
    press,
)


@pytest.fixture
async def answered(a_ledger: Ledger, a_clock: FakeClock) -> Ledger:
    """A yes, one taken back, one of who is erased, one that a machine pressed, and silence."""
    await a_ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    await a_ledger.write(campaign.keep_rules, {"table": "2026-11", "cells": []})
    names = ("an", "jan", "piet", "mia", "els")
    ids = await asked(a_ledger, *(f"{name}@voorbeeld.example" for name in names))
    await admit(a_ledger, "tom@voorbeeld.example")
    await a_ledger.write(approval.approve, by="An", informed="Jan", digest="0" * 64, facts={})
    for recipient in ids[:4]:
        await press(a_ledger, recipient, Answer.YES)
    await press(a_ledger, ids[3], Answer.NO)
    a_clock.advance(timedelta(minutes=1))
    await press(a_ledger, ids[1], Answer.NO)
    await a_ledger.write(erasing.erase_person, ids[2])
    return a_ledger


async def test_every_entry_comes_with_the_key_of_its_own_payload_only(answered: Ledger) -> None:
    found = await answered.read(lambda tx: list(evidence.entries(tx)))
    leaves = await answered.read(lambda tx: list(evidence.leaves(tx)))

    assert [each.index for each in found] == list(range(len(leaves)))
    assert [each.hash for each in found] == leaves
    for each in found:
        data = leaf_data(each.index, each.at, each.kind, each.recipient, each.commitment)
        assert merkle.leaf_hash(data) == each.hash
        assert (each.payload is None) == (each.key is None)
        if each.payload is not None and each.key is not None:
            assert hmac.digest(each.key, each.payload, "sha256") == each.commitment
    assert {each.recipient for each in found if each.payload is None} == {3}
    assert len({each.key for each in found if each.key}) == len(found) - 1
    assert found[0].said
    assert all(not each.said for each in found if each.payload is None)


async def test_of_one_person_it_yields_what_tells_of_them_and_of_nobody_else(
    answered: Ledger,
) -> None:
    found = await answered.read(lambda tx: list(evidence.about(tx, 1, {MAIL, PAGE})))

    assert {each.recipient for each in found} == {None, 1}
    assert found == sorted(found, key=lambda each: each.index)
    kinds = [each.kind for each in found]
    assert set(kinds) == {"admitted", "moved", "shown", "screened", "approved", "answered"}
    assert kinds.count("answered") == 1


async def test_the_yeses_that_stand_come_in_the_order_of_their_entries(answered: Ledger) -> None:
    found = await answered.read(lambda tx: list(evidence.yeses(tx)))

    assert [recipient for _, recipient in found] == [1]
    assert await answered.read(evidence.count_yeses) == 1


async def test_void_presses_leave_the_yes_before_them(answered: Ledger, a_clock: FakeClock) -> None:
    before = await answered.read(lambda tx: list(evidence.yeses(tx)))
    a_clock.advance(timedelta(hours=1))
    await press(answered, 1, Answer.YES, purposes=("newsletter", "fair"))
    wider = await answered.read(lambda tx: list(evidence.yeses(tx)))
    a_clock.advance(timedelta(seconds=3))
    await press(answered, 1, Answer.NO)

    assert wider > before
    assert await answered.read(lambda tx: list(evidence.yeses(tx))) == before


async def test_approvals_and_screenings_are_told_with_their_entries(answered: Ledger) -> None:
    (approved,) = await answered.read(evidence.approvals)
    (screened,) = await answered.read(evidence.screenings)

    assert (approved["said"]["by"], screened["said"]["table"]) == ("An", "2026-11")
    assert screened["entry"] < approved["entry"]


async def test_a_purge_is_told_with_who_did_it(answered: Ledger, a_clock: FakeClock) -> None:
    assert await answered.read(evidence.purges) == []
    a_clock.advance(ANSWER_TIME)
    await begin_purge(answered)

    (purge,) = await answered.read(evidence.purges)

    assert (purge["by"], purge["due"], purge["by_reason"]) == ("An", 2, {"silent": 2})
    assert (purge["started_at"], purge["finished_at"]) == ("2026-12-22T09:31:00Z", None)


async def test_the_key_of_a_person_binds_their_acts_to_their_address(answered: Ledger) -> None:
    key = await answered.read(evidence.address_key, 1)
    told = await answered.read(lambda tx: tx.value("SELECT who FROM answer WHERE recipient_id = 1"))
    own = await answered.read(own_key, 1)
    assert own is not None

    assert hmac.digest(key, b"an@voorbeeld.example", "sha256").hex() == told
    assert told == answered.vault.who(own, "an@voorbeeld.example")
    assert await answered.read(evidence.mail_of, 1) == MAIL
    assert await answered.read(evidence.mail_of, 6) is None


async def test_promise_8_the_ledger_alone_is_no_place_to_try_addresses_out(
    answered: Ledger, tmp_path: Path
) -> None:
    """Whoever has it without the key folder of this campaign knows no key of `who`."""
    told = await answered.read(lambda tx: tx.value("SELECT who FROM answer WHERE recipient_id = 1"))
    own = await answered.read(own_key, 1)
    assert own is not None
    of_others = Vault(keys.create(tmp_path / "others"))

    assert of_others.who(own, "an@voorbeeld.example") != told


async def test_what_was_shown_is_told_with_its_content(answered: Ledger) -> None:
    found = await answered.read(lambda tx: list(evidence.shown(tx)))

    assert found == sorted([(MAIL, "mail", "nl", "the mail"), (PAGE, "page", "nl", "the page")])


async def test_a_ledger_that_was_changed_by_hand_gives_no_evidence(answered: Ledger) -> None:
    mark = mark_of(answered)
    assert (await answered.read(evidence.proven, mark)).holds

    def part(tx: Transaction) -> None:
        tx.run("UPDATE recipient SET standing = 'opted_in' WHERE id = 5")
        with pytest.raises(ProofBroken, match="recipient 5: opted_in, but the log says asked"):
            evidence.proven(tx, mark)
        tx.run("UPDATE recipient SET standing = 'asked' WHERE id = 5")

    await answered.write(part)


async def test_the_log_notes_that_evidence_was_given_out(answered: Ledger) -> None:
    await answered.write(evidence.note_bundle, people=1)

    found = await answered.read(lambda tx: list(evidence.entries(tx)))
    assert (found[-1].kind, found[-1].said) == ("exported", {"bundle": 1})
    assert (await answered.read(evidence.proven, mark_of(answered))).holds
