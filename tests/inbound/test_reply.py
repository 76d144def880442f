"""A plain no, a plain yes, anything else, and what nobody wrote."""

from __future__ import annotations

import tomllib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.wording import flatten
from repermit.inbound import reply
from repermit.inbound.kinds import Kind
from repermit.inbound.said import verdict
from repermit.runtime import shipped
from tests.inbound.replies import HTML_QUOTES, QUOTES, a_reply

LANGUAGES = ("nl", "fr", "de", "en")
NO = {
    "nl": """nee|Nee.|NEEN!|nee bedankt|Nee, dank u wel.|nee hoor|stop|STOP!!!|Stop aub
        |Schrijf mij uit|schrijf mij uit a.u.b.|Uitschrijven|uitschrijven graag|afmelden|niet meer mailen
        |Stuur mij geen mails meer|Ik wil deze mails niet meer ontvangen.|geen interesse
        |Ik wil mij graag uitschrijven|Dag, nee|Nee. Jan|Verwijder mij uit uw mailinglijst""",
    "fr": """non|Non.|NON MERCI|Non, merci !|désinscrire|Désabonner|desinscription|Stop svp
        |Merci de me désinscrire|Désinscrivez-moi de votre liste
        |Je ne souhaite plus recevoir vos mails
        |Bonjour, non|plus de mails|Ne m’envoyez plus de mails|Je souhaite me désinscrire""",
    "de": """nein|Nein.|NEIN DANKE|Nein, danke!|abmelden|Bitte abmelden|Abbestellen|stopp
        |Bitte keine E-Mails mehr|Bitte melden Sie mich ab|Kein Interesse|Nein, vielen Dank
        |Guten Tag, nein danke|Ich möchte keine Newsletter mehr erhalten|austragen""",
    "en": """no|No.|NO!|No thanks|no, thank you|unsubscribe|Unsubscribe me please|Please remove me
        |Remove me from your mailing list|opt out|Opt-out|no more emails please|not interested
        |I do not want to receive this|Don’t email me again|Hi, no|No thanks, Jan|Stop emailing me
        |Please unsubscribe me from your list.|never""",
}
YES = "ja|Ja!|ja graag|oui|Oui, merci|ja gerne|yes|Yes please|OK|Akkoord|sì|ja\nJan Peeters"
OTHER = """no problem|nee hoor graag|no, I do want it|nee is nee maar stuur maar|niet stoppen
    |Don't stop|non stop|no stop|no unsubscribe|nee, ja|Nee?|Stop?|unsubscribe?|nee 👍|no 1
    |Wie bent u?|Nee, wis mijn gegevens|Nein, aber ich möchte Auskunft|delete my data|thanks|bedankt
    |Hallo|nee mijn vrouw wel|Non, et vous ?|no reply|stop de persen|nee nee ja|Nein doch|...|☺
    |ja maar niet te vaak|not no|Nee, maar stuur ze naar jan@voorbeeld.example"""
LONGER = {
    "Beste mevrouw Janssens,\n\nNee, bedankt.\n\nMet vriendelijke groeten,\nJan Peeters\n"
    "Zaakvoerder Peeters NV\nKerkstraat 1, 9000 Gent\nTel. 09 123 45 67": Kind.NO,
    "Hallo,\nNee.\n\nGroetjes,\nAn": Kind.NO,
    "No thank you\nJohn Smith": Kind.NO,
    "Bonjour Madame,\n\nNon merci.\n\nBien cordialement,\nMarie Dupont-Lejeune": Kind.NO,
    "Sehr geehrte Damen und Herren,\nnein danke.\nMit freundlichen Grüßen\nH. Müller": Kind.NO,
    "Nee\nVan der Velde": Kind.NO,
    "no\nI DO WANT IT": Kind.OTHER,
    "Nee.\nGroeten, Jan\nPS: toch wel": Kind.OTHER,
    "Nee.\nGroeten, Jan\nStuur het maar": Kind.OTHER,
    "No.\nSend it to my wife instead": Kind.OTHER,
    "Nee\nJan\nmaar mijn man wel": Kind.OTHER,
    "Nee,\nGraag": Kind.OTHER,
    "Jan\nnee": Kind.OTHER,
    "Nee.\nMet vriendelijke groeten\n" + "Acme NV\n" * 20: Kind.OTHER,
    "nee " * 400: Kind.OTHER,
}


def each(table: str) -> list[str]:
    return [one.strip() for one in table.split("|")]


@pytest.mark.parametrize("text", [one for table in NO.values() for one in each(table)])
def test_a_plain_no_is_a_no_in_every_language(text: str) -> None:
    assert reply.read(a_reply(text)) == (Kind.NO, text)


@pytest.mark.parametrize("text", each(YES))
def test_a_plain_yes_is_told_apart_and_never_a_no(text: str) -> None:
    assert reply.read(a_reply(text))[0] is Kind.YES


@pytest.mark.parametrize("text", each(OTHER))
def test_whatever_else_is_said_is_for_a_person(text: str) -> None:
    assert reply.read(a_reply(text))[0] is Kind.OTHER


