"""Addresses as they are pasted from a mail client, or written one on a line."""

from __future__ import annotations

import io
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repermit.intake.encoding import Decoding, decoding_of
from repermit.intake.readers.text import (
    ONE_A_LINE,
    PASTED,
    addresses_of,
    columns_of_addresses,
    manner_of,
    open_table,
)


def found_in(text: str) -> list[tuple[int, str]]:
    table = open_table(Decoding(io.BytesIO(text.encode("utf-8", "replace")), "utf-8", "UTF-8"))
    return [(line, cells[0]) for line, cells in table.records() if cells is not None]


def addresses_in_line(text: str) -> list[str]:
    return [piece for _, piece in found_in(text)]


def test_it_tells_how_it_was_read() -> None:
    table = open_table(decoding_of(io.BytesIO("Zoë <z@x.be>, bo@x.be".encode("cp1252"))))

    assert table.told == "Windows-1252, addresses as pasted from a mail client"
    assert (table.header, table.notes) == ((), ())


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ('Name <a@x.be>, "Peeters, An" <an@x.be>; bob@y.be', "a@x.be an@x.be bob@y.be"),
        ("Peeters, An <an@x.be>; Maes, Bo <bo@y.be>;", "an@x.be bo@y.be"),
        ("Peeters, An, dr. <an@x.be>, Bo <bo@y.be>", "an@x.be bo@y.be"),
        ("an@x.be;bo@y.be,cas@z.be do@z.be", "an@x.be bo@y.be cas@z.be do@z.be"),
        ("An Peeters, an@x.be; Bo Maes, bo@y.be", "an@x.be bo@y.be"),
        ("An Peeters an@x.be", "an@x.be"),
        ("an@x.be (An Peeters)", "an@x.be"),
        ("An Peeters (an@x.be)", "an@x.be"),
        ("'an@x.be' <an@x.be>; \"bo@y.be\" <bo@y.be>", "an@x.be bo@y.be"),
        ('"an@x.be","bo@y.be"', "an@x.be bo@y.be"),
        ('"Max \\"Maxi\\" Muster" <max@x.de>, bo@y.be', "max@x.de bo@y.be"),
        ("Els (voor; de, rest) <els@x.be>, bo@y.be", "els@x.be bo@y.be"),
        ("(an@x.be, bo@y.be)", "an@x.be bo@y.be"),
        ("<an@x.be><bo@y.be>", "an@x.be bo@y.be"),
        ("an@x.be/bo@y.be|cas@z.be", "an@x.be bo@y.be cas@z.be"),
        ("an@x.be bo@y.be <bo@y.be>", "an@x.be bo@y.be"),
        ("mailto:an@x.be, <mailto:bo@y.be>", "mailto:an@x.be mailto:bo@y.be"),
        ("an\uff20x.be;bo\uff20y.be", "an@x.be bo@y.be"),
        ("To: An <an@x.be>, Bo <bo@y.be>", "an@x.be bo@y.be"),
        ("", ""),
        (" ;, ; ", ""),
    ],
)
def test_every_address_on_a_line_is_found_without_its_name(text: str, addresses: str) -> None:
    assert addresses_in_line(text) == addresses.split()


@pytest.mark.parametrize(
    "address", ['"a@b"@example.org', '"a, b; c"@example.org', '"a b"@example.org', "o'brien@x.ie"]
)
def test_a_quoted_local_part_stays_whole(address: str) -> None:
    assert addresses_in_line(f"bo@y.be; {address}, cas@z.be") == ["bo@y.be", address, "cas@z.be"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Bestuur; An <an@x.be>", ["Bestuur", "an@x.be"]),
        ("An <an@x.be>, Bestuur; Bo <bo@y.be>", ["an@x.be", "Bestuur", "bo@y.be"]),
        ("Peeters, An; bo@y.be", ["Peeters, An", "bo@y.be"]),
        ("an@ x.be", ["an@ x.be"]),
        ("@", ["@"]),
        ("a@b@c", ["a@b@c"]),
        ("An <geen>; bo@y.be", ["An <geen>", "bo@y.be"]),
    ],
)
def test_a_piece_without_an_address_is_told(text: str, pieces: list[str]) -> None:
    assert addresses_in_line(text) == pieces


