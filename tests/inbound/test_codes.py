"""Codes and words weighed against one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.inbound.codes import Codes, codes_in, judge
from repermit.inbound.kinds import Kind


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("550 5.1.1 no", [Codes("5.1.1", "550")]),
        ("550-5.1.1 no\n550 5.1.1 no", [Codes("5.1.1", "550")] * 2),
        ("554 554 5.7.0 no", [Codes("", "554"), Codes("5.7.0", "554")]),
        ("no (#5.1.1)", [Codes("5.1.1", "")]),
        ("550: 5.1.10 no", [Codes("5.1.10", "550")]),
        ("SMTP error code 550]", [Codes("", "550")]),
        ("call 480-624-2500", []),
        ("host 5.1.1.20 [4.2.2.1] version 5.5.2653.19", []),
        ("mx550.example.org 4501 messages, OFR_417 [417]", []),
    ],
)
def test_codes_are_found_and_numbers_are_not(text: str, found: list[Codes]) -> None:
    assert list(codes_in(text)) == found


HARD = """550 5.1.1 user unknown
550 5.7.1 no such user here
554 5.0.0 the recipient does not exist
550 5.4.1 Recipient address rejected: Access denied
550 5.5.0 Requested action not taken: mailbox unavailable
550 5.1.10 recipient not found
556 5.1.10 the domain has a null MX
550 5.1.0 address rejected
550 mailbox disabled, not accepting messages
551 5.1.6 the recipient has moved
553 5.3.0 address does not exist
550 5.1.1 no, and no reason
550 5.2.1 the account is inactive
user unknown; contact the administrator of your mail server or your network"""

TEMPORARY = """450 4.1.1 user unknown
550 4.4.7 message expired, user unknown
550 5.1.1 user is over quota
550 5.2.1 mailbox temporarily disabled
552 no words
550 5.7.1 recipient address rejected: greylisted
554 5.4.6 too many hops
550 5.2.3 message too large for this recipient
5.3.2 the system is not taking mail
550 5.4.312 message expired, DNS query failed
550 5.1.90 daily limit for recipients
554 5.3.0 server unavailable
550 5.1.1 the mailbox does not exist, or is full"""

ABOUT_US = """550 5.7.1 blocked using zen.spamhaus.org
550 5.7.26 the sender is unauthenticated
550 5.7.515 access denied, the sending domain does not meet the required level
550 5.7.1 spam, try again later
550 5.1.7 invalid address
553 5.1.8 the domain of the sender does not exist
550 sender verify failed
554 rejected for policy reasons
550 5.1.1 rejected as spam
554 5.6.0 this looks like spam
550 5.7.1 no"""

UNCLEAR = """550 something in words that nobody knows
554 no
554 5.7.1 relay access denied
550 5.7.133 authentication required
550 5.1.1 refused due to recipient preferences
554 transaction denied
501 no
554 the recipient was rejected
SMTP error after end of data: 550 no
no codes, no words"""


@pytest.mark.parametrize("text", HARD.splitlines())
def test_what_names_a_missing_address_is_hard(text: str) -> None:
    assert judge(text)[0] is Kind.HARD


@pytest.mark.parametrize("text", TEMPORARY.splitlines())
def test_full_late_and_large_say_nothing_of_the_address(text: str) -> None:
    assert judge(text)[0] is Kind.TEMPORARY


@pytest.mark.parametrize("text", ABOUT_US.splitlines())
def test_what_names_the_sender_or_the_mail_is_about_us(text: str) -> None:
    assert judge(text)[0] is Kind.ABOUT_US


@pytest.mark.parametrize("text", UNCLEAR.splitlines())
def test_what_says_nothing_is_unclear(text: str) -> None:
    assert judge(text)[0] is Kind.UNCLEAR


def test_the_words_know_better_than_the_status_of_the_report() -> None:
    assert judge("550 5.1.1 user unknown", "5.0.0") == (Kind.HARD, "5.1.1")
    assert judge("550 5.0.0 no", "5.1.1") == (Kind.HARD, "5.1.1")
    assert judge("550 user unknown", "4.0.0") == (Kind.HARD, "550")
    assert judge("user unknown", "4.0.0") == (Kind.TEMPORARY, "4.0.0")


def test_words_in_letters_that_are_not_read_make_nothing_hard() -> None:
    """They may say that it is full."""
    assert judge("550 Поштова скринька тимчасово")[0] is Kind.UNCLEAR
    assert judge("550 5.1.1 Почтовый ящик")[0] is Kind.HARD
    assert judge("550 Скрынька: user unknown")[0] is Kind.HARD


@given(st.text(max_size=300), st.sampled_from(["", "5.1.1", "4.4.1", "5.0.0", "2.0.0", "x"]))
def test_any_text_is_some_kind(text: str, status: str) -> None:
    kind, code = judge(text, status)
    assert kind in (Kind.HARD, Kind.TEMPORARY, Kind.ABOUT_US, Kind.UNCLEAR)
    assert len(code) <= len("5.999.999")


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"]), max_size=200))
def test_class_4_is_never_hard(text: str) -> None:
    assert judge(f"450 4.1.1 {text}")[0] is Kind.TEMPORARY
