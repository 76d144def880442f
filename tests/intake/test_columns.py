"""Which column of a list is which field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import ListUnreadable, ListUnsure
from repermit.intake.columns import FIELDS, Columns, is_header, map_columns, recognise


def fields_of(columns: Columns) -> dict[str, int]:
    return dict(columns.fields)


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
        ("opt-in", "opted_in"),
        ("Nieuwsbrief", "opted_in"),
        ("Nieuwsbrief (j/n)", "opted_in"),
        ("Nieuwsbrief ja/nee", "opted_in"),
        ("toestemming", "opted_in"),
        ("E-mail ontvangen", "opted_in"),
        ("Inscrit à la newsletter", "opted_in"),
        ("abonné", "opted_in"),
        ("consentement", "opted_in"),
        ("Newsletter erwünscht", "opted_in"),
        ("Einwilligung", "opted_in"),
        ("Accepts Email Marketing", "opted_in"),
        ("is_subscribed", "opted_in"),
        ("GDPR consent", "opted_in"),
    ],
)
def test_a_header_is_known_in_four_languages(name: str, field: str) -> None:
    assert recognise([name]) == {field: 0}


@pytest.mark.parametrize(
    "name",
    [
        *["E-mail Address", "E-mail 2 Address", "E-mail 3 Address", "E-mailadres 2"],
        *["E-mail 1 - Value", "E-mail 2 - Value", "E-mail privé", "E-mail werk", "email_2"],
        *["Adresse de messagerie 2", "E-Mail 2: Adresse", "E-Mail (geschäftlich)"],
        *["Billing Email", "billing_email", "user_email", "Customer e-mail", "Klant e-mail"],
        *["Person Account: Email", "Contact e-mail", "E-mail pro", "Autre e-mail"],
    ],
)
def test_an_address_may_be_one_of_several(name: str) -> None:
    assert recognise([name]) == {"email": 0}


@pytest.mark.parametrize(
    "name",
    [
        *["E-mail Type", "E-mail 1 - Type", "E-mail 1 - Label", "E-mail Display Name"],
        *["E-mailtype", "Weergavenaam e-mail", "E-mail Format", "contact", "klant", "2"],
        *["E-mail server", "Mailtext", "value", "Adres 2"],
    ],
)
def test_what_is_said_of_an_address_is_none(name: str) -> None:
    assert recognise([name]) == {}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Afmelding nieuwsbrief", "opted_out"),
        ("Uitgeschreven voor de nieuwsbrief op", "opted_out"),
        ("Wil geen nieuwsbrief meer", "opted_out"),
        ("Désinscription newsletter", "opted_out"),
        ("Ne souhaite pas recevoir la newsletter", "opted_out"),
        ("Newsletter abgemeldet", "opted_out"),
        ("möchte keinen Newsletter", "opted_out"),
        ("Opt out e-mail", "opted_out"),
        ("Date of unsubscription from our mailings", "opted_out"),
        ("Stop mailing", "opted_out"),
        ("optOutDate", "opted_out"),
        ("OPTOUTDATE", "opted_out"),
        ("Wenst onze nieuwsbrief te ontvangen", "opted_in"),
        ("Souhaite recevoir notre newsletter", "opted_in"),
        ("Newsletter abonniert am", "opted_in"),
        ("Consent for e-mail marketing", "opted_in"),
    ],
)
def test_a_stop_is_known_in_a_long_name(name: str, field: str) -> None:
    assert recognise([name]) == {field: 0}


@pytest.mark.parametrize(
    "name",
    [
        "no",
        "No.",
        "niet actief",
        "unsubscribe link",
        "Opt-in IP",
        "E-mail no",
        "datum",
        "de",
        "pas",
    ],
)
def test_a_word_alone_says_nothing_of_stops(name: str) -> None:
    assert recognise([name]) == {}


@pytest.mark.parametrize(
    ("program", "header", "fields"),
    [
        ("Outlook", "First Name,E-mail Address,E-mail Type,Home Country/Region", "country email"),
        ("Mailchimp", "Email Address,OPTIN_TIME,UNSUB_TIME,LEID", "collected email opted_out"),
        ("Brevo", "CONTACT ID,EMAIL,OPT_IN,ADDED_TIME", "email opted_in"),
        ("Laposta", "E-mailadres,Inschrijfdatum,Bron", "collected email source"),
        ("Teamleader", "Naam,E-mail,Taal,Land,Marketing mails", "country email language opted_in"),
        ("Odoo", "Name,Email,Country,Language,Opt-Out", "country email language opted_out"),
        (
            "Salesforce",
            "Email,HasOptedOutOfEmail,LeadSource,MailingCountry",
            "country email opted_out source",
        ),
        (
            "WooCommerce",
            "Name,Last Active,Sign Up,Email,Orders,Country / Region",
            "collected country email last_contact",
        ),
        ("Magento", "ID,Email,Customer Since,Country,State", "collected country email"),
        ("Shopify", "Email,Accepts Email Marketing,Total Spent", "email opted_in"),
    ],
)
def test_headers_of_known_programs_are_understood(program: str, header: str, fields: str) -> None:
    assert sorted(recognise(header.split(","))) == fields.split()


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_known_by_its_own_name(field: str) -> None:
    assert recognise([field]) == {field: 0}
    assert recognise([field.replace("_", " ").upper()]) == {field: 0}


@pytest.mark.parametrize("name", ["", "adres", "naam", "Taal/Land", "()", "/", "status", "42"])
def test_other_headers_are_not_guessed_at(name: str) -> None:
    assert recognise([name]) == {}


def test_a_first_row_with_an_address_is_no_header() -> None:
    assert not is_header(["An", "an@x.be"])
    assert not is_header(["mail", "an@x.be"])
    assert is_header(["Naam", "Email (an@x.be)"])
    assert is_header(["Naam", "Adres"])


def test_headers_that_are_not_read_are_named() -> None:
    columns = map_columns(["Naam", "E-mail", "Land", "", "Geboren"], {})

    assert columns == Columns((1,), (("country", 2),), ("Naam", "Geboren"))


def test_columns_without_a_name_are_named_by_number_if_they_hold_something() -> None:
    rows = [["", "an@x.be", "x", " "], ["", "bo@x.be", "", "", "y"]]

    assert map_columns(["naam", "email"], {}, rows=rows).dropped == ("naam", "column 3", "column 5")
    assert map_columns([], {"country": "3"}, rows=rows).dropped == ("column 5",)


def test_a_header_that_is_not_read_is_named_without_address() -> None:
    columns = map_columns(["E-mail", "vragen: an@x.be", "Opmerking\n(intern)\x1b[2J"], {})

    assert columns.dropped == ("column 2", "Opmerking (intern)[2J")


def test_every_column_of_addresses_counts() -> None:
    rows = [["", "an@x.be", "BE"], ["bo@x.be", "bo@y.be", "BE"]]

    columns = map_columns(["mail", "e-mail", "land", "e-mail werk"], {}, rows=rows)

    assert columns == Columns((0, 1, 3), (("country", 2),), ())


def test_a_column_named_for_mail_that_holds_other_things_does_not_count() -> None:
    rows = [["ja", "an@x.be"], ["nee", ""]]

    assert map_columns(["mail", "e-mail"], {}, rows=rows).emails == (1,)
    assert map_columns(["mail", "e-mail"], {}, rows=rows).dropped == ("mail",)
    assert map_columns(["mail", "adres"], {}, rows=rows).emails == (0,)


def test_without_header_the_one_column_of_addresses_is_the_email() -> None:
    rows = [["An", "an@x.be", "BE"], ["Bo", "bo@x.be"]]

    assert map_columns([], {}, rows=rows) == Columns((1,), (), ("column 1", "column 3"))
    assert map_columns([], {"country": "3"}, rows=rows).fields == (("country", 2),)
    assert map_columns([], {}, rows=[["geen adres"], ["an@ x.be"]]).emails == (0,)


def test_without_header_a_stray_address_makes_no_second_column() -> None:
    rows = [["an@x.be", ""]] * 9 + [["bo@x.be", "oud@x.be"]]

    assert map_columns([], {}, rows=rows).emails == (0,)


@pytest.mark.parametrize("header", [[], ["klant", "verkoper"]])
def test_without_name_two_columns_of_addresses_are_not_chosen_between(header: list[str]) -> None:
    rows = [["an@x.be", "verkoop@y.be"], ["bo@x.be", "verkoop@y.be"], ["cas@x.be", ""]]

    with pytest.raises(ListUnsure) as unsure:
        map_columns(header, {}, rows=rows)

    assert unsure.value.option == "map"
    assert [value for value, _ in unsure.value.readings] == ["email=1", "email=2"]
    assert unsure.value.readings[0][1].startswith("3 addresses in the first rows")
    assert "@" not in f"{unsure.value} {unsure.value.hint}"
    assert map_columns(header, {"email": "1"}, rows=rows).emails == (0,)


def test_a_mapping_goes_before_the_header() -> None:
    header = ["Contact", "E-mail", "Land", "Bron"]

    columns = map_columns(header, {"email": "contact", "source": "3"})

    assert columns == Columns((0,), (("source", 2),), ("E-mail", "Bron"))
    assert map_columns(["mail", "e-mail"], {"source": "mail"}).emails == (1,)


def test_a_mapping_of_the_address_takes_that_one_column() -> None:
    assert map_columns(["e-mail", "e-mail 2"], {"email": "e-mail 2"}).emails == (1,)


def test_a_mapping_names_a_column_as_it_is_shown() -> None:
    header = ["email", "Nota\n(a@b.be)", "y" * 60]
    rows = [["an@x.be", "x", "y"]]
    dropped = map_columns(header, {}, rows=rows).dropped

    for at, name in enumerate(dropped, start=1):
        assert map_columns(header, {"source": name}, rows=rows).fields == (("source", at),)
    assert map_columns([], {"source": "column 2"}, rows=rows).fields == (("source", 1),)


def test_two_fields_may_be_read_from_one_column() -> None:
    columns = map_columns(["email", "datum"], {"collected": "Datum", "last_contact": "2"})

    assert columns == Columns((0,), (("collected", 1), ("last_contact", 1)), ())


def test_a_column_that_is_named_goes_before_its_number() -> None:
    columns = map_columns(["email", "a", "2020", "2"], {"sale_ref": "2"})

    assert fields_of(columns)["sale_ref"] == 3


def test_every_column_of_opt_outs_counts() -> None:
    header = ["uitgeschreven", "email", "opt-out", "kleur", "bezwaar", "nieuwsbrief", "opt-in"]

    columns = map_columns(header, {})

    outs = (("opted_out", 0), ("opted_out", 2), ("opted_out", 4))
    assert columns.fields == (*outs, ("opted_in", 5), ("opted_in", 6))
    assert columns.dropped == ("kleur",)


def test_a_column_that_is_mapped_adds_to_those_that_say_who_opted_out() -> None:
    columns = map_columns(["email", "Unsubscribed", "Zwart"], {"opted_out": "Zwart"})

    assert columns.fields == (("opted_out", 2), ("opted_out", 1))


def test_a_column_of_yes_and_no_that_is_not_read_is_named() -> None:
    rows = [["an@x.be", "nee", "Gent"], ["bo@x.be", "ja", ""]]

    assert map_columns(["email", "Vlag", "Stad"], {}, rows=rows).yes_no == ("Vlag",)


def test_of_other_fields_the_first_column_counts() -> None:
    columns = map_columns(["email", "land", "country"], {})

    assert columns == Columns((0,), (("country", 1),), ("country",))


def test_a_status_is_an_opt_out_when_it_speaks_of_subscriptions() -> None:
    header = ["email", "Status"]

    said = map_columns(header, {}, rows=[["an@x.be", "Subscribed"]])
    assert said.fields == (("status", 1),)
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


@given(
    st.lists(
        st.sampled_from(["e-mail", "land", "", "status", "@", "opt-in"]) | st.text(), max_size=6
    ),
    st.lists(
        st.lists(st.sampled_from(["an@x.be", "", "ja", "@"]) | st.text(), max_size=6), max_size=4
    ),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(["1", "2", "e-mail"]), max_size=2),
)
def test_any_header_has_columns_or_is_refused(
    header: list[str], rows: list[list[str]], mapping: dict[str, str]
) -> None:
    try:
        columns = map_columns(header, mapping, rows=rows)
    except ListUnreadable as refused:
        assert "@" not in f"{refused}{refused.hint}"
        return
    assert columns.emails
    assert all("@" not in name and name.isprintable() for name in columns.dropped)
    assert {name for name, _ in columns.fields} <= set(FIELDS) - {"email"}
