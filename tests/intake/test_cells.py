"""What one cell of a list says."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.relationship import Relationship
from repermit.intake.cells import (
    country_of,
    date_of,
    language_of,
    order_of,
    relationship_of,
    text_of,
)

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


def test_a_date_is_read_with_the_month_first_where_it_is_said_so() -> None:
    assert date_of("12/31/2019", month_first=True) == date(2019, 12, 31)
    assert date_of("2019-12-31", month_first=True) == date(2019, 12, 31)
    assert date_of("31/12/2019", month_first=True) is None


@pytest.mark.parametrize(
    ("text", "order"),
    [
        *(("31/12/2019", "day"), ("12/31/2019 8:05 PM", "month"), ("1/2/2019", None)),
        *(("2019-12-31", None), ("31/31/2019", None), ("", None)),
    ],
)
def test_some_dates_tell_in_which_order_they_are_written(text: str, order: str | None) -> None:
    assert order_of(text) == order


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3 maart 2019", date(2019, 3, 3)),
        ("maart 2019", date(2019, 3, 1)),
        ("1 mrt. 2019", date(2019, 3, 1)),
        ("12-Dez-2019", date(2019, 12, 12)),
        ("1er août 2019", None),
        ("1 août 2019", date(2019, 8, 1)),
        ("15 juin 2019", date(2019, 6, 15)),
        ("15 juillet 2019", date(2019, 7, 15)),
        ("3. März 2019", date(2019, 3, 3)),
        ("03-Mar-2019 10:00", date(2019, 3, 3)),
        ("31 februari 2019", None),
        ("3 smurf 2019", None),
    ],
)
def test_a_month_in_words_is_read_in_four_languages(text: str, day: date | None) -> None:
    assert date_of(text) == day


def test_a_text_is_one_short_line_without_control_characters() -> None:
    assert text_of(" bron \x00\x1b[31m\r\n\tsite\u202e\u00a0x ") == "bron [31m site x"
    assert text_of("x" * 500) == "x" * 200
    assert text_of("\x00\x07") is None
