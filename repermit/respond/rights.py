"""What a person may ask for from their own link: their data, by mail to themselves; to be erased;
and the record of their yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from repermit.domain.question import day_in_words, in_a_row, languages_of
from repermit.domain.record import Consent, as_approved, record
from repermit.domain.standing import in_burst
from repermit.domain.token import TEST_RECIPIENT, Scope, Tokens, is_nobody
from repermit.ledger.engine import Ledger
from repermit.ledger.store import answering, erasing, owing
from repermit.ledger.store.answering import Asked
from repermit.ledger.store.consent import standing_consent
from repermit.ledger.store.erasing import Erased
from repermit.ledger.store.owing import DataRequest
from repermit.ledger.transaction import Transaction
from repermit.respond.form import Form, first_in
from repermit.respond.pages import Pages, View

_NO_HASH = "0" * 64


class Right(StrEnum):
    """What was pressed; the words are those of the forms."""

    DATA = "data"  # mail me everything you hold about me
    ERASE = "erase"  # show me what that means
    ERASE_NOW = "erase-now"  # erase me


_SCOPES = {Right.DATA: Scope.FORM, Right.ERASE: Scope.FORM, Right.ERASE_NOW: Scope.ERASE}
_KINDS = {Right.DATA: "data_sent", Right.ERASE: "erase", Right.ERASE_NOW: "erased"}
_DATA_SAID = {
    DataRequest.OWED: "",
    DataRequest.ALREADY_OWED: "rights.data_owed",
    DataRequest.SENT: "rights.data_was_sent",
    DataRequest.TRIED: "rights.data_was_tried",
}


@dataclass(frozen=True)
class Recorded:
    """The record of a yes: for programs, and as the page that says the same."""

    content: dict[str, Any]
    page: str


class Rights:
    """Does what people ask for; *public_url* is where their links lead."""

    def __init__(self, ledger: Ledger, tokens: Tokens, pages: Pages, *, public_url: str) -> None:
        self._ledger, self._tokens, self._pages = ledger, tokens, pages
        self._public_url = public_url

    async def press(self, right: Right, asked: Asked, form: Form) -> View | None:
        """Do what was asked for, durably, and return the page that says so; None, doing nothing,
        without the hidden field that the page of that button carried.

        Raises: LedgerUnusable when it could not be recorded; then nothing is said.
        """
        if not self._tokens.is_for(asked.id, _SCOPES[right], first_in(form, "nonce")):
            return None
        spoken = self._pages.spoken_in(first_in(form, "page"), asked)
        view = self._pages.view(_KINDS[right], asked, language=spoken)
        if is_nobody(asked.id):
            return view
        if right is Right.DATA:
            owed = await self._ledger.write(owing.owe_data, asked.id, language=view.language)
            return None if owed is None else replace(view, notice=_DATA_SAID[owed])
        moment = self._ledger.clock.now()
        if asked.kept_until is not None and moment < asked.kept_until:
            return replace(view, kind="kept", notice=f"rights.kept_{asked.kept_for}")
        if right is Right.ERASE_NOW:
            is_too_soon, erased = await self._ledger.write(_erase, asked.id, moment=moment)
            if is_too_soon:
                return replace(view, kind=_KINDS[Right.ERASE], notice="rights.erase_wait")
            has_copies = erased is not None and bool(erased.exported)
            return replace(view, notice="rights.erased_elsewhere" if has_copies else "")
        return view

    async def record(self, asked: Asked, json_url: str = "record.json") -> Recorded | None:
        """Return the record of the yes that stands; None when there is none. The page leads to
        *json_url*, if there is one."""
        consent = await self._consent(asked)
        return None if consent is None else self.recorded(asked, consent, json_url)

    def recorded(self, asked: Asked, consent: Consent, json_url: str) -> Recorded:
        """Return the record of *consent*, which is that of *asked*; *json_url* as in `record`."""
        known = consent.language in self._pages.question.readings
        language = consent.language if known else self._pages.reading_for(asked)
        rows = self._rows(consent, languages_of(language)[0])
        page = self._pages.record(asked, rows, json_url, language=language)
        question = self._pages.question
        return Recorded(record(consent, question, public_url=self._public_url), page)

    async def _consent(self, asked: Asked) -> Consent | None:
        if asked.id != TEST_RECIPIENT:
            return await self._ledger.read(standing_consent, asked.id)
        question, now = self._pages.question, self._ledger.clock.now()
        return Consent(
            campaign=str(UUID(int=0)),
            recipient_id=TEST_RECIPIENT,
            masked=asked.person.address.masked,
            country=None,
            purposes=tuple(one.id for one in question.purposes),
            language=question.default_language,
            asked_at=now,
            answered_at=now,
            button="test",
            way="form",
            mail=_NO_HASH,
            page=_NO_HASH,
            notice=_NO_HASH,
            release="test",
            leaf=0,
            leaf_hash=_NO_HASH,
            log_size=1,
            log_root=_NO_HASH,
        )

    def _rows(self, consent: Consent, language: str) -> list[tuple[str, str]]:
        """Return the record as labels and values, in *language*."""
        question = self._pages.question
        wording, known = question.wordings[language], question.variables(language)
        given = consent.answered_at.astimezone(question.zone)
        shown = as_approved(consent, question)
        controller = shown.controller
        values = {
            "number": consent.number,
            "controller": f"{controller.name}, {controller.postal_address}",
            "address": consent.masked,
            "purpose": in_a_row(
                [
                    f"{_in(language, one.text)} ({_in(language, one.frequency)})"
                    for one in shown.purposes
                    if one.id in consent.purposes
                ],
                language,
            ),
            "given": _moment(given, language),
            "button": consent.button,
            "page": consent.page or "",
            **({"notice": consent.notice} if consent.notice else {}),
            "legal_basis": wording.say("record.consent", **known),
            "valid": wording.say("record.until_withdrawn", **known),
        }
        return [(wording.say(f"record.{name}", **known), value) for name, value in values.items()]


def right_in(form: Form) -> Right | None:
    """Return what a form asks for beside an answer, or None."""
    pressed = form.get("answer", ())
    known = frozenset(Right)
    return Right(pressed[0]) if len(pressed) == 1 and pressed[0] in known else None


def _erase(tx: Transaction, recipient_id: int, *, moment: datetime) -> tuple[bool, Erased | None]:
    """Erase a person, unless they have answered within `CONTRARY_WINDOW` before *moment*, in which
    the press came; return whether that is so, and else what is erased.

    Whatever presses all the buttons of a page one after the other destroys no yes by it, also
    where a locked ledger files the last press late.
    """
    asked = answering.asked(tx, recipient_id)
    is_too_soon = asked is not None and in_burst(asked.presses, tx.shared(moment))
    return is_too_soon, None if is_too_soon else erasing.erase_person(tx, recipient_id)


def _in(language: str, texts: Mapping[str, str]) -> str:
    """Return the text in *language*, or in another that was approved."""
    return texts.get(language) or next(iter(texts.values()))


def _moment(moment: datetime, language: str) -> str:
    return f"{day_in_words(moment.date(), language)}, {moment:%H:%M}"
