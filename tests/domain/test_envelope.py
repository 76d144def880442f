"""Signed names: without an address, safe from a change of case, each good for one thing only."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.envelope import Of, SignedName, SignedNames

KEY, DOMAIN = b"m" * 32, "bounces.tuinvrienden.example"
NAMES = SignedNames(KEY, DOMAIN)
NAME_OF_7 = "7.4b6af373e8ea7e69ce69b23065efa125"
WITH_MAIL = (Of.QUESTION, Of.OWED, Of.CHECK)
ids = st.integers(0, 2**63 - 1)
kinds = st.sampled_from(Of)


@given(ids, kinds)
def test_an_address_gives_back_what_it_is_of(number: int, of: Of) -> None:
    assert NAMES.at(NAMES.address(number, of)) == SignedName(of, number)
    assert NAMES.at(f"<{NAMES.address(number, of)}>") == SignedName(of, number)
    assert list(NAMES.in_text(f"for <{NAMES.address(number, of)}>;")) == [SignedName(of, number)]


@given(ids, st.sampled_from(WITH_MAIL), st.sampled_from(["{}", "<{}@x.example>", "id={};"]))
def test_a_name_is_found_wherever_it_stands(number: int, of: Of, around: str) -> None:
    text = around.format(NAMES.name(number, of))

    assert list(NAMES.in_text(text)) == [SignedName(of, number)]


def test_all_names_of_a_text_come_in_their_order() -> None:
    text = f"{NAMES.name(7)} and 8.{'0' * 32}, {NAMES.name(12, Of.OWED)}"

    expected = [SignedName(Of.QUESTION, 7), None, SignedName(Of.OWED, 12)]
    assert list(NAMES.in_text(text)) == expected


def test_the_message_id_of_a_test_mail_is_nobodys() -> None:
    found = list(NAMES.in_text(f"<1763800000.{NAMES.name(0)}@x.example>"))

    assert found == [SignedName(Of.QUESTION, 0)]


@given(ids, st.sampled_from(WITH_MAIL))
def test_they_are_what_smtp_takes_anywhere(number: int, of: Of) -> None:
    """An atom with one plus; and an ENVID of which nothing is to be written as xtext."""
    local, _, domain = NAMES.address(number, of).partition("@")

    assert re.fullmatch(r"[boc]\+[0-9]+\.[0-9a-f]{32}", local)
    assert len(local) <= 64
    assert domain == DOMAIN
    assert re.fullmatch(r"[!-*,-<>-~]{1,53}", NAMES.name(number, of))


@given(ids, kinds, st.integers(0, 2**90))
def test_a_change_of_case_changes_nothing(number: int, of: Of, which: int) -> None:
    def odd(text: str) -> str:
        return "".join(
            char.upper() if which >> place & 1 else char for place, char in enumerate(text)
        )

    address = NAMES.address(number, of)
    assert NAMES.at(odd(address)) == SignedName(of, number)
    assert list(NAMES.in_text(odd(address))) == [SignedName(of, number)]
    assert SignedNames(KEY, odd(DOMAIN)).at(address) == SignedName(of, number)


@given(ids, kinds, st.data())
def test_one_other_character_is_nobodys(number: int, of: Of, data: st.DataObject) -> None:
    address = NAMES.address(number, of)
    at = data.draw(st.integers(0, len(address) - 1))
    other = data.draw(st.characters().filter(lambda char: char.lower() != address[at]))

    assert NAMES.at(f"{address[:at]}{other}{address[at + 1 :]}") is None


@given(st.integers(0, 10**6))
def test_what_was_cut_off_is_nobodys(number: int) -> None:
    address, name = NAMES.address(number), NAMES.name(number)

    assert {NAMES.at(address[:length]) for length in range(len(address))} == {None}
    cut = [list(NAMES.in_text(name[:length])) for length in range(len(name))]
    assert not any(any(found) for found in cut)


@given(ids, kinds)
def test_those_of_another_campaign_or_domain_are_nobodys(number: int, of: Of) -> None:
    foreign = SignedNames(b"n" * 32, DOMAIN)

    assert NAMES.at(foreign.address(number, of)) is None
    assert list(NAMES.in_text(foreign.address(number, of))) == [None]
    assert SignedNames(KEY, "other.example").at(NAMES.address(number, of)) is None


@given(st.text())
def test_any_other_text_is_nobodys(text: str) -> None:
    assert NAMES.at(text) is None
    assert NAMES.at(f"{text}@{DOMAIN}") is None
    assert not any(NAMES.in_text(text))


def test_a_number_is_written_in_one_way_only() -> None:
    name = NAMES.name(7)

    assert list(NAMES.in_text(f"0{name}")) == [None]
    assert list(NAMES.in_text(name.replace("7.", "٧.", 1))) == []


@pytest.mark.parametrize("address", ["", "@", "b+", "b+@", "b+7.00@", f"nieuws@{DOMAIN}"])
def test_without_a_domain_no_address_is_ours_and_the_name_still_is(address: str) -> None:
    names = SignedNames(KEY, "")

    assert names.at(address) is None
    assert names.at(names.address(7)) is None
    assert list(names.in_text(names.name(7))) == [SignedName(Of.QUESTION, 7)]


def test_the_names_are_those_of_every_release() -> None:
    """Bounces come back for days, and delivery reports for weeks."""
    assert NAMES.name(7) == NAME_OF_7
    assert NAMES.address(7) == f"b+{NAME_OF_7}@{DOMAIN}"


@given(ids, kinds, kinds)
def test_a_name_is_good_for_one_thing_only(number: int, of: Of, other: Of) -> None:
    """The bounce of a mail of the outbox settles no question, and who knows the Message-ID of a
    mail cannot unsubscribe its recipient."""
    mac = NAMES.address(number, of).partition(".")[2]
    mark = NAMES.address(number, other)[:2]

    if of is not other:
        assert NAMES.at(f"{mark}{number}.{mac}") is None
