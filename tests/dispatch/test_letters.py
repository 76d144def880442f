"""The mails of the outbox, as a mail program reads them."""

from __future__ import annotations

import email
import json
import re
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from repermit.dispatch.letters import Letters
from repermit.dispatch.mail import Mail
from repermit.domain.address import parse
from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.question import Question
from repermit.domain.standing import Answer
from repermit.domain.templates import Templates
from repermit.errors import WordingIncomplete
from repermit.ledger.engine import Ledger
from repermit.ledger.store import held, owing
from repermit.ledger.store.outbox import Owed
from repermit.ledger.store.owing import Kind, Notice
from repermit.runtime import shipped
from tests.builders import asked, press
from tests.dispatch.builders import LANGUAGES, NOW, a_mailer, a_question, an_envelope
from tests.dispatch.test_dkim import a_signer, verifies

AN = "an.peeters@telenet.example"
BOUNCES = "bounces.tuinvrienden.example"
RECEIVERS = ("an@tuinvrienden.example", "dpo@tuinvrienden.example")


def owed(kind: Kind = Kind.ACKNOWLEDGEMENT, **changes: Any) -> Owed:
    """Return a mail of the outbox that was taken."""
    known: dict[str, Any] = {
        "id": 12,
        "kind": kind,
        "recipient_id": 7,
        "address": parse(AN),
        "language": "nl",
        "had_question": True,
    }
    return Owed(**(known | changes))


def letters(
    question: Question | None = None,
    folder: Path | None = None,
    signer: Any = None,
    **envelope: Any,
) -> Letters:
    """Return what makes them; *folder* holds templates of the campaign's own."""
    folders = [*([folder] if folder else []), shipped()]
    known = question or a_question()
    asks = a_mailer(known).message_id
    return Letters(known, an_envelope(**envelope), Templates(folders), asks, signer, RECEIVERS)


def read(mail: Mail) -> EmailMessage:
    """Return a mail as a mail program reads it; no line is longer than mail allows."""
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
    assert b"\n" not in mail.content.replace(b"\r\n", b"")
    return email.message_from_bytes(mail.content, policy=SMTP)


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_an_acknowledgement_is_one_plain_text_that_answers_the_question() -> None:
    message = read(letters().build(owed(), None, now=NOW))

    assert message.get_content_type() == "text/plain"
    assert message["To"] == AN
    assert message["Subject"] == "Bevestiging van uw nee"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["In-Reply-To"] == message["References"] == f"<{a_mailer().message_id(7)}>"
    assert "List-Unsubscribe" not in message
    text = text_of(message)
    assert text.startswith("Genoteerd: u krijgt onze nieuwsbrief niet.")
    assert "privacy@tuinvrienden.example" in text
    assert not re.search(r"/(yes|no|u)/", text), "it asks nothing"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [Kind.ACKNOWLEDGEMENT, Kind.DATA])
async def test_every_mail_there_may_be_is_made_in_every_language(
    a_ledger: Ledger, language: str, kind: Kind
) -> None:
    (an,) = await asked(a_ledger, AN)
    found = await a_ledger.read(held.everything, an)

    message = read(letters().build(owed(kind, language=language), found, now=NOW))

    assert len(text_of(message).splitlines()) > 4
    assert message["Subject"]


def test_after_a_page_in_several_languages_it_speaks_all_of_them() -> None:
    message = read(letters().build(owed(language="nl+fr+de"), None, now=NOW))
    text = text_of(message)

    said = [text.index(word) for word in ("Genoteerd", "notre lettre", "den Newsletter")]
    assert said == sorted(said)
    assert message["Subject"].count(" / ") == 2


def test_in_a_language_that_the_campaign_has_no_more_it_speaks_its_own() -> None:
    assert "Genoteerd" in text_of(read(letters().build(owed(language="xx"), None, now=NOW)))


def test_to_who_had_no_question_it_answers_none() -> None:
    message = read(letters().build(owed(had_question=False), None, now=NOW))

    assert "In-Reply-To" not in message
    assert "References" not in message


