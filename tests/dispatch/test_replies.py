"""Replies of a relay, whatever pieces they come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.dispatch.replies import Replies

_CODE = st.sampled_from(["220", "250", "354", "421", "450", "550"])
_ENHANCED = st.sampled_from(["", "2.1.0", "4.7.26", "5.1.1"])
_TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
_END = st.sampled_from(["\r\n", "\n"])


@st.composite
def _replies(draw: st.DrawFn) -> tuple[str, str]:
    """Return what a relay says, and what is kept of it."""
    code, enhanced, end = draw(_CODE), draw(_ENHANCED), draw(_END)
    lines = draw(st.lists(_TEXT.map(lambda text: f"x {text}"), min_size=1, max_size=3))
    first = f"{enhanced} " if enhanced else ""
    said = [f"{code}-{first}{line}{end}" for line in lines[:-1]]
    return "".join([*said, f"{code} {first}{lines[-1]}{end}"]), f"{code} {enhanced}".strip()


@given(st.lists(_replies(), max_size=4), st.lists(st.integers(1, 7), min_size=1))
def test_however_they_are_cut_the_same_replies_come_out(
    replies: list[tuple[str, str]], sizes: list[int]
) -> None:
    data = "".join(said for said, _ in replies).encode()
    whole, pieces = Replies(), Replies()
    found: list[str] = []
    at = 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        found += pieces.feed(data[at : at + size])
        at += size

    assert found == whole.feed(data) == [kept for _, kept in replies]
    for each in (whole, pieces):
        assert (each.garbled, each.partial) == (False, False)


@given(
    st.lists(
        st.one_of(st.binary(max_size=40), st.sampled_from([b"250-x\r\n", b"250 ", b"x" * 500])),
        max_size=20,
    )
)
def test_no_bytes_whatever_raise_or_are_kept_for_ever(pieces: list[bytes]) -> None:
    replies = Replies()
    for piece in pieces * 100:
        for reply in replies.feed(piece):
            assert reply[0] in "2345"
        assert len(replies._rest) <= 8192 + 500
        assert len(replies._lines) <= 100


@pytest.mark.parametrize(
    "said",
    [
        *(b"\r\n", b"ok\r\n", b"25\r\n", b"2500\r\n", b"250_ok\r\n", b"150 ok\r\n", b"650 ok\r\n"),
        *(b" 250 ok\r\n", b"250-a\r\n251 b\r\n", b"250-a\r\nb\r\n", b"\xb2\xb5\xb0 ok\r\n"),
        *(b"250 " + b"x" * 9000, b"250 " + b"x" * 9000 + b"\r\n", b"250-a\r\n" * 101),
    ],
)
def test_what_is_no_reply_is_garbled(said: bytes) -> None:
    replies = Replies()
    replies.feed(said)

    assert replies.garbled


def test_what_came_before_the_garbage_counts() -> None:
    replies = Replies()

    assert replies.feed(b"250 2.1.0 ok\r\n550\r\nbabble\r\n250 ok\r\n") == ["250 2.1.0", "550"]
    assert replies.garbled


@pytest.mark.parametrize("said", [b"2", b"250 ok", b"250-ok\r\n", b"250-ok\r\n25", b"250 ok\r"])
def test_half_a_reply_is_partial(said: bytes) -> None:
    replies = Replies()

    assert replies.feed(said) == []
    assert replies.partial
    assert not replies.garbled


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b"550 5.1.1\r\n", "550 5.1.1"),
        (b"550 5.1.1x no\r\n", "550"),
        (b"550 5.1.1234 no\r\n", "550"),
        (b"550 3.1.1 no\r\n", "550"),
        (b"550-text first\r\n550 5.7.26 then the code\r\n", "550 5.7.26"),
        (b"250\r\n", "250"),
        (b"250 \r\n", "250"),
    ],
)
def test_the_enhanced_code_is_kept_where_there_is_one(said: bytes, kept: str) -> None:
    assert Replies().feed(said) == [kept]
