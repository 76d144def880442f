"""What a reply says of an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.refusal import Fault, fault_of, is_about_address

ABOUT_IT = "501|550|551|553|556|550 5.0.0|550 5.1.1|553 5.1.3 local: no address|550 5.1.10"
ABOUT_IT += "|550 5.2.1|550 5.4.1|554 5.4.4|5.1.1|550 5.7.17"
NOT_ABOUT_IT = "|552|554|550 5.7.1|550 5.7.26|554 5.6.0|553 5.1.8|550 5.1.7|552 5.2.3|554 5.3.0"
NOT_ABOUT_IT += "|553 5.6.7 local: the relay cannot carry this address (SMTPUTF8)|521 5.5.1"
NOT_ABOUT_IT += "|gave up after 450 4.2.1|gave up after 550|450 4.1.1|connection lost|54.1.1"
NOT_ABOUT_IT += "|421|450|550 5.7.515|550 5.4.7|550 5.9.9"


@pytest.mark.parametrize("reply", ABOUT_IT.split("|"))
def test_unknown_closed_and_unroutable_are_about_the_address(reply: str) -> None:
    assert is_about_address(reply)


@pytest.mark.parametrize("reply", NOT_ABOUT_IT.split("|"))
def test_policies_servers_contents_and_delays_are_not(reply: str) -> None:
    assert not is_about_address(reply)


@pytest.mark.parametrize("reply", ["552 5.2.2", "550 5.2.2 over quota", "5.2.2"])
def test_a_full_mailbox_is_not_a_dead_address(reply: str) -> None:
    assert not is_about_address(reply)


@pytest.mark.parametrize(
    ("enhanced", "reply", "fault"),
    [
        ("4.1.1", "550", Fault.FOR_NOW),
        ("", "450", Fault.FOR_NOW),
        ("5.0.0", "550", Fault.ADDRESS),
        ("5.7.26", "550", Fault.US),
        ("5.7.133", "550", Fault.UNKNOWN),
        ("5.4.310", "", Fault.ADDRESS),
        ("", "554", Fault.UNKNOWN),
        ("", "", Fault.UNKNOWN),
    ],
)
def test_a_code_says_where_the_reason_lies(enhanced: str, reply: str, fault: Fault) -> None:
    assert fault_of(enhanced, reply) is fault


@given(st.text(max_size=40), st.text(max_size=5))
def test_any_text_is_some_fault(enhanced: str, reply: str) -> None:
    assert fault_of(enhanced, reply) in Fault
    assert is_about_address(enhanced) in (True, False)
