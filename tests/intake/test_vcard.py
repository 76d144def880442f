"""Cards of an address book."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repermit.errors import ListUnreadable
from repermit.intake.readers.table import Record
from repermit.intake.readers.vcard import CardTable, is_vcard, open_table


def cards(*lines: str, encoding: str = "utf-8", newline: str = "\r\n") -> CardTable:
    return open_table(io.BytesIO(newline.join(lines).encode(encoding)), encoding)


def a_card(*lines: str) -> list[str]:
    return ["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""]


def only(*lines: str) -> dict[str, str]:
    """Return the cells of the one card with *lines*."""
    table = cards(*a_card(*lines))
    [(line, cells)] = table.records()
    assert line == 1
    assert cells is not None
    return dict(zip(table.header, cells, strict=True))


def emails(table: CardTable) -> list[tuple[int, str | None]]:
    return [(line, cells[0] if cells else None) for line, cells in table.records()]


def test_a_card_is_a_record() -> None:
    table = cards(
        *a_card("FN:An Peeters", "N:Peeters;An;;;", "EMAIL;TYPE=HOME:an@x.be"),
        *a_card("FN:Bo", "TEL:+32 9 000 00 00", "email:bo@x.be", "LANG:nl"),
    )

    assert table.header == ("EMAIL", "FN", "N", "TEL", "LANG")
    assert list(table.records()) == [
        (1, ["an@x.be", "An Peeters", "Peeters, An", "", ""]),
        (8, ["bo@x.be", "Bo", "", "+32 9 000 00 00", "nl"]),
    ]
    assert list(table.records()) == list(table.records())
    assert (table.told, table.notes) == ("UTF-8, vCard 3.0, 2 cards", ())


def test_two_addresses_stand_in_one_cell() -> None:
    assert only("EMAIL:an@x.be", "item1.EMAIL;PREF=1:an@y.be")["EMAIL"] == "an@x.be, an@y.be"


def test_cards_without_an_address_are_counted() -> None:
    table = cards(*a_card("FN:An"), *a_card("EMAIL:bo@x.be"), *a_card("EMAIL:"), newline="\n")

    assert emails(table) == [(6, "bo@x.be")]
    assert (table.told, table.notes) == ("UTF-8, vCard 3.0, 3 cards", ("2 cards hold no address",))


@pytest.mark.parametrize(
    ("line", "email"),
    [
        ("EMAIL;TYPE=INTERNET,HOME:an@x.be", "an@x.be"),
        ('EMAIL;TYPE="home;work:x":an@x.be', "an@x.be"),
        ('EMAIL;TYPE="home:an@x.be', "an@x.be"),
        ("EMAIL;VALUE=uri:mailto:an%2Bnews@x.be?subject=hello", "an+news@x.be"),
        ("EMAIL:MAILTO:an@x.be", "an@x.be"),
        ("EMAIL;INTERNET;PREF:  an@x.be ", "an@x.be"),
        ("EMAIL;ENCODING=QUOTED-PRINTABLE:an=40x.be", "an@x.be"),
        ("EMAIL:an@x.be\\, bo@x.be", "an@x.be, bo@x.be"),
        ("EMAIL:", None),
        ("EMAILS:an@x.be", None),
        ("EMAIL an@x.be", None),
    ],
)
def test_an_address_is_found_in_every_form(line: str, email: str | None) -> None:
    assert [found for _, found in emails(cards(*a_card(line)))] == ([email] if email else [])


def test_folded_lines_are_joined() -> None:
    said = only("EMAIL;TYPE=INTERNET:an.peet", " ers@x.b", "\te", "NOTE:one \\n two\\;", "  three")

    assert (said["EMAIL"], said["NOTE"]) == ("an.peeters@x.be", "one \n two; three")


def test_quoted_printable_is_read_across_soft_line_breaks() -> None:
    said = only(
        "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB =",
        " Verzon=",
        "nen",
        "NOTE;QUOTED-PRINTABLE;CHARSET=windows-1252:5 =80",
        "TITLE;ENCODING=QUOTED-PRINTABLE:h=E9l=E8ne",
        "ROLE;ENCODING=QUOTED-PRINTABLE;CHARSET=unicode_escape:=C3=AB",
        "EMAIL:zoe@x.be",
    )

    assert [said[name] for name in ("FN", "NOTE", "TITLE", "ROLE")] == [
        "Zoë  Verzonnen",
        "5 €",
        "hélène",
        "ë",
    ]


@pytest.mark.parametrize("email", ["EMAIL:an@x.be", "item1.email;TYPE=home:an@x.be"])
def test_a_soft_line_break_does_not_swallow_an_address_or_the_end_of_a_card(email: str) -> None:
    table = cards(
        *a_card("NOTE;ENCODING=QUOTED-PRINTABLE:never ends =", email),
        *a_card("EMAIL:bo@x.be", "NOTE;ENCODING=QUOTED-PRINTABLE:never ends ="),
        *a_card("EMAIL:cas@x.be"),
    )

    assert [email for _, email in emails(table)] == ["an@x.be", "bo@x.be", "cas@x.be"]


def test_the_country_comes_from_the_postal_address() -> None:
    said = only(
        "EMAIL:an@x.be",
        "ADR;TYPE=HOME:;;Kerkstraat 1\\; bus 2;Gent;;9000;België",
        "ADR;TYPE=WORK:;;Dorp 1;Brussel;;1000;België",
    )

    assert said["COUNTRY"] == "België"
    assert said["ADR"] == "Kerkstraat 1; bus 2, Gent, 9000, België, Dorp 1, Brussel, 1000, België"
    assert only("EMAIL:a@x.be", "ADR:;;;;;;NL", "ADR:;;;;;;BE")["COUNTRY"] == "NL, BE"
    assert "COUNTRY" not in only("EMAIL:a@x.be", "ADR:;;Dorp 1;Brussel")


def test_a_picture_and_the_place_of_the_card_are_not_told() -> None:
    said = only("PHOTO;ENCODING=b:/9j/4AA", " QSkZJRg==", "SOURCE:ldap://x", "EMAIL:an@x.be")

    assert said == {"EMAIL": "an@x.be"}


@pytest.mark.parametrize("version", ["2.1", "3.0", "4.0"])
def test_the_version_is_told(version: str) -> None:
    told = cards("BEGIN:VCARD", f"VERSION:{version}", "EMAIL:an@x.be", "END:VCARD").told

    assert told == f"UTF-8, vCard {version}, 1 card"


def test_a_card_that_is_not_closed_swallows_nobody() -> None:
    table = cards(
        *("BEGIN:VCARD", "EMAIL:an@x.be"),
        *("BEGIN:VCARD", "EMAIL:bo@x.be", "END:VCARD"),
        *("begin:vcard ", "EMAIL:cas@x.be"),
    )

    assert emails(table) == [(1, "an@x.be"), (3, "bo@x.be"), (6, "cas@x.be")]


def test_a_card_inside_another_is_a_card() -> None:
    table = cards(
        *("BEGIN:VCARD", "VERSION:2.1", "X-STOP:yes", "AGENT:"),
        *("BEGIN:VCARD", "EMAIL:agent@x.be", "END:VCARD"),
        *("EMAIL:an@x.be", "END:VCARD"),
        *("BEGIN:VCARD", "EMAIL:bo@x.be", "END:VCARD"),
    )

    assert emails(table) == [(5, "agent@x.be"), (1, "an@x.be"), (10, "bo@x.be")]
    assert table.header == ("EMAIL", "X-STOP")


def test_an_address_outside_of_all_cards_is_not_lost() -> None:
    table = cards("END:VCARD", "junk", "NOTE:x", "EMAIL:an@x.be", "END:VCARD", "", "EMAIL:bo@x.be")

    assert emails(table) == [(4, "an@x.be"), (7, "bo@x.be")]


def test_a_card_that_is_too_long_is_a_record_that_cannot_be_read() -> None:
    folded = [" " + "x" * 70] * 20_000
    table = cards(
        *a_card("PHOTO:", *folded, "EMAIL:an@x.be"),
        *a_card("EMAIL:bo@x.be", "NOTE:", *folded),
        *a_card("EMAIL:cas@x.be"),
    )

    assert [email for _, email in emails(table)] == ["an@x.be", None, "cas@x.be"]


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(ListUnreadable, match="over a megabyte"):
        cards(*a_card("NOTE:" + "x" * (1 << 20)))


def test_another_encoding_is_read() -> None:
    for encoding in ("cp1252", "utf-16", "utf-8-sig"):
        table = cards(*a_card("FN:Zoë", "EMAIL:zoe@x.be"), encoding=encoding)
        assert list(table.records()) == [(1, ["zoe@x.be", "Zoë"])]
    with pytest.raises(ListUnreadable, match="is not text in ASCII"):
        open_table(io.BytesIO("FN:Zoë".encode()), "ascii")


@pytest.mark.parametrize(
    ("start", "known"),
    [
        ("BEGIN:VCARD\r\nVERSION:3.0", True),
        ("\ufeff\n\n begin:vCard", True),
        ("BEGIN:VCALENDAR", False),
        ("email;begin:vcard", False),
        ("", False),
    ],
)
def test_a_file_of_cards_is_known_by_its_first_line(start: str, known: bool) -> None:
    assert is_vcard(start) is known


PIECES = st.sampled_from(
    [
        *("BEGIN:VCARD", "END:VCARD", "VERSION:2.1", "EMAIL", "EMAIL;TYPE=", "AGENT:\n", "item1."),
        *("ADR:;;;;;;BE", "ENCODING=QUOTED-PRINTABLE", "CHARSET=", "utf-16", "=C3=", "mailto:"),
        *("an@x.be", "%00", "é", "\0", "\u2028", "\\", "\\n", ":", ";", '"', "="),
        *("\r\n", "\r", "\n", " ", "\t"),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES | st.text(max_size=3)))
def test_whatever_cards_hold_they_are_read_twice_alike(pieces: list[str]) -> None:
    content = "".join(pieces).encode("utf-8", "replace")
    table = open_table(io.BytesIO(content), "utf-8")

    records: list[Record] = list(table.records())

    assert records == list(table.records())
    assert all(cells is None or len(cells) == len(table.header) for _, cells in records)
    assert all(cells is None or cells[0] for _, cells in records)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_read_or_refused(content: bytes) -> None:
    for encoding in ("utf-8", "cp1252", "utf-16", "ascii"):
        try:
            table = open_table(io.BytesIO(content), encoding)
        except ListUnreadable:
            continue
        assert list(table.records()) == list(table.records())
