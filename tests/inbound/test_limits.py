"""Any bytes: no crash, no more work than in proportion, no more memory than is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repermit.inbound import decoding, markup
from repermit.inbound.message import MOST_SOURCE, MOST_TEXT, Message, Unreadable, parse
from repermit.inbound.reading import Reading, read
from repermit.inbound.tree import MOST_BYTES, MOST_PARTS
from tests.inbound.bombs import BOMBS, bomb, nested
from tests.inbound.forms import (
    ANOTHERS,
    FORGED,
    NAMES,
    TOKENS,
    a_complaint,
    a_dsn,
    a_message,
    our_headers,
    our_links,
    verp,
)

MOST_MEMORY_MB = 100
_DEAREST = ("octets", "empty lines", "mbox lines", "text in 29 messages", "tags", "answers")
_TOO_DEEP = "its parts stand more than 30 deep in one another"
_TOO_MANY = "it has more than 500 parts"
_TOO_MUCH = "it has more than 5000 headers, or they are too long"
OURS = our_headers(4711)
FORMS = (
    a_dsn(verp(4711), OURS),
    a_dsn(verp(4711), ANOTHERS, status="4.2.2", action="delayed", said="452 mailbox full"),
    a_complaint(OURS + "\n" + our_links(4711)),
    a_message("From: Jan <j@x>\nSubject: Re: =?utf-8?q?Mag_=C3=A9?=\n", ("text/plain", "Nee")),
    a_message("From: j@x\n", ("text/html", f"<p>Nee</p><blockquote>{our_links(4711)}")),
    f"To: b+{FORGED}@bounces.example.org\nSubject: \xe9\n\nx".encode("latin-1"),
)
_PIECES = (
    *(b"\n", b"\r", b"\0", b"\xff", b"--=", b"=?utf-8?b?", b"<!--", b"&#", b"(", b'"', b": "),
    *(b"Content-Type: message/rfc822\n\n", b"Content-Transfer-Encoding: base64\n", b"; charset=x"),
    *(b"Content-Type: multipart/mixed; boundary*0=", b"--b0\n", b"From x\n", b"*=utf-8''%"),
)


def is_read(content: bytes) -> None:
    message = parse(content)
    if isinstance(message, Message):
        assert len(message.parts) <= MOST_PARTS
        for part in message.parts:
            assert len(part.text) <= max(MOST_TEXT + len(part.html), MOST_SOURCE)
            assert "\0" not in part.text
            part.text.encode()
        for value in [value for values in message.headers.values() for value in values]:
            assert not set("\0\r\n") & set(value)
            value.encode()
    assert isinstance(read(content, NAMES, TOKENS), Reading | Unreadable)


@given(st.binary(max_size=2_000))
@example(b"Content-Type: text/html\n\n&#" + b"9" * 5_000)
@example(b"Content-Type: text/plain; charset=utf\0-8\n\n\xc3")
@example(b"Content-Type: text/plain; charset*=utf-8'en'x\n\n\xc3")
@example(b"Content-Type: multipart/mixed; boundary*99999999999999999999=b\n\n")
@settings(max_examples=100)
def test_any_octets_are_read(content: bytes) -> None:
    is_read(content)


@given(st.sampled_from(FORMS), st.data())
@settings(max_examples=100)
def test_a_message_that_is_damaged_is_read(content: bytes, data: st.DataObject) -> None:
    """Pieces are taken out, put in and repeated, where the fields of a message meet."""
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content)))
        to = data.draw(st.integers(at, min(len(content), at + 200)))
        new = data.draw(st.sampled_from(_PIECES) | st.binary(max_size=20) | st.just(content[at:to]))
        content = content[:at] + new + content[data.draw(st.sampled_from((at, to))) :]
    is_read(content)


_NAMES = (b"Content-Type", b"Content-Transfer-Encoding", b"Subject", b"From", b"To", b"\xc3")
_VALUES = (
    *(b"text/plain", b"text/html; charset=", b"message/delivery-status", b"base64", b"x"),
    *(b"message/rfc822", b"quoted-printable", b"multipart/report; report-type=x"),
    verp(7).encode(),
)
_header = st.builds(
    lambda name, value: name + b": " + value + b"\n",
    st.sampled_from(_NAMES),
    st.sampled_from(_VALUES) | st.binary(max_size=30),
)
_leaf = st.builds(
    lambda headers, body: b"".join(headers) + b"\n" + body, st.lists(_header), st.binary()
)


def _multipart(parts: list[bytes], mark: bytes, subtype: bytes) -> bytes:
    body = b"".join(b"--" + mark + b"\n" + part + b"\n" for part in parts)
    head = b"Content-Type: multipart/" + subtype + b'; boundary="' + mark + b'"\n\n'
    return head + body + b"--" + mark + b"--\n"


_any_message = st.recursive(
    _leaf,
    lambda inner: (
        st.builds(
            _multipart,
            st.lists(inner, max_size=4),
            st.sampled_from([b"b", b"b0", b"", b"\xff"]),
            st.sampled_from([b"mixed", b"report; report-type=delivery-status", b"digest"]),
        )
        | inner.map(lambda message: b"Content-Type: message/rfc822\n\n" + message)
    ),
    max_leaves=12,
)


@given(_any_message)
@settings(max_examples=60)
def test_whatever_stands_in_whatever_is_read(content: bytes) -> None:
    is_read(content)


@given(st.binary(), st.text())
@example(b"", "&#" + "9" * 5_000 + ";")
@example(b"", "=?utf-8*?b?A?= =?punycode?q?=?=")
@settings(max_examples=50)
def test_octets_and_words_are_decoded_whatever_they_are(octets: bytes, text: str) -> None:
    for charset in ("", text, "utf-16", "iso-2022-kr", "hz", "utf-7", "big5"):
        decoding.text(octets, charset).encode("utf-8", "surrogatepass")
    for encoding in ("base64", "quoted-printable", text):
        decoding.transferred(octets, encoding)
    decoding.words(text)
    decoding.raw(octets.decode("ascii", "surrogateescape"))
    markup.plain(text)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_no_more_than_in_proportion(name: str) -> None:
    """Four times as many octets make at most about four times the calls. What is done within one
    call shows in that this ends: what is quadratic would take minutes for each."""
    small, large = (_calls(bomb(name, size)) for size in (2 << 10, 8 << 10))

    assert large < 4.5 * small + 5_000
    assert isinstance(read(bomb(name, 64 << 10), NAMES, TOKENS), Reading | Unreadable)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (nested(1_000), "its parts stand more than 30 deep in one another"),
        (bomb("messages in messages", 1 << 20), "its parts stand more than 30 deep in one another"),
        (
            b"Content-Type: multipart/x; boundary=b\n\n" + b"--b\n\n" * 10_000,
            "it has more than 500 parts",
        ),
        (bomb("blocks of a report", 100_000), "it has more than 500 parts"),
        (bomb("headers", 100_000), "it has more than 5000 headers, or they are too long"),
        (bomb("folds", 1 << 20), "it has more than 5000 headers, or they are too long"),
    ],
)
def test_what_is_beyond_a_limit_says_which(content: bytes, why: str) -> None:
    assert parse(content) == Unreadable(why)


def test_what_is_just_within_the_limits_is_read() -> None:
    parts = b"--b\n\nx\n" * (MOST_PARTS - 1)
    message = parse(b"Content-Type: multipart/mixed; boundary=b\n\n" + parts + b"--b--\n")

    assert isinstance(message, Message)
    assert len(message.parts) == MOST_PARTS - 1
    assert isinstance(parse(nested(30)), Message)


def test_of_a_long_text_the_begin_is_kept() -> None:
    for kind in ("plain", "html"):
        message = parse(f"Content-Type: text/{kind}\n\n".encode() + b"x" * MOST_BYTES)
        assert isinstance(message, Message)
        assert [len(part.text) for part in message.parts] == [MOST_TEXT]


def test_the_hundredth_megabyte_of_a_message_takes_no_memory(tmp_path: Path) -> None:
    """A process of its own reads one of 100 MB, then the bombs that take most of it, each as long
    as is ever read. Its own peak is asked for: getrusage counts that of who started it."""
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.write(a_dsn(verp(4711), OURS) + b"Content-Type: text/plain\n\n")
        file.truncate(100_000_000)
    program = (
        "from pathlib import Path\n"
        "from repermit.inbound.maildir import content\n"
        "from repermit.inbound.reading import read\n"
        "from tests.inbound.bombs import bomb\n"
        "from tests.inbound.forms import NAMES, TOKENS\n"
        f"begin = content(Path({str(huge)!r}))\n"
        f"is_cut = len(begin) > {MOST_BYTES}\n"
        f"print(read(begin[:{MOST_BYTES}], NAMES, TOKENS, is_cut=is_cut).kind, is_cut)\n"
        f"for name in {_DEAREST}:\n"
        "    read(bomb(name, 2 << 20), NAMES, TOKENS)\n"
        "print(next(line for line in open('/proc/self/status') if 'VmHWM' in line).split()[1])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    read_as, peak_kb = ran.stdout.splitlines()
    assert read_as == "hard True"
    assert int(peak_kb) // 1024 < MOST_MEMORY_MB


def _calls(content: bytes) -> int:
    """Return how many functions are called to read a message."""
    calls = 0

    def count(_frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        read(content, NAMES, TOKENS)
    finally:
        sys.setprofile(None)
    return calls