@pytest.mark.parametrize(
    "piece", ["an@x.be uitgeschreven", "An <an@x.be> unsubscribed", "désabonné: an@x.be"]
)
def test_who_is_said_to_have_left_is_no_address(piece: str) -> None:
    assert addresses_in_line(f"bo@y.be; {piece}; cas@z.be") == ["bo@y.be", piece, "cas@z.be"]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ('"An <an@x.be>; Bo <bo@y.be>', "an@x.be bo@y.be"),
        ('"An <an@x.be>; "Bo <bo@y.be>', "an@x.be bo@y.be"),
        ('An" <an@x.be>; "Bo <bo@y.be>; Cas <cas@z.be>', "an@x.be bo@y.be cas@z.be"),
        ("An (de rest <an@x.be>; Bo <bo@y.be>", "an@x.be bo@y.be"),
    ],
)
def test_what_never_closes_swallows_nobody(text: str, addresses: str) -> None:
    assert addresses_in_line(text) == addresses.split()


def test_lines_are_numbered_and_comments_are_none() -> None:
    text = "# leden\n\nAn <an@x.be>, bo@y.be\r\n  \n#cas@z.be\n\tdo@z.be \n"

    assert found_in(text) == [(3, "an@x.be"), (3, "bo@y.be"), (6, "do@z.be")]


def test_a_name_may_stand_on_the_line_before_its_address() -> None:
    text = "To: Peeters,\n An <an@x.be>,\n\tBo Maes\n <bo@y.be>\nVereniging\ncas@z.be\n"

    assert found_in(text) == [(1, "an@x.be"), (3, "bo@y.be"), (5, "Vereniging"), (6, "cas@z.be")]


def test_names_that_go_on_and_on_are_told_in_between() -> None:
    pieces = addresses_in_line("naam,\n" * 100 + "an@x.be\n")

    assert pieces[-1] == "an@x.be"
    assert 5 < len(pieces) < 20


def test_a_header_is_no_piece() -> None:
    assert found_in("E-mailadressen:\nan@x.be; bo@y.be\nemail\n") == [
        (2, "an@x.be"),
        (2, "bo@y.be"),
        (3, "email"),
    ]


@pytest.mark.parametrize(
    ("sample", "manner"),
    [
        ("an@x.be; bo@y.be; cas@z.be", PASTED),
        ("Peeters, An <an@x.be>; Maes, Bo <bo@y.be>\nCas <cas@z.be>\n", PASTED),
        ("an@x.be\nbo@y.be, cas@z.be\n", PASTED),
        ("email\nan@x.be; bo@y.be\ncas@z.be\n", PASTED),
        ("Bestuur; An <an@x.be>; Bo <bo@y.be>, Cas <cas@z.be>, do@z.be", PASTED),
        ("an@x.be\nbo@y.be\n", ONE_A_LINE),
        ("E-mail\nan@x.be\n", ONE_A_LINE),
        ("An Peeters an@x.be\nBo <bo@y.be>\n", ONE_A_LINE),
        ("", None),
        ("naam\nAn\n", None),
        ("naam;email\nAn;an@x.be\n", None),
        ("An;an@x.be;BE\nBo;bo@y.be;NL\n", None),
        ("An;an@x.be, an@y.be;BE\nBo;bo@y.be;NL\n", None),
        ("An;an@x.be;verkoop@y.be\nBo;bo@y.be;verkoop@y.be\n", None),
        ("email;contact\nan@x.be;bo@y.be\n", None),
        ("Beste leden, dit is\neen brief aan iedereen.\nGroet, an@x.be", None),
    ],
)
def test_a_text_is_told_from_a_table(sample: str, manner: str | None) -> None:
    assert manner_of(sample) == manner


