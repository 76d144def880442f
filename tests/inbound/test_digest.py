"""The same message has one digest, by whichever way it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.envelope import Of, SignedName
from repermit.inbound.digest import digest as digest_of

KEY = b"k" * 32
MAIL = (
    b"From: a@mx.example\r\nTo: b+1.abc@bounces.example.org\r\nSubject: Undeliverable\r\n"
    b"Date: Sat, 21 Nov 2026 09:30:00 +0000\r\nMessage-ID: <1@mx.example>\r\n\r\nIt bounced.\r\n"
)

SEVEN = SignedName(Of.QUESTION, 7)


def digest(content: bytes, key: bytes = KEY, whose: SignedName | None = SEVEN) -> bytes:
    return digest_of(content, key, whose)


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"\r\n", b"\n"),
        b"Received: by here\r\n\tfor there\r\nDelivered-To: b@example\r\n" + MAIL,
        b"From sender Sat Nov 21 09:30:00 2026\n" + MAIL.replace(b"\r\n", b"\n"),
        MAIL.replace(b"Subject: U", b"subject:\r\n U"),
        MAIL + b"\r\n",
    ],
)
def test_what_the_way_adds_or_changes_does_not_count(other: bytes) -> None:
    assert digest(other) == digest(MAIL)


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (b"It bounced", b"It did not"),
        (b"<1@", b"<2@"),
        (b"b+1.", b"b+2."),
        (b"09:30:00", b"09:30:01"),
        (b"a@mx", b"b@mx"),
        (b"Undel", b"Del"),
    ],
)
def test_another_message_has_another_digest(part: bytes, other: bytes) -> None:
    assert digest(MAIL.replace(part, other)) != digest(MAIL)


def test_without_the_key_nobody_makes_one() -> None:
    assert digest(MAIL, b"other") != digest(MAIL)


def test_a_message_about_the_mail_of_another_is_another() -> None:
    """Two reports may differ in nothing but in where they were delivered."""
    others = (SignedName(Of.QUESTION, 8), SignedName(Of.OWED, 7), None)
    assert len({digest(MAIL), *(digest(MAIL, whose=other) for other in others)}) == 4


def test_a_second_header_of_a_name_does_not_replace_the_first() -> None:
    twice = MAIL.replace(b"\r\n\r\n", b"\r\nSubject: else\r\n\r\n")
    assert digest(twice) == digest(MAIL)


@given(st.binary(max_size=400))
def test_any_bytes_have_one(content: bytes) -> None:
    assert len(digest(content)) == 32
