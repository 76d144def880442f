"""Every page that can come up, looked at before anybody sees one.

The reason, the notice and the order of the buttons change words of their own each, so that every
sentence is seen, and the largest page met, without every combination of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

from repermit.domain.address import Address
from repermit.domain.policy import CAN_BE_ASKED, Evidence
from repermit.domain.question import Question
from repermit.domain.standing import Presses, Standing
from repermit.errors import WordingIncomplete
from repermit.ledger.store.answering import Asked
from repermit.ledger.store.personal import Person
from repermit.respond.pages import Pages
from repermit.respond.view import KINDS, NOTICES, View

LARGEST_PAGE = 20_000  # bytes: over a slow line, two seconds
_LONGEST_SOURCE = 200  # what intake takes of one
_MAILBOX = f"{'m' * 64}@{'m' * 60}.example"
_NOW, _DAY = datetime(2026, 9, 30, tzinfo=UTC), date(2026, 9, 30)
_RECORD_ROWS = 9


def check(pages: Pages) -> None:
    """Render every page of the campaign once.

    Raises: WordingIncomplete when one cannot be made, or is too large.
    """
    for message in (pages.gone, pages.failure):
        _check_size(message, "the page that says one thing in every language")
    rows = [("é" * 60, "é" * 120)] * _RECORD_ROWS
    for reading in pages.question.readings:
        reasons = _with_reasons(pages.question, reading)
        longest = max(reasons, key=lambda view: len(_filled(pages, view)))
        for view in (*reasons, *_others(pages.question, longest)):
            _check_size(_filled(pages, view), f"the page {view.kind!r} in {reading}")
        record = pages.record(_recipient(pages.question), rows, "record.json", language=reading)
        _check_size(record, f"the page 'record' in {reading}")


def _with_reasons(question: Question, reading: str) -> list[View]:
    """Return the question for each relationship that can be asked, and for a sensitive list."""
    views = [View("question", reading, str(one)) for one in sorted(CAN_BE_ASKED)]
    return [*([] if question.sensitive else views), replace(views[0], sensitive=True)]


def _others(question: Question, view: View) -> Iterator[View]:
    """Yield every other page, each with the longest of what it has in common with *view*."""
    yield from (replace(view, notice=notice) for notice in NOTICES if notice)
    yield from (replace(view, no_first=True), replace(view, test=True))
    yield from (replace(view, kind=kind) for kind in KINDS if kind not in ("question", "record"))
    yield replace(view, kind="thanks", purposes=tuple(one.id for one in question.purposes))
    yield replace(view, kind="declined", late=True)
    yield replace(view, kind="kept", notice="rights.kept_dispute")


def _filled(pages: Pages, view: View) -> str:
    return pages.page(view, _recipient(pages.question), now=_NOW)


def _check_size(page: str, name: str) -> None:
    size = len(page.encode())
    if size > LARGEST_PAGE:
        raise WordingIncomplete(
            [f"{name} has {size} bytes, and {LARGEST_PAGE} are the most: shorten its words"]
        )


def _recipient(question: Question) -> Asked:
    """Return somebody of whom much is known."""
    evidence = Evidence(
        relationship="signed_up_no_proof",
        source="é" * _LONGEST_SOURCE,
        collected=_DAY,
        ended=_DAY,
    )
    return Asked(
        id=(1 << 62) - 1,
        person=Person(Address(_MAILBOX, _MAILBOX), evidence),
        language=question.default_language,
        presses=Presses(Standing.ASKED),
        due_at=_NOW,
        mail=None,
        purposes=tuple(one.id for one in question.purposes),
        answered_at=_NOW,
        kept_until=_NOW,
    )
