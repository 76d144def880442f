"""What nobody wrote: by its headers, its subject, and its words."""

from __future__ import annotations

import pytest

from repermit.inbound import reply
from repermit.inbound.kinds import Kind
from repermit.inbound.message import Message, parse
from tests.inbound.replies import a_reply

STRONG = [
    "Auto-Submitted: auto-replied\n",
    "Auto-Submitted: auto-generated; x=1\n",
    "Auto-Submitted: Auto-Notified\n",
    "X-Autoreply: yes\n",
    "X-Autorespond: Wilt u\n",
]
WEAK = [
    "Auto-Submitted: yes\n",
    "Precedence: bulk\n",
    "Precedence: junk\n",
    "Precedence: auto_reply\n",
    "Precedence: list\n",
    "X-Loop: info@voorbeeld.example\n",
    "List-Id: <tuin.lijst.example>\n",
    "Return-Path: <>\n",
    "Return-Path: <MAILER-DAEMON@mx.example>\n",
    "Sender: no-reply@voorbeeld.example\n",
]
SUBJECTS = [
    "Automatisch antwoord: Wilt u de nieuwsbrief ontvangen?",
    "Automatic reply: Wilt u de nieuwsbrief",
    "Re: Out of office",
    "Afwezig",
    "Réponse automatique : Souhaitez-vous",
    "Absence du bureau",
    "Automatische Antwort: Möchten Sie",
    "Abwesenheitsnotiz",
    "Respuesta automática: x",
    "Risposta automatica: x",
    "Resposta automática: x",
    "Ontvangstbevestiging",
    "Your request",
    "On leave",
    "Read: uw mail",
    "Urlaub mit Ihnen",
    "Absence de réponse",
]
WRITTEN = {
    "nee": Kind.NO,
    "Ja graag": Kind.YES,
    "Verwijder al mijn gegevens (art. 17 AVG)": Kind.OTHER,
    "Wij zijn er maandag weer.": Kind.AUTOMATIC,
}
WORDS = [
    "Ik ben afwezig tot 3 december. Voor dringende zaken: collega@voorbeeld.example",
    "Beste,\n\nIk ben momenteel niet op kantoor.",
    "Hello, I am out of the office until Monday with limited access to e-mail.",
    "Bonjour,\nJe suis actuellement en congé jusqu’au 3 décembre.",
    "Guten Tag, ich bin derzeit nicht im Büro.",
    "Vielen Dank für Ihre Nachricht. Wir melden uns.",
    "Bedankt voor uw bericht. Wij antwoorden binnen twee dagen.",
    "Nous avons bien reçu votre message et reviendrons vers vous.",
    "Your ticket has been created with number 4711.",
    "This is an automated message: we have received your request.",
    "Estoy fuera de la oficina hasta el lunes",
    "Sono in ferie fino al 3 dicembre",
    "To ensure delivery, verify that you are a person: https://challenge.example/x",
]
PEOPLE = [
    "Sorry, mijn mailbox was vol en ik was out of office. Kunt u het nog eens sturen?",
    "Ik ben afwezig geweest. Verwijder mijn gegevens aub.",
    "Thank you for your message. Please delete my data.",
    "Ik ben met vakantie, maar schrijf mij nu al uit",
    "Mijn vader is overleden. Bedankt voor uw bericht.",
]


def read_of(content: bytes) -> Message:
    """Return what is read of a message."""
    message = parse(content)
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize("header", STRONG)
def test_what_says_of_itself_that_nobody_wrote_it_is_no_answer(header: str) -> None:
    assert reply.read(a_reply("Nee", headers=header))[0] is Kind.AUTOMATIC


@pytest.mark.parametrize("header", WEAK)
def test_what_people_may_write_through_is_automatic_only_when_it_asks_for_nothing(
    header: str,
) -> None:
    """A gateway, a list or a firm's servers put these on what people write, too."""
    said = {text: reply.read(a_reply(text, headers=header))[0] for text in WRITTEN}

    assert said == WRITTEN


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: no\n",
        "Auto-Submitted: No; x=1\n",
        "X-Autorespond: no\n",
        "Precedence: first-class\n",
        "",
    ],
)
def test_what_its_headers_do_not_call_automatic_is_an_answer(header: str) -> None:
    assert reply.read(a_reply("Wie bent u?", headers=header))[0] is Kind.OTHER


def test_a_report_that_must_not_be_answered_is_automatic_whatever_it_says() -> None:
    """RFC 5321 section 4.5.5: what is said may quote anything of the mail."""
    report = (
        b"Return-Path: <>\nFrom: an@voorbeeld.example\nSubject: x\nContent-Type: multipart/report;"
        b" report-type=some-notification; boundary=e\n\n--e\n\nWas deleted unread.\n--e--\n"
    )
    from_somebody = report.replace(b"Return-Path: <>", b"Return-Path: <an@voorbeeld.example>")

    assert reply.read(read_of(report))[0] is Kind.AUTOMATIC
    assert reply.read(read_of(from_somebody))[0] is Kind.OTHER


@pytest.mark.parametrize("header", ["Precedence: list\n", "List-Id: <info.tuin.example>\n"])
def test_what_answers_a_mail_is_read_although_a_list_handed_it_on(header: str) -> None:
    """The address of the controller that gets the replies may be a list itself."""
    answers = f"{header}In-Reply-To: <1@tuinvrienden.example>\n"

    assert reply.read(a_reply("Wie bent u?", headers=answers))[0] is Kind.OTHER


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_its_subject_calls_automatic_is_so_only_when_it_asks_for_nothing(
    subject: str,
) -> None:
    """Somebody may choose the very words for a subject: "Your request", "Urlaub mit Ihnen"."""
    said = {text: reply.read(a_reply(text, subject=subject))[0] for text in WRITTEN}

    assert said == WRITTEN


@pytest.mark.parametrize("header", ["", "Precedence: bulk\n"])
def test_a_subject_that_is_a_no_is_one_although_nothing_stands_below_it(header: str) -> None:
    assert reply.read(a_reply("", subject="unsubscribe", headers=header))[0] is Kind.NO


def test_a_subject_that_may_be_automatic_is_where_the_headers_want_no_answer() -> None:
    subject, header = "Uw aanvraag 4711", "X-Auto-Response-Suppress: All\n"

    assert reply.read(a_reply("Hallo", subject=subject, headers=header))[0] is Kind.AUTOMATIC
    assert reply.read(a_reply("Hallo", subject=subject))[0] is Kind.OTHER
    assert reply.read(a_reply("Hallo", headers=header))[0] is Kind.OTHER
    assert reply.read(a_reply("Nee", subject=subject, headers=header))[0] is Kind.NO


@pytest.mark.parametrize("text", WORDS)
def test_what_its_words_call_automatic_is_no_answer(text: str) -> None:
    assert reply.read(a_reply(text))[0] is Kind.AUTOMATIC


@pytest.mark.parametrize("text", PEOPLE)
def test_whoever_wants_something_is_read_by_a_person(text: str) -> None:
    assert reply.read(a_reply(text))[0] is Kind.OTHER
