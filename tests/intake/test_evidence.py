"""What the cells of one row say."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.policy import Evidence
from repermit.intake import evidence
from repermit.intake.cells import is_nothing, truth_of
from repermit.intake.columns import FIELDS
from repermit.intake.evidence import Defaults, Known, is_on_stop_list, month_first

WHOLE_LIST = Defaults(
    relationship="customer",
    country="BE",
    language="nl",
    source="webshop",
    collected=date(2018, 1, 1),
    last_contact=date(2020, 1, 1),
    sensitive=True,
)


def evidence_of(cells: dict[str, str], defaults: Defaults) -> Known:
    """Return what *cells* say."""
    said = {name: text for name, text in cells.items() if name != "email"}
    return evidence.evidence_of(tuple(said), tuple(said.values()), defaults)


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
    assert (known.language, known.stop, known.unread) == ("fr", None, ())


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
        assert (known.language, known.stop, known.unread) == ("nl", None, ())


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


@pytest.mark.parametrize("text", ["ja", "Oui", "YES", "wahr", "true", "1", "x", "Y", "j", "1.0"])
def test_a_yes_is_true(text: str) -> None:
    assert truth_of(text) is True
    assert evidence_of({"opted_out": text}, Defaults()).stop


@pytest.mark.parametrize("text", ["nee", "Non", "NO", "falsch", "false", "0", "n", "nein", "0.0"])
def test_a_no_is_false(text: str) -> None:
    assert truth_of(text) is False
    assert not evidence_of({"opted_out": text}, Defaults()).stop


@pytest.mark.parametrize(
    "text", ["", "-", "/", "NULL", "n/a", "None", "\\N", "0000-00-00 00:00:00"]
)
def test_what_stands_for_empty_is_empty(text: str) -> None:
    assert is_nothing(text)
    assert evidence_of({"opted_out": text, "country": text}, Defaults()).unread == ()
    assert not evidence_of({"opted_out": text}, Defaults()).stop


@pytest.mark.parametrize("text", ["ingeschreven", "Subscribed", "actief", "abonné", "angemeldet"])
def test_who_is_subscribed_did_not_opt_out(text: str) -> None:
    """In a column about subscriptions; on a list of opt-outs it says nothing of the kind."""
    assert not evidence_of({"status": text}, Defaults()).stop
    assert evidence_of({"opted_out": text}, Defaults()).stop


@pytest.mark.parametrize(
    "text", ["uitgeschreven", "Unsubscribed", "désinscrit", "1/3/2019", "2019"]
)
def test_who_is_unsubscribed_opted_out(text: str) -> None:
    known = evidence_of({"opted_out": text}, Defaults())

    assert (known.stop, known.unread) == ("opted_out", ())


@pytest.mark.parametrize("text", ["?", "✓", "wil niet meer", "not subscribed", "2", "00"])
def test_a_doubtful_opt_out_is_one_and_is_told(text: str) -> None:
    known = evidence_of({"opted_out": text}, Defaults())

    assert (known.stop, known.unread) == ("opted_out", ("opted_out",))


@pytest.mark.parametrize(
    ("parts", "opted_out"),
    [(("nee", ""), False), (("nee", "2019"), True), (("", "ja"), True), (("", ""), False)],
)
def test_one_of_several_opt_outs_is_enough(parts: tuple[str, ...], opted_out: bool) -> None:
    fields, said = ("country", "opted_out", "opted_out"), ("BE", *parts)
    known = evidence.evidence_of(fields, said, Defaults())

    assert (known.stop == "opted_out") is opted_out


@pytest.mark.parametrize("text", ["nee", "0", "false", "unsubscribed", "Non"])
def test_a_no_to_an_opt_in_is_a_stop(text: str) -> None:
    known = evidence_of({"opted_in": text}, Defaults())

    assert (known.stop, known.unread) == ("opted_in", ())


@pytest.mark.parametrize("text", ["ingetrokken", "refused", "niet meer", "pending", "✗", "no!"])
def test_an_opt_in_that_is_not_understood_is_a_stop_too(text: str) -> None:
    assert evidence_of({"opted_in": text}, Defaults()).stop == "opted_in"


@pytest.mark.parametrize("field", ["relationship", "left"])
def test_a_word_of_those_who_left_is_a_stop_wherever_it_stands(field: str) -> None:
    assert evidence_of({field: "Uitgeschreven"}, Defaults()).stop == field
    assert evidence_of({field: "Lid"}, Defaults()).stop is None


def test_a_source_that_holds_an_address_is_not_read() -> None:
    """It would stand in the mail, and on the screen."""
    for sign in "@＠﹫":
        known = evidence_of({"source": f"via jan{sign}x.be", "proof_ref": "7"}, Defaults())
        assert (known.evidence.source, known.unread) == (None, ("source",))


def test_on_a_list_of_opt_outs_everybody_is_meant_of_whom_it_does_not_say_otherwise() -> None:
    assert is_on_stop_list((), ())
    assert is_on_stop_list(("opted_in",), ("nee",))
    assert is_on_stop_list(("opted_in",), ("",))
    assert not is_on_stop_list(("opted_in",), ("ja",))
    assert is_on_stop_list(("opted_out",), ("2019-03-01",))
    assert not is_on_stop_list(("opted_out",), ("nee",))


@pytest.mark.parametrize("text", ["ja", "1", "", "NULL", "maandelijks", "2019-03-01"])
def test_a_yes_to_an_opt_in_means_nothing(text: str) -> None:
    """It is no proof; and what is neither yes nor no is no stop."""
    known = evidence_of({"opted_in": text}, Defaults())

    assert (known.stop, known.unread) == (None, ())
    assert known.evidence == Evidence()


def test_a_value_means_what_the_operator_said() -> None:
    meanings = {"Lid": "signed_up_no_proof", "Weg": "suppressed"}
    known = [
        evidence.evidence_of(("relationship",), (text,), WHOLE_LIST, meanings=meanings)
        for text in ("Lid", "Weg", "customer", "Gast", "")
    ]

    assert [one.evidence.relationship for one in known[:1]] == ["signed_up_no_proof"]
    assert [one.stop for one in known] == [None, "relationship", None, None, None]
    assert [one.evidence.relationship for one in known[2:]] == ["customer", "Gast", "customer"]


def test_dates_are_american_only_when_nothing_speaks_against_it() -> None:
    fields = ("collected", "last_contact", "ended", "source")
    rows = [
        ("12/31/2019", "12/31/2019", "1/2/2019", "12/31/2019"),
        ("1/2/2019", "31/12/2019", "2019-12-31", "x"),
    ]

    assert month_first(fields, rows) == {"collected"}
    assert month_first(fields, []) == frozenset()


@given(st.dictionaries(st.sampled_from(FIELDS), st.text() | st.from_regex(r"[0-9 ./:T-]{1,20}")))
def test_any_cells_give_evidence(cells: dict[str, str]) -> None:
    known = evidence_of(cells, WHOLE_LIST)

    assert set(known.unread) <= set(cells)
    assert "@" not in (known.evidence.relationship or "")
    assert known.evidence.country is None or known.evidence.country.isupper()
    for text in (known.evidence.source, known.evidence.sale_ref, known.evidence.proof_ref):
        assert text is None or (text.isprintable() and 0 < len(text) <= 200)
