"""The headers of a mail, whatever the names and the subject."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.dispatch.mail import Mailer
from tests.dispatch.builders import DUE, NL, NOW, a_mailer, a_person, a_question
from tests.dispatch.readback import HEADERS, LOCAL_PARTS, NAMES, from_name, headers, parsed

ENCODED_WORD = re.compile(rb"=\?[^ ]*\?=")


def built(mailer: Mailer, address: str = "an.peeters@telenet.example") -> bytes:
    return mailer.build(7, a_person(address), NL, due=DUE, now=NOW).content


@pytest.mark.parametrize("length", [899, 901, 5000])
def test_a_subject_longer_than_a_line_is_folded(length: int) -> None:
    subject = ("ask " * length)[: length - 1] + "."
    content = built(a_mailer(a_question(said={"mail.subject": subject})))

    assert parsed(content)["Subject"] == subject
    assert max(map(len, headers(content).split(b"\r\n"))) <= 998


def test_an_address_beyond_ascii_stands_in_to_as_it_is() -> None:
    content = built(a_mailer(), "zoë@people.example")

    assert "\r\nTo: zoë@people.example\r\n".encode() in b"\r\n" + content


@given(name=NAMES, local=LOCAL_PARTS, who=NAMES)
def test_whatever_the_name_of_the_sender_it_reads_back_and_no_header_is_odd(
    name: str, local: str, who: str
) -> None:
    subject = who.replace("{", "{{").replace("}", "}}") or "x"
    mailer = a_mailer(
        a_question(said={"mail.subject": subject}),
        from_name=name,
        from_address=f"{local}@x.example",
    )
    content = built(mailer)
    message = parsed(content)

    [sender] = message["From"].addresses
    assert sender.addr_spec == f"{local}@x.example"
    assert from_name(content) == name
    assert str(message["Subject"]) == (who or "x")
    assert max(map(len, ENCODED_WORD.findall(headers(content))), default=0) <= 75
    assert len(message.keys()) == HEADERS


@given(st.text(max_size=60))
def test_a_line_break_in_a_name_adds_no_header(text: str) -> None:
    mailer = a_mailer(from_name=f"{text}\r\nBcc: everybody@people.example\r\n\r\nhello")
    message = parsed(built(mailer))

    assert "Bcc" not in message
    assert len(message.keys()) == HEADERS
    assert message.get_content_type() == "multipart/alternative"
