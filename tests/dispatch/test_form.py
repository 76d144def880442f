"""The form of a variant: whatever its words and whatever fills them, it reads back as written."""

from __future__ import annotations

import email
from dataclasses import replace
from email.policy import SMTP, compat32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repermit.dispatch.form import Blank, Form, check, form, one_line_end
from repermit.dispatch.words import PLACES, Skeleton
from repermit.domain.skeleton import fill, fill_html, place
from repermit.errors import WordingIncomplete
from tests.dispatch.builders import an_envelope

ENVELOPE = an_envelope()
TOKEN = "Bw.Lge9Zqn7iMjWmC3rHPIJn1usbmwjUGPYxPEYmEBGlew"
LINKS = {
    "answer": TOKEN,
    "yes_url": f"{ENVELOPE.public_url}/yes/{TOKEN}",
    "no_url": f"{ENVELOPE.public_url}/no/{TOKEN}",
}
WORDS = Skeleton("Yes or no?", f"{place('yes_url')}\n", f"<p>{place('no_url')}</p>")
PIECES = st.one_of(
    st.text(max_size=20),
    st.text("x.= \t\n\r", max_size=160),
    st.text("é€😀 \n", max_size=60),
    st.sampled_from(["\r\n", ".\n", "\n.", "--=_", "=\n", "\nFrom ", " \n", "\t", "\0", "<&'\">"]),
    st.sampled_from(["x" * length for length in range(70, 80)]),
)
TEXTS = st.lists(st.one_of(PIECES, st.sampled_from(PLACES).map(place)), max_size=8).map("".join)
VALUES = st.fixed_dictionaries(
    {name: st.lists(PIECES, max_size=3).map("".join).map(one_line_end) for name in PLACES}
).map(lambda values: values | LINKS)


def read_back(octets: bytes) -> list[str]:
    """Return the texts of both parts, as each of the two parsers has them."""
    both = []
    for policy in (SMTP, compat32):
        message = email.message_from_bytes(octets, policy=policy)
        assert message.get_content_type() == "multipart/alternative"
        parts = [part for part in message.walk() if not part.is_multipart()]
        assert [part.get_content_subtype() for part in parts] == ["plain", "html"]
        assert not message.defects
        assert not any(part.defects for part in parts)
        both.append([_octets(part.get_payload(decode=True)).decode() for part in parts])
    assert both[0] == both[1]
    return both[0]


def _octets(payload: object) -> bytes:
    assert isinstance(payload, bytes)
    return payload


def a_head(made: Form) -> bytes:
    return made.head.filled(dict.fromkeys(made.head.names, b"x"))


@given(text=TEXTS, html=TEXTS, values=VALUES)
@example(text="x" * 75 + place("source") + "y", html="", values=dict.fromkeys(PLACES, "z" * 76))
@example(text="x" * 75 + " \n" + "x" * 74 + "\t\n", html="", values={})
@example(text=place("source") + "\n", html="", values=dict.fromkeys(PLACES, "ends in a space "))
def test_whatever_the_words_and_the_values_it_reads_back(
    text: str, html: str, values: dict[str, str]
) -> None:
    values = values | LINKS
    made = form(Skeleton("x", text, html), ENVELOPE)
    body = made.body(values)

    expected = [fill(one_line_end(text), values), fill_html(one_line_end(html), values)]
    found = read_back(a_head(made) + b"\r\n" + body)
    assert found == [one.replace("\n", "\r\n") for one in expected]
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert lines[-1] == b""
    assert body.isascii()
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines)


@given(TEXTS, TEXTS)
def test_no_text_can_close_its_part(text: str, html: str) -> None:
    """The boundary holds what quoted-printable cannot write."""
    made = form(Skeleton("x", text, html), ENVELOPE)
    [boundary] = {line for line in a_head(made).split(b'"') if line.startswith(b"=_")}

    body = made.body(dict.fromkeys(PLACES, f"\n--{boundary.decode()}--\n") | LINKS)
    assert body.count(b"--" + boundary) == 3


def test_a_place_on_a_line_of_its_own_needs_no_soft_break() -> None:
    made = form(replace(WORDS, text=f"By:\n{place('deadline')}\n"), ENVELOPE)

    body = made.body(dict.fromkeys(PLACES, "21 May") | LINKS)
    assert b"\r\n\r\nBy:\r\n21 May\r\n" in body


def test_a_link_longer_than_a_line_reads_back() -> None:
    envelope = an_envelope(public_url=f"https://answer.example/{'p' * 300}/it's&so")
    links = {
        "answer": TOKEN,
        "yes_url": f"{envelope.public_url}/yes/{TOKEN}",
        "no_url": f"{envelope.public_url}/no/{TOKEN}",
    }
    made = form(WORDS, envelope)

    text, html = read_back(a_head(made) + b"\r\n" + made.body(links))
    assert text == f"{links['yes_url']}\r\n"
    assert html == fill_html(WORDS.html, links)


def test_a_way_out_too_long_for_a_header_is_refused() -> None:
    with pytest.raises(WordingIncomplete, match=r"998 octets; shorten web\.public_url"):
        form(WORDS, an_envelope(public_url=f"https://answer.example/{'p' * 960}"))


def test_a_place_that_nobody_fills_is_named() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        form(replace(WORDS, text=place("nowhere")), ENVELOPE)


def test_octets_that_say_something_else_are_refused() -> None:
    """No words lead there; it is the check that is checked."""
    made, other = form(WORDS, ENVELOPE), replace(WORDS, text="other words")

    with pytest.raises(WordingIncomplete, match="does not read back"):
        check(made, other, ENVELOPE)


def test_octets_that_run_over_the_line_are_refused() -> None:
    made = form(WORDS, ENVELOPE)
    opening = made.text.filled({"answer": b"x"}).partition(b"\r\n\r\n")[0]
    wide = "w" * 77
    long = replace(made, text=Blank([f"{opening.decode()}\r\n\r\n{wide}\r\n".encode()], []))

    with pytest.raises(WordingIncomplete, match="76 octets"):
        check(long, replace(WORDS, text=wide), ENVELOPE)
