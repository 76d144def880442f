from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.address import parse
from repermit.errors import AddressRejected
from repermit.ledger.store.reading import Exported
from repermit.report.formats import FORMATS, Line, unlike_formula

LINK = "https://mail.example.org/u/AQ.zm9v"
MOMENT = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
LOCAL = "abczAZ09!#$%&'*+/=?^_`{|}~-éñ"  # what may stand in a local part
TABLES = sorted(name for name in FORMATS if name != "jsonl")


def line(mailbox: str, **changes: object) -> Line:
    """Return one row of an export."""
    known: dict[str, object] = {
        "confirmed_at": MOMENT,
        "purposes": ("newsletter", "fair"),
        "language": "nl",
        "leaf": 12,
    }
    return Line(Exported(1, mailbox, **(known | changes)), LINK)  # type: ignore[arg-type]  # whatever it has


def written(name: str, *lines: Line) -> str:
    """Return the file of that format."""
    file = io.StringIO(newline="")
    assert FORMATS[name].write(file, lines) == len(lines)
    return file.getvalue()


def read(name: str, text: str) -> list[list[str]]:
    """Return the cells of a table, as a tool reads it."""
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=FORMATS[name].delimiter))


def test_listmonk_has_the_rest_as_json() -> None:
    head, row = read("listmonk", written("listmonk", line("an@voorbeeld.example")))

    assert head == ["email", "name", "attributes"]
    assert row[:2] == ["an@voorbeeld.example", ""]
    assert json.loads(row[2]) == {
        "confirmed_on": "2026-11-21T23:30:00Z",
        "purposes": ["newsletter", "fair"],
        "language": "nl",
        "proof": 12,
        "withdraw": LINK,
    }


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("mailchimp", "Email Address,Confirmed On,Purposes,Language,Proof,Withdraw"),
        ("brevo", "EMAIL;CONFIRMED_ON;PURPOSES;LANGUAGE;PROOF;WITHDRAW"),
    ],
)
def test_the_others_have_a_column_for_each_fact_and_a_day(name: str, head: str) -> None:
    text = written(name, line("an@voorbeeld.example"))

    assert text.splitlines()[0] == head
    assert read(name, text)[1] == [
        *("an@voorbeeld.example", "2026-11-21", "newsletter fair", "nl", "12", LINK),
    ]


@pytest.mark.parametrize("name", TABLES)
def test_what_is_not_known_is_an_empty_cell(name: str) -> None:
    gone = Line(Exported(0, "", None, (), None, None), "")
    cells = read(name, written(name, gone))[1]

    assert set(cells) <= {"", json.dumps(gone.facts())}


@pytest.mark.parametrize("name", TABLES)
@given(
    local=st.text(LOCAL, min_size=1, max_size=20), domain=st.sampled_from(("x.be", "münchen.de"))
)
def test_no_cell_begins_as_a_formula_and_every_address_stays_itself(
    name: str, local: str, domain: str
) -> None:
    """A local part in quotes is the same one without them (RFC 5321 section 4.1.2)."""
    try:
        address = parse(f"{local}@{domain}")
    except AddressRejected:
        return
    rows = read(name, written(name, line(address.mailbox)))
    cell = rows[1][0]

    assert len(rows) == 2
    assert not any(
        each.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for each in row
    )
    before, _, after = cell.rpartition("@")
    unquoted = before[1:-1] if before.startswith('"') else before
    assert f"{unquoted}@{after}" == address.mailbox


@given(text=st.text(max_size=30))
def test_a_cell_is_text_whatever_it_is(text: str) -> None:
    assert not unlike_formula(text).startswith(("=", "+", "-", "@"))
    assert text in unlike_formula(text) or "@" in text


@given(purpose=st.text("a,;\"' \n", min_size=1), language=st.sampled_from((None, "nl")))
def test_marks_of_the_table_within_a_cell_part_nothing(purpose: str, language: str | None) -> None:
    for name in TABLES:
        one = line("an@voorbeeld.example", purposes=(purpose,), language=language)
        rows = read(name, written(name, one, one))
        assert [len(row) for row in rows] == [len(FORMATS[name].columns)] * 3


def test_every_format_says_how_to_import_it_so_that_nobody_is_asked_again() -> None:
    for form in FORMATS.values():
        assert "asked again" in form.confirmed or "ask them again" in form.confirmed
        assert form.stopped
