"""The questions on who asks: these stand in every mail and on every page."""

from __future__ import annotations

from collections.abc import Iterator

from repermit.cli.interview.question import Answers, Question, country

_PART = "Who you are"
LATER = "later"
NONE = "none"

# Where they say that they are; edpb.europa.eu lists all of them.
_AUTHORITIES = {
    "BE": "Gegevensbeschermingsautoriteit (GBA/APD), Drukpersstraat 35, 1000 Brussel",
    "NL": "Autoriteit Persoonsgegevens, Postbus 93374, 2509 AJ Den Haag",
    "FR": "CNIL, 3 place de Fontenoy, TSA 80715, 75334 Paris Cedex 07",
}


def questions(answers: Answers) -> Iterator[Question]:
    """Yield who asks."""
    where = answers.get("country", "")
    yield Question(
        "country",
        _PART,
        "In which country is your organisation? Two letters, such as BE or NL.",
        "It only decides what is proposed below. For the law, the country of each person on the "
        "list counts; you say that when you take the list in.",
        read=country,
        default="BE",
        only_here=True,
    )
    yield Question(
        "controller.name",
        _PART,
        "Under which name do people know you?",
        "It stands in every mail and on every page. Whoever does not recognise it will not answer.",
        more="Write the name that people on the list would say themselves, with the legal form "
        "behind it if you have one: Tuinvrienden Voorbeeld vzw.",
        keeps_example=True,
    )
    yield Question(
        "controller.postal_address",
        _PART,
        "Where can you be reached by post?",
        "It stands in every mail: people must be able to see who writes to them (GDPR art. 13).",
        more="Street, number, postal code, town and country, on one line.",
        keeps_example=True,
    )
    yield Question(
        "controller.registration",
        _PART,
        "What is your number in the register of companies or associations?",
        "It stands in every mail. Some countries ask for it, such as Belgium (KBO/BCE).",
        default="",
        open_as=NONE,
    )
    yield Question(
        "controller.email",
        _PART,
        "To which address may people write with a question about their data?",
        "Somebody must read it: people may ask there for what you hold, or to be erased, and are "
        "owed an answer within a month.",
        keeps_example=True,
    )
    yield from _notice(answers)
    yield Question(
        "controller.authority",
        _PART,
        "To which supervisory authority may people complain?",
        "It stands on every page (GDPR art. 13(2)(d)).",
        more="The data protection authority of your country: its name and how to reach it. "
        "edpb.europa.eu lists those of the EU.",
        default=_AUTHORITIES.get(where),
        keeps_example=True,
    )


def _notice(answers: Answers) -> Iterator[Question]:
    yield Question(
        "controller.privacy_url",
        _PART,
        'Where is your privacy notice? Its web address, "file" if it is a text file, or "later".',
        "Every mail leads to it, and its text is kept as evidence when you approve. Later: no mail "
        "leaves before you have written it into config.toml.",
        more="`repermit papers notice` writes a paragraph for it that says what repermit does. A "
        "PDF must be given as a text file.",
        default="",
        open_as=LATER,
        keeps_example=True,
    )
    if answers.get("controller.privacy_url") == "file":
        yield Question(
            "controller.privacy_file",
            _PART,
            "In which text file is your privacy notice?",
            "The answer pages show it. Its full path, or its name if it lies in the campaign's "
            "folder already.",
            more="A file of plain text (UTF-8) of at most 2 MB. If you do not have it yet, press "
            "Ctrl-C, or give any text file now and another one in config.toml later.",
        )
