"""Which column of a list is which field."""

from __future__ import annotations

import pytest

from repermit.errors import ListUnreadable
from repermit.intake.columns import FIELDS, is_header, map_columns, recognise


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("email", "email"),
        ("E-Mail", "email"),
        ("e-mailadres", "email"),
        ("E_MAIL ADDRESS", "email"),
        ("mail", "email"),
        ("Courriel", "email"),
        ("adresse mail", "email"),
        ("Adresse électronique", "email"),
        ("E-Mail-Adresse", "email"),
        ("E-mailadres (privé)", "email"),
        ("E-mail / Courriel", "email"),
        ("\ufeffemail", "email"),
        ("# email", "email"),
        ("Land", "country"),
        ("pays", "country"),
        ("Country", "country"),
        ("Taal", "language"),
        ("langue", "language"),
        ("Sprache", "language"),
        ("bron", "source"),
        ("Herkomst", "source"),
        ("origine", "source"),
        ("Quelle", "source"),
        ("relatie", "relationship"),
        ("Beziehung", "relationship"),
        ("Ingeschreven op", "collected"),
        ("Datum inschrijving", "collected"),
        ("Date d'inscription", "collected"),
        ("Date d\u2019inscription", "collected"),
        ("Anmeldedatum", "collected"),
        ("laatste contact", "last_contact"),
        ("dernier contact", "last_contact"),
        ("letzter Kontakt", "last_contact"),
        ("last contact", "last_contact"),
        ("klant tot", "ended"),
        ("client jusqu'au", "ended"),
        ("Kunde bis", "ended"),
        ("factuur", "sale_ref"),
        ("N° facture", "sale_ref"),
        ("Rechnung", "sale_ref"),
        ("order", "sale_ref"),
        ("bewijs", "proof_ref"),
        ("rechtspersoon", "legal_person"),
        ("uitgeschreven", "opted_out"),
        ("Opt-out", "opted_out"),
        ("désinscrit", "opted_out"),
        ("abgemeldet", "opted_out"),
        ("Unsubscribed", "opted_out"),
        ("HasOptedOutOfEmail", "opted_out"),
    ],
)
def test_a_header_is_known_in_four_languages(name: str, field: str) -> None:
    assert recognise([name]) == {field: 0}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_known_by_its_own_name(field: str) -> None:
    assert recognise([field]) == {field: 0}
    assert recognise([field.replace("_", " ").upper()]) == {field: 0}


@pytest.mark.parametrize("name", ["", "adres", "naam", "opt-in", "Taal/Land", "()", "status", "42"])
def test_other_headers_are_not_guessed_at(name: str) -> None:
    assert recognise([name]) == {}


def test_a_first_row_with_an_address_is_no_header() -> None:
    assert not is_header(["An", "an@x.be"])
    assert not is_header(["mail", "an@x.be"])
    assert is_header(["Naam", "Email (an@x.be)"])
    assert is_header(["Naam", "Adres"])


def test_headers_that_are_not_read_are_named() -> None:
    columns = map_columns(["Naam", "E-mail", "Land", "", "Geboren"], {})

    assert columns.index == {"email": 1, "country": 2}
    assert columns.dropped == ("Naam", "Geboren")


def test_a_header_that_is_not_read_is_named_without_address() -> None:
    columns = map_columns(["E-mail", "vragen: an@x.be", "Opmerking\n(intern)\x1b[2J"], {})

    assert columns.dropped == ("column 2", "Opmerking (intern)[2J")


def test_the_column_with_most_addresses_is_the_email() -> None:
    rows = [["", "an@x.be", "BE"], ["bo@x.be", "bo@y.be", "BE"]]

    columns = map_columns(["mail", "e-mail", "land"], {}, rows=rows)

    assert columns.index == {"email": 1, "country": 2}
    assert columns.dropped == ("mail",)


def test_without_header_the_one_column_of_addresses_is_the_email() -> None:
    rows = [["An", "an@x.be", "BE"], ["Bo", "bo@x.be"]]

    assert map_columns([], {}, rows=rows).index == {"email": 1}
    assert map_columns([], {"country": "3"}, rows=rows).index == {"country": 2, "email": 1}


def test_without_header_two_columns_of_addresses_are_not_chosen_between() -> None:
    rows = [["an@x.be", "verkoop@y.be"], ["bo@x.be", "verkoop@y.be"]]

    with pytest.raises(ListUnreadable, match="several columns") as refused:
        map_columns([], {}, rows=rows)

    assert "@" not in f"{refused.value} {refused.value.hint}"
    assert map_columns([], {"email": "1"}, rows=rows).index == {"email": 0}


def test_a_mapping_goes_before_the_header() -> None:
    header = ["Contact", "E-mail", "Land", "Bron"]

    columns = map_columns(header, {"email": "contact", "source": "3"})

    assert columns.index == {"email": 0, "source": 2}
    assert columns.dropped == ("E-mail", "Bron")


def test_two_fields_may_be_read_from_one_column() -> None:
    columns = map_columns(["email", "datum"], {"collected": "Datum", "last_contact": "2"})

    assert columns.index == {"collected": 1, "last_contact": 1, "email": 0}


def test_a_column_that_is_named_goes_before_its_number() -> None:
    assert map_columns(["email", "a", "2020", "2"], {"sale_ref": "2"}).index["sale_ref"] == 3


def test_every_column_of_opt_outs_counts() -> None:
    columns = map_columns(["uitgeschreven", "email", "opt-out", "klacht", "bezwaar"], {})

    assert (columns.index["opted_out"], columns.more_opt_outs) == (0, (2, 4))
    assert columns.dropped == ("klacht",)


def test_a_status_is_an_opt_out_when_it_speaks_of_subscriptions() -> None:
    header = ["email", "Status"]

    assert map_columns(header, {}, rows=[["an@x.be", "Subscribed"]]).index["opted_out"] == 1
    assert map_columns(header, {}, rows=[["an@x.be", "actief"], ["bo@x.be"]]).dropped == ("Status",)


def test_a_list_without_known_addresses_says_which_columns_it_has() -> None:
    rows = [["An", "an@x.be"]]

    with pytest.raises(ListUnreadable, match="1 'Naam', 2 'Contact'") as refused:
        map_columns(["Naam", "Contact"], {}, rows=rows)

    assert refused.value.hint == "pass --map email=2"
    with pytest.raises(ListUnreadable) as refused:
        map_columns(["Naam", "Adres"], {}, rows=[["An", "Gent"]])
    assert refused.value.hint == "pass --map email=COLUMN"


def test_an_unknown_field_is_refused_with_those_there_are() -> None:
    with pytest.raises(ListUnreadable, match="unknown field") as refused:
        map_columns(["email"], {"birthday": "email"})

    assert "last_contact" in refused.value.hint


@pytest.mark.parametrize("column", ["Pays", "0", "3", "-1", "²", "an@x.be", ""])
def test_an_unknown_column_is_refused_with_those_there_are(column: str) -> None:
    with pytest.raises(ListUnreadable, match="country") as refused:
        map_columns(["email", "Land"], {"country": column})

    assert refused.value.hint == "its columns are 1 'email', 2 'Land'"
    assert "@" not in str(refused.value)


def test_a_message_shows_no_address_and_no_long_list() -> None:
    header = ["an@x.be", "y" * 500, *["kolom"] * 100]

    with pytest.raises(ListUnreadable) as refused:
        map_columns(header, {"email": "x"})

    assert "@" not in refused.value.hint
    assert "and 72 more" in refused.value.hint
    assert len(refused.value.hint) < 700