def test_rows_of_nothing_but_addresses_may_be_a_table_after_all() -> None:
    assert columns_of_addresses("an@x.be;bo@x.be\ncas@x.be;do@x.be\n") == {";": 2}
    assert columns_of_addresses("an@x.be;bo@x.be\n") == {}
    assert columns_of_addresses("an@x.be;bo@x.be\ncas@x.be\n") == {}
    assert columns_of_addresses("An <an@x.be>;bo@x.be\ncas@x.be;do@x.be\n") == {}


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("a@x.be; b@x.be", ["a@x.be", "b@x.be"]),
        ("a@x.be, b@x.be", ["a@x.be", "b@x.be"]),
        ("a@x.be b@x.be", ["a@x.be", "b@x.be"]),
        ("a@x.be ::: b@x.be", ["a@x.be", "b@x.be"]),
        ("a@x.be / b@x.be", ["a@x.be", "b@x.be"]),
        ("a@x.be\r\nb@x.be", ["a@x.be", "b@x.be"]),
        ("a@x.be of b@x.be", ["a@x.be", "b@x.be"]),
        ("Max <m@x.be>; Uta <u@x.be>", ["m@x.be", "u@x.be"]),
        ("Bedacht, Dirk <d@x.be>", ["d@x.be"]),
        ("h@x.be <h@x.be>", ["h@x.be"]),
        ('""Nepnaam, Bo"" <b@x.be>', ["b@x.be"]),
        ("mia@x.be, mia@@x.be", ["mia@x.be", "mia@@x.be"]),
        ("a@x.be;", ["a@x.be"]),
    ],
)
def test_a_cell_with_several_addresses_is_parted(cell: str, addresses: list[str]) -> None:
    assert addresses_of(cell) == addresses


@pytest.mark.parametrize(
    "cell",
    [
        *[
            '"a@b"@example.org',
            '"a, b"@example.org',
            "a@b@c",
            "x <>",
            "@",
            "",
            ";",
            "#a@x.be,b@x.be",
        ],
        *["a@x.be en de b@x.be", "a@x.be; geen; b@x.be", "An"],
    ],
)
def test_a_cell_that_is_not_understood_stays_as_it_is(cell: str) -> None:
    assert addresses_of(cell) == [cell]


def test_an_address_that_words_speak_of_is_not_taken_out_of_a_cell() -> None:
    assert addresses_of("mail a@x.be niet meer, b@x.be") == ["mail a@x.be niet meer", "b@x.be"]


@pytest.mark.parametrize(
    "unit", ['"', "<", "@", '\\"', '"a@', "<a@", "(", "a,", "a ", "'@ ", '" <']
)
def test_no_line_takes_long(unit: str) -> None:
    began = time.monotonic()

    addresses_in_line(unit * (200_000 // len(unit)) + "an@x.be")

    assert time.monotonic() - began < 10


_PIECES = st.lists(
    st.sampled_from(
        ["an@x.be", "An ", "<", ">", '"', ",", ";", "\n", "@", "#", " ", "(", ")", "\\"]
    )
    | st.text(max_size=3)
).map("".join)


@given(_PIECES)
@example("\uff20")
def test_no_at_sign_of_any_text_is_lost(text: str) -> None:
    """A display name may hold one: those in quotes and before `<` are left out."""
    lines = [line for line in io.StringIO(text, newline="") if line.strip() and line[0] != "#"]
    pieces = found_in(text)

    assert [line for line, _ in pieces] == sorted(line for line, _ in pieces)
    if not any(mark in text for mark in "<\"'("):
        written = sum(line.count(sign) for line in lines for sign in "@\uff20\ufe6b")  # wide ones
        assert sum(piece.count("@") for _, piece in pieces) == written


@given(_PIECES)
def test_any_cell_is_parted_or_stays(cell: str) -> None:
    parts = addresses_of(cell)

    assert parts == [cell] or all("@" in part for part in parts)