def test_its_names_are_its_own_and_always_the_same() -> None:
    """So that its bounce is recognised, and settles no question."""
    made = letters(bounce_domain=BOUNCES)
    one, again = (made.build(owed(), None, now=NOW) for _ in range(2))
    names = SignedNames(an_envelope().message_key, BOUNCES)

    assert read(one)["Message-ID"] == read(again)["Message-ID"] == f"<{made.message_id(12)}>"
    assert made.message_id(12) not in (a_mailer().message_id(12), made.message_id(13))
    assert names.at(one.sender) == SignedName(Of.OWED, 12)
    assert list(names.in_text(f"{one.envid} {made.message_id(12)}")) == 2 * [
        SignedName(Of.OWED, 12)
    ]


def test_without_a_domain_for_bounces_it_leaves_under_the_senders_address() -> None:
    mail = letters().build(owed(), None, now=NOW)

    assert mail.sender == "nieuws@tuinvrienden.example"
    assert mail.envid.startswith("o12.")


@pytest.mark.parametrize("kind", Kind)
async def test_it_is_signed_like_every_mail(a_ledger: Ledger, kind: Kind) -> None:
    (an,) = await asked(a_ledger, AN)
    found = await a_ledger.read(held.everything, an)
    signer = a_signer("rsa")

    mail = letters(signer=signer).build(owed(kind), found, now=NOW)

    assert verifies(mail.content, signer)


async def test_the_mail_with_everything_says_it_in_words_and_as_a_file(a_ledger: Ledger) -> None:
    """GDPR art. 15 and 20."""
    (an,) = await asked(a_ledger, AN)
    await press(a_ledger, an, Answer.NO, button="Nee, dank u")
    await a_ledger.write(owing.owe_data, an, language="nl")
    found = await a_ledger.read(held.everything, an)
    assert found is not None

    message = read(letters().build(owed(Kind.DATA), found, now=NOW))

    assert message["Subject"] == letters_subject("nl")
    text = text_of(message)
    for words in (AN, "the stand at the fair", "Nee, dank u", "u zei nee", "Uw rechten"):
        assert words in text, words
    (file,) = message.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("application/json", "your-data.json")
    payload = file.get_payload(decode=True)
    assert isinstance(payload, bytes)
    content = json.loads(payload)
    assert content["held_by"]["name"] == a_question().controller.name
    assert content["person"] == found["person"]
    assert content["answers"] == found["answers"]


def letters_subject(language: str) -> str:
    return a_question().wordings[language].sentences["rights.data_subject"]


async def test_what_a_list_said_never_becomes_a_header_or_markup(a_ledger: Ledger) -> None:
    (an,) = await asked(a_ledger, AN)
    found = await a_ledger.read(held.everything, an)
    assert found is not None
    found["person"]["personal"]["source"] = "x\r\nBcc: other@else.example\r\n\r\n--=_{{ 7*7 }}"

    message = read(letters().build(owed(Kind.DATA), found, now=NOW))

    assert "Bcc" not in message
    assert len(list(message.iter_parts())) == 2
    assert "{{ 7*7 }}" in text_of(message)


def test_a_template_of_the_campaigns_own_that_is_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "acknowledgement.txt.j2").write_text("{{ nothing }}", "utf-8")

    with pytest.raises(WordingIncomplete, match="acknowledgement"):
        letters(folder=tmp_path).build(owed(), None, now=NOW)


def test_a_controller_without_an_authority_leaves_no_empty_line() -> None:
    known = a_question()
    bare = replace(known, controller=replace(known.controller, registration=""))

    assert ", \n" not in text_of(read(letters(bare).build(owed(), None, now=NOW)))


def a_notice(receiver: str = RECEIVERS[1].casefold()) -> Owed:
    """Return a notice that was taken."""
    said = Notice("purge", "x", "412 weg op 24 december", ["Zo stopt u het:", "", "pause"], "ROOT")
    return Owed(13, Kind.NOTICE, "nl", receiver=receiver, notice=said)


def test_a_notice_goes_to_whom_the_config_names_and_carries_the_root_of_the_log() -> None:
    made = letters().build(a_notice(), None, now=NOW)
    message = read(made)

    assert made.mailbox == message["To"] == RECEIVERS[1]
    assert message["Subject"] == "412 weg op 24 december"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "In-Reply-To" not in message
    lines = text_of(message).splitlines()
    assert lines[:5] == ["Zo stopt u het:", "", "pause", "", "ROOT"]
    assert letters().message_id(13) in message["Message-ID"]


def test_a_notice_knows_whom_the_config_still_names() -> None:
    assert letters().knows(a_notice())
    assert not letters().knows(a_notice("gone@tuinvrienden.example"))
    assert letters().knows(owed())
