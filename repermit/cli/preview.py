"""Writes what recipients will see: every mail and page, side by side on one index page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from repermit.cli.assembly import mailer, pages
from repermit.dispatch.mail import Variant
from repermit.domain.address import Address
from repermit.domain.policy import Evidence
from repermit.domain.relationship import Relationship
from repermit.domain.skeleton import fill, fill_html
from repermit.domain.standing import Presses, Standing
from repermit.domain.token import TEST_RECIPIENT
from repermit.errors import FileRefused
from repermit.ledger.store.answering import Asked
from repermit.ledger.store.personal import Person
from repermit.respond.pages import Pages, View
from repermit.runtime import Runtime

_SAMPLE_DAY = date(2019, 3, 12)


def asked_relationships(runtime: Runtime) -> list[str]:
    """Return the relationships that are asked: those with a written reason."""
    reasons = [name for name in runtime.config.policy.reasons if name != "old_contacts"]
    return reasons or [str(Relationship.SIGNED_UP_NO_PROOF)]


def sample_variants(
    runtime: Runtime, relationship: str, *, test: bool = False
) -> Iterator[Variant]:
    """Yield one variant per language for that relationship."""
    for language in runtime.question.wordings:
        yield Variant(language, relationship, runtime.question.sensitive, test)


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
    files = dict(_mails(runtime))
    files |= dict(_pages(runtime, pages(runtime)))
    index = runtime.templates.render(
        "report/preview.html.j2", {"name": runtime.config.campaign.name, "files": list(files)}
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (*files.items(), ("index.html", index)):
            (folder / name).write_text(content, "utf-8")
    except OSError as failure:
        raise FileRefused(
            f"{folder} cannot be written ({failure.strerror})", hint="name another: --out DIR"
        ) from failure
    return folder / "index.html"


def _mails(runtime: Runtime) -> Iterator[tuple[str, str]]:
    made, now = mailer(runtime), runtime.clock.now()
    due = runtime.question.due_at(now)
    person = test_person(Address("an.voorbeeld@example.org", "an.voorbeeld@example.org"))
    for relationship in asked_relationships(runtime):
        for variant in sample_variants(runtime, relationship):
            skeleton, name = made.skeleton(variant), f"mail-{relationship}-{variant.language}"
            values = made.values(TEST_RECIPIENT, person, variant, due)
            yield f"{name}.html", fill_html(skeleton.html, values)
            yield f"{name}.txt", f"{skeleton.subject}\n\n{fill(skeleton.text, values)}"


def _pages(runtime: Runtime, made: Pages) -> Iterator[tuple[str, str]]:
    now = runtime.clock.now()
    person = test_person(Address("an.voorbeeld@example.org", "an.voorbeeld@example.org"))
    every = tuple(purpose.id for purpose in runtime.question.purposes)
    for variant in sample_variants(runtime, asked_relationships(runtime)[0]):
        asked = Asked(
            id=TEST_RECIPIENT,
            person=person,
            language=variant.language,
            presses=Presses(Standing.ASKED),
            due_at=None,
            mail=None,
            purposes=every,
            answered_at=None,
        )
        for name, kind, no_first, notice in (
            ("page", "question", False, ""),
            ("page-no", "question", True, "page.question_no_first"),
            ("suspect", "question", False, "page.suspect"),
            ("thanks", "thanks", False, ""),
            ("declined", "declined", False, ""),
        ):
            view = View(
                kind=kind,
                language=variant.language,
                relationship=variant.relationship,
                sensitive=variant.sensitive,
                no_first=no_first,
                notice=notice,
                purposes=every if kind == "thanks" else (),
            )
            yield f"{name}-{variant.language}.html", made.page(view, asked, now=now)
    yield "gone.html", made.gone
    yield "failure.html", made.failure
