"""Envelope senders and envelope ids: signed, without an address, safe from a change of case."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.envelope import Bounces

KEY, DOMAIN = b"m" * 32, "bounces.tuinvrienden.example"
BOUNCES = Bounces(KEY, DOMAIN)
ENVID_OF_7 = "7.4b6af373e8ea7e69ce69b23065efa125"
ids = st.integers(0, 2**63 - 1)


@given(ids)
def test_both_names_give_back_the_recipient(recipient_id: int) -> None:
    sender, envid = BOUNCES.sender(recipient_id), BOUNCES.envid(recipient_id)

    assert BOUNCES.recipient(sender) == recipient_id
    assert BOUNCES.recipient_of(envid) == recipient_id


@given(ids)
def test_they_are_what_smtp_takes_anywhere(recipient_id: int) -> None:
    """An atom with one plus; and an ENVID of which nothing is to be written as xtext."""
    local, _, domain = BOUNCES.sender(recipient_id).partition("@")

    assert re.fullmatch(r"b\+[0-9]+\.[0-9a-f]{32}", local)
    assert len(local) <= 64
    assert domain == DOMAIN
    assert re.fullmatch(r"[!-*,-<>-~]{1,100}", BOUNCES.envid(recipient_id))


@given(ids, st.integers(0, 2**90))
def test_a_change_of_case_changes_nothing(recipient_id: int, which: int) -> None:
    def odd(text: str) -> str:
        return "".join(
            char.upper() if which >> place & 1 else char for place, char in enumerate(text)
        )

    assert BOUNCES.recipient(odd(BOUNCES.sender(recipient_id))) == recipient_id
    assert BOUNCES.recipient_of(odd(BOUNCES.envid(recipient_id))) == recipient_id
    assert Bounces(KEY, odd(DOMAIN)).recipient(BOUNCES.sender(recipient_id)) == recipient_id


@given(ids, st.data())
def test_one_other_character_is_nobodys(recipient_id: int, data: st.DataObject) -> None:
    sender = BOUNCES.sender(recipient_id)
    at = data.draw(st.integers(0, len(sender) - 1))
    other = data.draw(st.characters().filter(lambda char: char.lower() != sender[at]))

    assert BOUNCES.recipient(f"{sender[:at]}{other}{sender[at + 1 :]}") is None


@given(st.integers(0, 10**6))
def test_what_was_cut_off_is_nobodys(recipient_id: int) -> None:
    sender, envid = BOUNCES.sender(recipient_id), BOUNCES.envid(recipient_id)

    assert {BOUNCES.recipient(sender[:length]) for length in range(len(sender))} == {None}
    assert {BOUNCES.recipient_of(envid[:length]) for length in range(len(envid))} == {None}


@given(ids)
def test_those_of_another_campaign_or_domain_are_nobodys(recipient_id: int) -> None:
    foreign = Bounces(b"n" * 32, DOMAIN)

    assert BOUNCES.recipient(foreign.sender(recipient_id)) is None
    assert BOUNCES.recipient_of(foreign.envid(recipient_id)) is None
    assert Bounces(KEY, "other.example").recipient(BOUNCES.sender(recipient_id)) is None


@given(st.text())
def test_any_other_text_is_nobodys(text: str) -> None:
    assert BOUNCES.recipient(text) is None
    assert BOUNCES.recipient(f"{text}@{DOMAIN}") is None
    assert BOUNCES.recipient_of(text) is None


def test_an_id_is_written_in_one_way_only() -> None:
    envid = BOUNCES.envid(7)

    assert BOUNCES.recipient_of(f"0{envid}") is None
    assert BOUNCES.recipient_of(envid.replace("7.", "٧.", 1)) is None


@pytest.mark.parametrize("address", ["", "@", "b+", "b+@", "b+7.00@", f"nieuws@{DOMAIN}"])
def test_without_a_domain_no_sender_is_ours_and_the_envid_still_is(address: str) -> None:
    bounces = Bounces(KEY, "")

    assert bounces.recipient(address) is None
    assert bounces.recipient(bounces.sender(7)) is None
    assert bounces.recipient_of(bounces.envid(7)) == 7


def test_the_names_are_those_of_every_release() -> None:
    """Bounces come back for days, and delivery reports for weeks."""
    assert BOUNCES.envid(7) == ENVID_OF_7
    assert BOUNCES.sender(7) == f"b+{ENVID_OF_7}@{DOMAIN}"


def test_a_mail_of_the_outbox_is_known_by_its_own_names() -> None:
    bounces = Bounces(b"k" * 32, "bounces.example.org")

    assert bounces.owed(bounces.owed_envid(12)) == 12
    assert bounces.owed(bounces.owed_sender(12)) == 12
    assert bounces.owed(bounces.owed_sender(12).upper()) == 12


def test_a_mail_of_the_outbox_is_never_taken_for_a_question_nor_a_question_for_it() -> None:
    """Its bounce settles no question."""
    bounces = Bounces(b"k" * 32, "bounces.example.org")

    assert bounces.recipient(bounces.owed_sender(12)) is None
    assert bounces.recipient_of(bounces.owed_envid(12)) is None
    assert bounces.owed(bounces.sender(12)) is None
    assert bounces.owed(bounces.envid(12)) is None
    assert bounces.owed(f"o{bounces.envid(12)}") is None


@pytest.mark.parametrize(
    "name", ["", "o", "o+12", "o12.ff", "@", "{sender}.example", "{local}@", "{local}@else.example"]
)
def test_a_forged_or_foreign_name_of_the_outbox_is_nobodys(name: str) -> None:
    bounces = Bounces(b"k" * 32, "bounces.example.org")
    sender = bounces.owed_sender(12)

    assert bounces.owed(name.format(sender=sender, local=sender.partition("@")[0])) is None
    assert Bounces(b"x" * 32, "bounces.example.org").owed(sender) is None
