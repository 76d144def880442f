"""Every message of `messages/` is read as the folder says in which it lies."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from repermit.inbound.reading import Kind, Reading, Unreadable, read
from tests.inbound.corpus import NAMES, TOKENS, Letter, letters

LETTERS = tuple(letters())
READABLE = tuple(letter for letter in LETTERS if letter.kind != "unreadable")
_end_of_line = re.compile(rb"\r?\n")


@pytest.mark.parametrize("letter", READABLE, ids=lambda letter: letter.name)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_a_message_is_read_as_its_folder_says(letter: Letter, end: bytes) -> None:
    """A maildir ends its lines with LF, an IMAP server with CRLF."""
    reading = read(_end_of_line.sub(end, letter.content), NAMES, TOKENS)

    assert isinstance(reading, Reading)
    assert (reading.kind, reading.whose) == (Kind(letter.kind), letter.whose)
    assert not letter.status or reading.status == letter.status


@pytest.mark.parametrize("letter", READABLE, ids=lambda letter: letter.name)
def test_only_a_name_that_is_not_ours_is_called_forged(letter: Letter) -> None:
    reading = read(letter.content, NAMES, TOKENS)

    assert isinstance(reading, Reading)
    assert reading.forged == ("forged" in letter.path.stem)


@pytest.mark.parametrize(
    "letter",
    [letter for letter in LETTERS if letter.kind == "unreadable"],
    ids=lambda letter: letter.name,
)
def test_what_is_beyond_the_limits_is_not_read(letter: Letter) -> None:
    assert isinstance(read(letter.content, NAMES, TOKENS), Unreadable)


@pytest.mark.parametrize("letter", READABLE, ids=lambda letter: letter.name)
def test_a_message_that_breaks_off_is_never_more_than_the_whole(letter: Letter) -> None:
    """However little of it came, nobody is taken for dead, and nobody says no, who did not."""
    noes = {Kind.COMPLAINT, Kind.NO, Kind.UNSUBSCRIBE}
    final = (
        {Kind.HARD} - {letter.kind} if letter.kind in noes else (noes | {Kind.HARD}) - {letter.kind}
    )
    for tenth in range(10):
        begin = letter.content[: len(letter.content) * tenth // 10]

        reading = read(begin, NAMES, TOKENS, is_cut=True)

        assert isinstance(reading, Unreadable) or reading.kind not in final, tenth


def test_no_message_holds_what_another_does() -> None:
    assert not [
        one for one, times in Counter(each.content for each in LETTERS).items() if times > 1
    ]


def test_no_message_holds_an_address_that_could_be_somebodys() -> None:
    """RFC 2606: example, invalid."""
    domains = {
        found[1].decode().lower()
        for letter in LETTERS
        for found in re.finditer(rb"@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})", letter.content)
    }

    assert {one for one in domains if ".exam" not in one and ".invalid" not in one} == set()


def test_there_are_at_least_150_messages_and_some_of_every_kind() -> None:
    counted = Counter(letter.kind for letter in LETTERS)

    assert counted.total() >= 150
    assert set(counted) == {*Kind, "unreadable"}
    assert min(counted.values()) >= 2
