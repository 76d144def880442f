"""Writes what recipients will see: every mail and page, side by side on one index page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from repermit.cli.assembly import letters, mailer, pages
from repermit.dispatch.mail import Mailer, Variant
from repermit.domain.address import Address
from repermit.domain.policy import Evidence
from repermit.domain.question import day_in_words, in_a_row, languages_of
from repermit.domain.relationship import Relationship
from repermit.domain.skeleton import fill, fill_html
from repermit.domain.standing import Presses, Standing
from repermit.domain.token import TEST_RECIPIENT
from repermit.errors import FileRefused
from repermit.ledger.store.answering import Asked
from repermit.ledger.store.personal import Person
from repermit.respond.every import check
from repermit.respond.pages import Pages, View
from repermit.runtime import Runtime

_SAMPLE_DAY = date(2019, 3, 12)
_SAMPLE = Address("an.voorbeeld@example.org", "an.voorbeeld@example.org")
_DARK = "(prefers-color-scheme: dark)"
_LIGHTS = {"day": "not all", "night": "all"}  # what that question is replaced by
_PAGES = (  # name, kind, No first, notice
    ("page", "question", False, ""),
    ("page-no", "question", True, "page.question_no_first"),
    ("suspect", "question", False, "page.suspect"),
    ("nothing-ticked", "question", False, "page.nothing_ticked"),
    ("again", "question", False, "page.again"),
    ("already-yes", "question", False, "page.already_yes"),
    ("already-no", "question", False, "page.already_no"),
    ("thanks", "thanks", False, ""),
    ("declined", "declined", False, ""),
    ("declined-late", "declined", False, ""),
    ("data-sent", "data_sent", False, ""),
    ("data-owed", "data_sent", False, "rights.data_owed"),
    ("data-was-sent", "data_sent", False, "rights.data_was_sent"),
    ("data-was-tried", "data_sent", False, "rights.data_was_tried"),
    ("erase", "erase", False, ""),
    ("erase-wait", "erase", False, "rights.erase_wait"),
    ("erased", "erased", False, ""),
    ("erased-elsewhere", "erased", False, "rights.erased_elsewhere"),
)


@dataclass(frozen=True)
class Exhibit:
    """One mail or page: what it is, its file, and its words when they are text."""

    title: str
    file: str
    content: str

    @property
    def is_text(self) -> bool:
        """Return whether it is the text of a mail."""
        return self.file.endswith(".txt")


def asked_relationships(runtime: Runtime) -> list[str]:
    """Return the relationships that are asked: those with a written reason."""
    reasons = [name for name in runtime.config.policy.reasons if name != "old_contacts"]
    return reasons or [str(Relationship.SIGNED_UP_NO_PROOF)]


def sample_variants(
    runtime: Runtime, relationship: str, *, test: bool = False
) -> Iterator[Variant]:
    """Yield one variant per reading for that relationship: each language, and those of Belgium
    one below the other."""
    for reading in runtime.question.readings:
        yield Variant(reading, relationship, runtime.question.sensitive, test)


def test_person(address: Address) -> Person:
    """Return a person with sample evidence at *address*."""
    evidence = Evidence(
        relationship=str(Relationship.SIGNED_UP_NO_PROOF),
        source="SOURCE",
        collected=_SAMPLE_DAY,
        ended=_SAMPLE_DAY,
    )
    return Person(address=address, evidence=evidence)


def write_preview(runtime: Runtime, folder: Path) -> Path:
    """Write the preview into *folder* and return its index page.

    Raises: FileRefused when the folder cannot be written; WordingIncomplete.
    """
    groups = dict(_groups(runtime))
    files = {each.file: each.content for group in groups.values() for each in group}
    frames = {
        f"frames/{name.removesuffix('.html')}.{light}.html": content.replace(_DARK, media)
        for name, content in files.items()
        if name.endswith(".html")
        for light, media in _LIGHTS.items()
    }
    context = {"name": runtime.config.campaign.name, "groups": groups}
    index = runtime.templates.render("report/preview.html.j2", context)
    try:
        (folder / "frames").mkdir(parents=True, exist_ok=True)
        for name, content in {**files, **frames, "index.html": index}.items():
            (folder / name).write_text(content, "utf-8")
    except OSError as failure:
        raise FileRefused(
            f"{folder} cannot be written ({failure.strerror})", hint="name another: --out DIR"
        ) from failure
    return folder / "index.html"


def _groups(runtime: Runtime) -> Iterator[tuple[str, list[Exhibit]]]:
    """Yield what there is to see in each language, under its name."""
    question, made, shown = runtime.question, mailer(runtime), pages(runtime)
    check(shown)
    for reading in question.readings:
        names = [question.wordings[one].say("language.name") for one in languages_of(reading)]
        exhibits = [*_mails(runtime, made, reading), *_pages(runtime, shown, reading)]
        yield " · ".join(names), exhibits
    messages = {"gone": shown.gone, "failure": shown.failure}
    yield "Every language", [Exhibit(name, f"{name}.html", messages[name]) for name in messages]


def exhibits(runtime: Runtime, reading: str) -> Iterator[Exhibit]:
    """Yield every mail and page that somebody reads in *reading*, filled in as for a test.

    Raises: WordingIncomplete.
    """
    yield from _mails(runtime, mailer(runtime), reading)
    yield from _pages(runtime, pages(runtime), reading)


def _mails(runtime: Runtime, made: Mailer, reading: str) -> Iterator[Exhibit]:
    person, ending = test_person(_SAMPLE), reading.replace("+", "-")
    due = runtime.question.due_at(runtime.clock.now())
    for relationship in asked_relationships(runtime):
        variant = Variant(reading, relationship, runtime.question.sensitive)
        skeleton = made.skeleton(variant)
        values = made.values(TEST_RECIPIENT, person, variant, due)
        name, subject = f"mail-{relationship}-{ending}", fill(skeleton.subject, values)
        yield Exhibit(subject, f"{name}.html", fill_html(skeleton.html, values))
        yield Exhibit(subject, f"{name}.txt", f"{subject}\n\n{fill(skeleton.text, values)}")
    subject, text = letters(runtime, signing=False).acknowledgement(reading)
    yield Exhibit(subject, f"mail-acknowledgement-{ending}.txt", f"{subject}\n\n{text}")


def _pages(runtime: Runtime, shown: Pages, reading: str) -> Iterator[Exhibit]:
    now, ending = runtime.clock.now(), reading.replace("+", "-")
    asked = _asked(runtime)
    relationship = asked_relationships(runtime)[0]
    for name, kind, no_first, notice in _PAGES:
        view = View(
            kind=kind,
            language=reading,
            relationship=relationship,
            sensitive=runtime.question.sensitive,
            no_first=no_first,
            notice=notice,
            purposes=asked.purposes if kind == "thanks" else (),
            late=name == "declined-late",
        )
        yield Exhibit(name, f"{name}-{ending}.html", shown.page(view, asked, now=now))
    language = languages_of(reading)[0]
    if reading == language:
        view = View("record", language, relationship, runtime.question.sensitive)
        content = shown.render(view, rows=_record(runtime, language), json_url="record.json")
        yield Exhibit("record", f"record-{ending}.html", content)


def _asked(runtime: Runtime) -> Asked:
    return Asked(
        id=TEST_RECIPIENT,
        person=test_person(_SAMPLE),
        language=None,
        presses=Presses(Standing.ASKED),
        due_at=None,
        mail=None,
        purposes=tuple(purpose.id for purpose in runtime.question.purposes),
        answered_at=None,
    )


def _record(runtime: Runtime, language: str) -> list[tuple[str, str]]:
    """Return a consent record as its page shows it."""
    question = runtime.question
    said, known = question.wordings[language], question.variables(language)
    pressed = "page.yes_to_ticked" if question.has_several else "button.yes"
    purposes = [f"{one.text[language]} ({one.frequency[language]})" for one in question.purposes]
    values: Mapping[str, str] = {
        "number": "6b0d5d3c-2f4e-5c1a-9a7e-3d1f8b20c4e6",
        "controller": known["who"],
        "address": _SAMPLE.masked,
        "purpose": in_a_row(purposes, language),
        "given": day_in_words(runtime.today(), language),
        "button": said.say(pressed, **known | {"deadline": ""}),
        "page": "0f3a…",
        "legal_basis": said.say("record.consent"),
        "valid": said.say("record.until_withdrawn"),
    }
    return [(said.say(f"record.{name}"), value) for name, value in values.items()]