@pytest.mark.parametrize("text", LONGER)
def test_greetings_thanks_and_a_name_say_nothing(text: str) -> None:
    assert verdict(text) is LONGER[text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_our_own_buttons_are_understood(language: str) -> None:
    path = shipped() / "wording" / f"{language}.toml"
    said = flatten(tomllib.loads(Path(path).read_text("utf-8")))

    assert verdict(said["button.no"]) is Kind.NO
    assert verdict(said["button.yes"]) is Kind.YES


@pytest.mark.parametrize("quote", QUOTES)
@pytest.mark.parametrize("text", ["Nee, bedankt", "Ja", "Wie bent u?"])
def test_a_quoted_history_changes_nothing(quote: str, text: str) -> None:
    alone = reply.read(a_reply(text))

    assert alone[1] == text
    assert reply.read(a_reply(f"{text}\n\n{QUOTES[quote]}")) == alone


@pytest.mark.parametrize("quote", [one for one in QUOTES if one.startswith(("marked", "gmail"))])
def test_what_stands_below_a_marked_quote_is_read(quote: str) -> None:
    assert reply.read(a_reply(f"{QUOTES[quote]}\n\nNee bedankt"))[0] is Kind.NO


@pytest.mark.parametrize("quote", HTML_QUOTES)
def test_a_quoted_history_in_html_changes_nothing(quote: str) -> None:
    page = "<html><head><style>p {x}</style></head><body><p>Nee,&nbsp;bedankt</p>{}</body></html>"

    found = reply.read(a_reply(html=page.replace("{}", HTML_QUOTES[quote])))

    assert found == (Kind.NO, "Nee, bedankt")


def test_the_plain_text_counts_and_html_only_where_there_is_none() -> None:
    assert reply.read(a_reply("nee", html="<p>ja</p>"))[0] is Kind.NO
    assert reply.read(a_reply("\n", html="<p>ja</p>"))[0] is Kind.YES


@pytest.mark.parametrize(
    "line",
    [
        "Verzonden met de Outlook-app voor iOS",
        "Sent from my iPhone",
        "Envoyé de mon iPhone",
        "Gesendet von meinem Samsung Galaxy",
        "Von meinem iPhone gesendet",
        "Get Outlook for Android<https://aka.ms/x>",
        "Télécharger Outlook pour iOS",
        "-- \nJan Peeters, maar niet altijd",
        "DISCLAIMER: this is confidential, you must not forward it",
        "This e-mail and any attachments are confidential and intended only for you",
        "Dit e-mailbericht is vertrouwelijk en uitsluitend bestemd voor u",
        "Ce message est confidentiel et destiné à vous seul",
        "Diese E-Mail enthält vertrauliche Informationen, die nur für Sie sind",
        "Denk aan het milieu voor u deze mail afdrukt",
    ],
)
def test_what_a_device_or_a_firm_adds_changes_nothing(line: str) -> None:
    assert reply.read(a_reply(f"Nee\n\n{line}\n")) == (Kind.NO, "Nee")


def test_an_attachment_is_not_read() -> None:
    message = a_reply("nee")
    letter = message.parts[0].__class__("text/plain", "ja", {"content-disposition": "attachment"})
    both = message.__class__(message.headers, (*message.parts, letter))

    assert reply.read(both) == (Kind.NO, "nee")


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("unsubscribe", Kind.NO),
        ("Uitschrijven aub", Kind.NO),
        ("Re: Wilt u de nieuwsbrief ontvangen? Ja of nee", Kind.OTHER),
        ("Ja of nee: welke mails", Kind.OTHER),
        ("Re: no", Kind.OTHER),
        ("yes", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_an_empty_text_is_an_answer_only_with_a_subject_that_is_a_no(
    subject: str, kind: Kind
) -> None:
    assert reply.read(a_reply("", subject=subject)) == (kind, "")
    assert reply.read(a_reply(QUOTES["gmail nl"], subject=subject)) == (kind, "")


def test_no_more_than_four_thousand_characters_are_kept() -> None:
    assert len(reply.read(a_reply("wat? " * 5_000))[1]) <= 4_000


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            [*each(NO["nl"]), *each(OTHER), "", "Groeten,", "Jan Peeters", "Van: Jan", "On 3 May"]
        ),
        st.text(max_size=40),
    ),
    max_size=8,
).map("\n".join)


@given(TEXTS, st.sampled_from(sorted(QUOTES)))
def test_whatever_was_written_a_quoted_history_never_changes_the_verdict(
    text: str, quote: str
) -> None:
    alone = reply.read(a_reply(text))
    quoted = reply.read(a_reply(f"{text}\n\n{QUOTES[quote]}"))

    assert quoted == alone
    assert "QUOTED" not in quoted[1]


@given(st.text(), st.text(max_size=60))
def test_whatever_was_written_it_is_read(text: str, subject: str) -> None:
    kind, fresh = reply.read(a_reply(text, html=text, subject=" ".join(subject.split())))

    assert kind in (Kind.NO, Kind.YES, Kind.OTHER, Kind.AUTOMATIC)
    hidden = {one for one in fresh if unicodedata.category(one) in ("Cc", "Cf", "Cs")}
    assert hidden <= {"\n"}


@given(
    st.lists(st.sampled_from([*"<>/!-&#;\"'=", "div", "blockquote", "<!--", "-->", "<br>", "ja"]))
)
def test_whatever_the_html_it_is_read(pieces: list[str]) -> None:
    assert reply.read(a_reply(html="".join(pieces)))
