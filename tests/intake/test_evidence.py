"""What the cells of one row say."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.policy import Evidence, Relationship
from repermit.intake.columns import FIELDS
from repermit.intake.evidence import (
    BETWEEN_OPT_OUTS,
    Defaults,
    country_of,
    date_of,
    evidence_of,
    is_nothing,
    language_of,
    relationship_of,
    text_of,
    truth_of,
)

WHOLE_LIST = Defaults(
    relationship="customer",
    country="BE",
    language="nl",
    source="webshop",
    collected=date(2018, 1, 1),
    last_contact=date(2020, 1, 1),
    sensitive=True,
)


def test_a_full_row_is_read() -> None:
    known = evidence_of(
        {
            "email": "an@telenet.be",
            "relationship": "Signed up - no proof",
            "country": "België",
            "language": "Frans",
            "source": " formulier  op\nde site ",
            "collected": "1/3/2019",
            "last_contact": "2021-05-06 07:08:09",
            "ended": "2022",
            "sale_ref": "F 2019/12",
            "given_directly": "ja",
            "objection_offered": "Nee",
            "own_products": "1",
            "proof_ref": "P-7",
            "legal_person": "faux",
            "opted_out": "",
        },
        Defaults(),
    )

    assert known.evidence == Evidence(
        relationship="signed_up_no_proof",
        country="BE",
        source="formulier op de site",
        collected=date(2019, 3, 1),
        last_contact=date(2021, 5, 6),
        ended=date(2022, 1, 1),
        sale_ref="F 2019/12",
        proof_ref="P-7",
        given_directly=True,
        objection_offered=False,
        own_products=True,
        legal_person=False,
    )
    assert (known.language, known.opted_out, known.unread) == ("fr", False, ())


def test_what_a_row_does_not_say_comes_from_the_whole_list() -> None:
    for cells in ({}, dict.fromkeys(FIELDS, ""), dict.fromkeys(FIELDS, "NULL")):
        known = evidence_of(cells, WHOLE_LIST)

        assert known.evidence == Evidence(
            relationship="customer",
            country="BE",
            source="webshop",
            collected=date(2018, 1, 1),
            last_contact=date(2020, 1, 1),
            sensitive=True,
        )
        assert (known.language, known.opted_out, known.unread) == ("nl", False, ())


def test_a_cell_wins_over_the_whole_list() -> None:
    cells = {"country": "fr", "collected": "2010", "language": "F", "relationship": "Klant"}

    known = evidence_of(cells, WHOLE_LIST)

    assert (known.evidence.country, known.language) == ("FR", "fr")
    assert known.evidence.collected == date(2010, 1, 1)
    assert known.evidence.relationship == "Klant"


def test_a_cell_that_is_not_understood_is_missing_and_not_replaced() -> None:
    cells = {"country": "Atlantis", "collected": "vorig jaar", "language": "Klingon"}
    cells |= {"legal_person": "misschien", "relationship": "an@telenet.be"}

    known = evidence_of(cells, WHOLE_LIST)

    assert known.evidence.country is None
    assert known.evidence.collected is None
    assert known.evidence.relationship is None
    assert known.evidence.legal_person is None
    assert known.language is None
    assert sorted(known.unread) == sorted(cells)


_DATES = """
2019-03-01 2019/3/1 1/3/2019 01-03-2019 1.3.2019 1.3.19 03/2019 2019-03
2019-03-01T23:59:59.123Z 2019-03-01T23:59:59+02:00
"""
_NO_DATES = """
29/2/2019 12/31/2019 31/12/1899 2101 1-3/2019 43525 1/3 00/00/0000 2019-00-00 ١/٣/٢٠١٩ 3/19 19
2019-03-01-02 gisteren 1e3
"""


@pytest.mark.parametrize(
    "text",
    [
        *_DATES.split(),
        " 1/3/2019 ",
        "2019-03-01 23:59:59",
        "01/03/2019 8:05",
        "1/3/2019 8:05:00 PM",
    ],
)
def test_a_date_is_read_with_the_day_first(text: str) -> None:
    assert date_of(text) == date(2019, 3, 1)


def test_a_year_alone_is_its_first_day_and_two_digits_are_of_this_time() -> None:
    assert date_of("2019") == date(2019, 1, 1)
    assert (date_of("1/3/49"), date_of("1/3/50")) == (date(2049, 3, 1), date(1950, 3, 1))
    assert (date_of("1/1/1900"), date_of("31/12/2100")) == (date(1900, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize("text", [*_NO_DATES.split(), "", "vorig jaar", "2019-03-01 ergens"])
def test_what_is_no_date_of_this_time_is_not_read(text: str) -> None:
    assert date_of(text) is None


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_every_date_is_read_in_every_notation(day: date) -> None:
    notations = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S"]

    assert {date_of(day.strftime(notation)) for notation in notations} == {day}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("BE", "be BE België BELGIQUE Belgien Belgium"),
        ("NL", "nl Nederland Pays-Bas pays\u00a0bas Niederlande The-Netherlands Holland"),
        ("GB", "GB UK VK Großbritannien Verenigd-Koninkrijk Royaume-Uni England"),
        ("DE", "Deutschland Duitsland Allemagne Germany"),
        ("IE", "Ierland Irland Irlande Ireland"),
        ("IS", "IJsland Island Islande Iceland"),
        ("AT", "Oostenrijk Österreich Oesterreich Autriche Austria"),
        ("CZ", "Tsjechië Tchéquie Tschechien Czechia Czech-Republic"),
        ("GR", "el Griekenland Grèce"),
        ("CH", "Suisse Schweiz"),
        ("US", "USA VS Verenigde-Staten États-Unis"),
        ("CA", "ca"),
        (None, "Atlantis XX B België/Belgique"),
    ],
)
def test_a_country_is_read_by_code_or_by_name(code: str | None, names: str) -> None:
    for name in names.split(" "):
        assert country_of(name) == code
        assert country_of(f" {name.replace('-', ' ')} ") == code


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("nl", "nl NL-be nl_NL Nederlands néerlandais Niederländisch Dutch N"),
        ("fr", "fr fr_BE Frans français Französisch French F"),
        ("de", "de Duits allemand Deutsch German D"),
        ("en", "en en-GB Engels anglais Englisch English E"),
        ("pl", "PL"),
        (None, "Klingon X 1"),
    ],
)
def test_a_language_is_read_by_code_or_by_name(code: str | None, names: str) -> None:
    assert {language_of(name) for name in names.split()} == {code}


@pytest.mark.parametrize("relationship", Relationship)
def test_a_relationship_is_read_however_it_is_spelled(relationship: Relationship) -> None:
    spelled = relationship.replace("_", " ").title()

    assert relationship_of(relationship) == relationship
    assert relationship_of(spelled) == relationship
    assert relationship_of(f" {relationship.upper().replace('_', '-')} ") == relationship


def test_an_unknown_relationship_is_kept_short_and_without_address() -> None:
    assert relationship_of("Klant\x07 sinds\n2010") == "Klant sinds 2010"
    assert relationship_of("x" * 100) == "x" * 60
    assert relationship_of("zie an@telenet.be") is None


@pytest.mark.parametrize("text", ["ja", "Oui", "YES", "wahr", "true", "1", "x", "Y", "j", "1.0"])
def test_a_yes_is_true(text: str) -> None:
    assert truth_of(text) is True
    assert evidence_of({"opted_out": text}, Defaults()).opted_out


@pytest.mark.parametrize("text", ["nee", "Non", "NO", "falsch", "false", "0", "n", "nein", "0.0"])
def test_a_no_is_false(text: str) -> None:
    assert truth_of(text) is False
    assert not evidence_of({"opted_out": text}, Defaults()).opted_out


@pytest.mark.parametrize(
    "text", ["", "-", "/", "NULL", "n/a", "None", "\\N", "0000-00-00 00:00:00"]
)
def test_what_stands_for_empty_is_empty(text: str) -> None:
    assert is_nothing(text)
    assert evidence_of({"opted_out": text, "country": text}, Defaults()).unread == ()
    assert not evidence_of({"opted_out": text}, Defaults()).opted_out


@pytest.mark.parametrize("text", ["ingeschreven", "Subscribed", "actief", "abonné", "angemeldet"])
def test_who_is_subscribed_did_not_opt_out(text: str) -> None:
    assert not evidence_of({"opted_out": text}, Defaults()).opted_out


@pytest.mark.parametrize(
    "text", ["uitgeschreven", "Unsubscribed", "désinscrit", "1/3/2019", "2019"]
)
def test_who_is_unsubscribed_opted_out(text: str) -> None:
    known = evidence_of({"opted_out": text}, Defaults())

    assert (known.opted_out, known.unread) == (True, ())


@pytest.mark.parametrize("text", ["?", "✓", "wil niet meer", "not subscribed", "2", "00"])
def test_a_doubtful_opt_out_is_one_and_is_told(text: str) -> None:
    known = evidence_of({"opted_out": text}, Defaults())

    assert (known.opted_out, known.unread) == (True, ("opted_out",))


@pytest.mark.parametrize(
    ("parts", "opted_out"),
    [(("nee", ""), False), (("nee", "2019"), True), (("", "ja"), True), (("", ""), False)],
)
def test_one_of_several_opt_outs_is_enough(parts: tuple[str, ...], opted_out: bool) -> None:
    cells = {"opted_out": BETWEEN_OPT_OUTS.join(parts)}

    assert evidence_of(cells, Defaults()).opted_out is opted_out


def test_a_text_is_one_short_line_without_control_characters() -> None:
    assert text_of(" bron \x00\x1b[31m\r\n\tsite\u202e\u00a0x ") == "bron [31m site x"
    assert text_of("x" * 500) == "x" * 200
    assert text_of("\x00\x07") is None


@given(st.dictionaries(st.sampled_from(FIELDS), st.text() | st.from_regex(r"[0-9 ./:T-]{1,20}")))
def test_any_cells_give_evidence(cells: dict[str, str]) -> None:
    known = evidence_of(cells, WHOLE_LIST)

    assert set(known.unread) <= set(cells)
    assert "@" not in (known.evidence.relationship or "")
    assert known.evidence.country is None or known.evidence.country.isupper()
    for text in (known.evidence.source, known.evidence.sale_ref, known.evidence.proof_ref):
        assert text is None or (text.isprintable() and 0 < len(text) <= 200)
