"""No pattern takes out of proportion, whatever the text is."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from repermit.inbound import automatic, dsn, flat, plain, wordings
from repermit.inbound.kinds import Kind
from repermit.inbound.message import Message, Part
from tests.inbound.attacks import attacks, patterns


def test_every_pattern_reads_a_text_made_of_its_pieces_in_proportion() -> None:
    """What takes out of proportion is killed, and named here."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.inbound.attacks"], capture_output=True, text=True, check=True
    )

    assert ran.stdout == ""


def test_the_patterns_are_found() -> None:
    found = {name for name, _, _ in patterns()}

    assert len(found) > 50
    assert {"repermit.inbound.automatic._says_so", "repermit.inbound.said._plain_no"} <= found
    assert "repermit.inbound.wordings._PATTERNS" in found


def test_the_texts_are_made_of_the_pieces() -> None:
    made = set(attacks(re.compile(r"ich bin (?:im |bis .{1,30} )*(?:weg|fort)")))

    assert ("ich bin ", "bis a ", True) in made


@pytest.mark.parametrize(
    "said",
    [
        "ich bin im urlaub",
        "ich bin bis 5 januar abwesend",
        "ich bin derzeit bis zum 5 januar nicht im buro",
        "ich bin vom 1 januar bis einschliesslich 15 januar nicht erreichbar",
        "ich bin heute ausser haus",
    ],
)
def test_a_german_absence_is_still_one(said: str) -> None:
    assert automatic.by_words(said)


def test_a_quote_is_found_in_any_class_of_a_tag() -> None:
    tags = (
        '<div id="x" class="a gmail_quote">',
        "<div class = gmail_quote>",
        "<div id='mail-quote'>",
    )
    for tag in tags:
        assert flat.lines_of(f"nee{tag}wij</div>") == "nee\n> …"
    assert flat.lines_of('nee<b title="gmail_quote">wij</b>') == "neewij"


def test_recipients_beyond_those_that_are_judged_are_unclear() -> None:
    dead = dsn.Report(action="failed", status="5.1.1")

    assert dsn.verdict([dead] * dsn.MOST_JUDGED) == (Kind.HARD, "5.1.1")
    assert dsn.verdict([dead] * (dsn.MOST_JUDGED + 1)) == (Kind.UNCLEAR, "")


def test_of_a_letter_that_becomes_many_no_more_is_read() -> None:
    assert len(wordings.plain("\ufdfa" * wordings.MOST_TEXT)) <= wordings.MOST_TEXT


def test_of_many_parts_no_more_is_looked_at_than_is_kept() -> None:
    part = Part("text/plain", "x" * wordings.MOST_TEXT, {})

    assert plain.text_of(Message({}, (part, part))) == part.text
