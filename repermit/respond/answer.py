"""What a press becomes: a verified token, a form that we rendered, an answer on file.

Only a press on the answer page is a yes, and only with the hidden field that the page carried; a
no needs neither.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime

from repermit.domain.address import Address
from repermit.domain.policy import Evidence
from repermit.domain.standing import Answer, Presses, Standing, Way
from repermit.domain.token import FIRST_PROBE, TEST_RECIPIENT, Scope, Tokens, is_nobody
from repermit.ledger.engine import Ledger
from repermit.ledger.store import answering, probing, snapshots
from repermit.ledger.store.answering import Asked, Press
from repermit.ledger.store.origin import Origin, keep_origin
from repermit.ledger.store.personal import Person
from repermit.ledger.transaction import Transaction
from repermit.respond.form import Form, answer_in, first_in
from repermit.respond.pages import Pages, Shown, View, page_after
from repermit.respond.rights import Recorded, Rights, right_in

_ONE_CLICK = "List-Unsubscribe=One-Click"  # what RFC 8058 has in the place of a button
_TOGETHER_SECONDS = 0.003  # at 32 presses at once it takes a quarter of the CPU off each


@dataclass(frozen=True)
class Reply:
    """The page to show, and for whom."""

    view: View
    asked: Asked


@dataclass(frozen=True)
class _Pressed:
    """What a request says was pressed, on which page, and from which link."""

    answer: Answer
    way: Way
    seen: View | None = None
    purposes: tuple[str, ...] = ()
    no_first: bool = False
    origin: Origin | None = None


class Answers:
    """Reads and records answers."""

    def __init__(
        self, ledger: Ledger, tokens: Tokens, pages: Pages, *, public_url: str, release: str
    ) -> None:
        self._ledger, self._tokens, self._pages = ledger, tokens, pages
        self._rights = Rights(ledger, tokens, pages, public_url=public_url)
        self._release = release
        self._test = _test_recipient(pages)
        self._kept: set[str] = set()  # the hashes of pages that are on file
        self._leaving: asyncio.Task[None] | None = None  # see `_together`

    def recipient(self, scope: Scope, link: str) -> int:
        """Return whose link that is, as its signature says, before anything is read.

        Raises: TokenRejected when the signature is bad.
        """
        return self._tokens.read(scope, link)

    async def look(self, recipient_id: int, *, no_first: bool) -> Reply | None:
        """Return the page of a link without changing anything; None when nobody has that link any
        more."""
        asked = await self._asked(recipient_id)
        return None if asked is None else self._question(asked, no_first=no_first)

    async def press(
        self,
        scope: Scope,
        recipient_id: int,
        form: Form,
        *,
        no_first: bool,
        origin: Origin | None = None,
    ) -> Reply | None:
        """Record what was pressed on the page of a link, and return the page that follows: an
        answer, or what else a person may ask for.

        Without a known answer, a yes without the hidden fields, or a yes with nothing ticked
        shows the question again and records nothing. None as `look`.
        Raises: LedgerUnusable when it could not be recorded: then nobody is thanked.
        """
        asked = await self._asked(recipient_id)
        if asked is None:
            return None
        if right := right_in(form):
            view = await self._rights.press(right, asked, form)
            return Reply(view, asked) if view else self._question(asked, no_first=no_first)
        answer = answer_in(form)
        if answer is None:
            return self._question(asked, no_first=no_first)
        seen = self._pages.seen(first_in(form, "page"), answer, asked)
        purposes: tuple[str, ...] = ()
        if answer is Answer.YES:
            if seen is None or not self._tokens.is_for(
                asked.id, Scope.FORM, first_in(form, "nonce")
            ):
                return self._again(asked, "page.again", form, no_first=no_first)
            if not (purposes := self._purposes_in(form)):
                has_boxes = seen.kind == "question"
                notice = "page.nothing_ticked" if has_boxes else "page.nothing_changed"
                return self._again(asked, notice, form, no_first=no_first)
        always = scope is Scope.UNSUBSCRIBE and answer is Answer.NO
        way = Way.ONE_CLICK if always else Way.FORM
        return await self._record(asked, _Pressed(answer, way, seen, purposes, no_first, origin))

    async def record(self, recipient_id: int) -> Recorded | None:
        """Return the record of the yes that a link stands for; None when there is none (any
        more)."""
        asked = await self._asked(recipient_id)
        return None if asked is None else await self._rights.record(asked)

    async def one_click(self, recipient_id: int) -> Reply | None:
        """Record a no by the mail program's own button, whatever stands in the request.

        Source: RFC 8058 section 3.2.
        """
        asked = await self._asked(recipient_id)
        if asked is None:
            return None
        return await self._record(asked, _Pressed(Answer.NO, Way.ONE_CLICK, no_first=True))

    async def _asked(self, recipient_id: int) -> Asked | None:
        if recipient_id == TEST_RECIPIENT:
            return self._test
        if recipient_id >= FIRST_PROBE:
            return replace(self._test, id=recipient_id)
        return await self._ledger.look(answering.asked, recipient_id)

    def _question(self, asked: Asked, *, no_first: bool) -> Reply:
        notice = _notice(asked, no_first=no_first)
        view = self._pages.view("question", asked, no_first=no_first, notice=notice)
        return Reply(view, asked)

    def _again(self, asked: Asked, notice: str, form: Form, *, no_first: bool) -> Reply:
        """Return the question once more after a yes that does not count, and why.

        No box is ticked on it: the words beside a box may be others than those that were ticked.
        Source: CJEU C-673/17 (Planet49), a box that is ticked beforehand is no consent.
        """
        notice = "page.suspect" if asked.presses.suspect else notice
        said = {"notice": notice, "language": self._pages.spoken_in(first_in(form, "page"), asked)}
        return Reply(self._pages.view("question", asked, no_first=no_first, **said), asked)

    async def _record(self, asked: Asked, pressed: _Pressed) -> Reply | None:
        answer, seen = pressed.answer, pressed.seen
        spoken = seen.spoken if seen else self._pages.reading_for(asked)
        if asked.id >= FIRST_PROBE and answer is Answer.YES:  # nobody: that it can be put on file
            await self._ledger.write(probing.file_press, asked.id)
        if is_nobody(asked.id):
            kind = "thanks" if answer is Answer.YES else "declined"
            asked = replace(asked, purposes=pressed.purposes)
            return Reply(self._pages.view(kind, asked, language=spoken), asked)
        shown = self._pages.shown(seen) if seen else None
        now = self._ledger.clock.now()
        press = Press(
            answer=answer,
            way=pressed.way,
            button=self._button(asked, pressed, now),
            language=spoken,
            purposes=pressed.purposes,
            page=shown.hash if shown else None,
            release=self._release,
            moment=now,
        )
        await self._together()
        new = None if shown is None or shown.hash in self._kept else shown
        after = await self._ledger.write(_file, asked.id, press, new, pressed.origin)
        if new is not None:
            self._kept.add(new.hash)
        if after is None:
            return None
        kind = page_after(after)
        notice = "page.suspect" if kind == "question" else ""
        no_first = pressed.no_first or answer is Answer.NO
        view = self._pages.view(kind, after, no_first=no_first, notice=notice, language=spoken)
        late = after.due_at is not None and now >= after.due_at
        return Reply(replace(view, late=late and kind == "declined"), after)

    async def _together(self) -> None:
        """Wait for those who press in the same few milliseconds, to share one commit with them."""
        if self._leaving is None or self._leaving.done():
            self._leaving = asyncio.create_task(asyncio.sleep(_TOGETHER_SECONDS))
        await asyncio.shield(self._leaving)

    def _button(self, asked: Asked, pressed: _Pressed, now: datetime) -> str:
        """Return the words on what was pressed; none for a no from a page that we do not know."""
        if pressed.seen is not None:
            return self._pages.button(pressed.seen, pressed.answer, asked, now=now)
        return _ONE_CLICK if pressed.way is Way.ONE_CLICK else ""

    def _purposes_in(self, form: Form) -> tuple[str, ...]:
        """Return what the yes is for: the only purpose, or those that were ticked."""
        known = [one.id for one in self._pages.question.purposes]
        if len(known) == 1:
            return tuple(known)
        ticked = form.get("purpose", ())
        return tuple(purpose for purpose in known if purpose in ticked)


def _file(
    tx: Transaction, recipient_id: int, press: Press, shown: Shown | None, origin: Origin | None
) -> Asked | None:
    if shown is not None:
        snapshots.keep_snapshot(tx, "page", shown.language, shown.content)
    after = answering.file_answer(tx, recipient_id, press)
    if origin is not None and press.answer is Answer.YES:
        keep_origin(tx, recipient_id, origin)
    return after


def _notice(asked: Asked, *, no_first: bool) -> str:
    """Return the key of the sentence above the question, or an empty string."""
    if asked.presses.suspect:
        return "page.suspect"
    if asked.presses.standing is Standing.OPTED_IN:
        return "page.already_yes"
    if asked.presses.standing is Standing.OPTED_OUT and asked.answered_at:
        return "page.already_no"
    return "page.question_no_first" if no_first else ""


def _test_recipient(pages: Pages) -> Asked:
    """Return the recipient that the links of a test mail stand for; no row of the ledger."""
    reasons = Evidence(relationship="signed_up_no_proof", source="…", collected=date(2020, 1, 1))
    return Asked(
        id=TEST_RECIPIENT,
        person=Person(Address("test@example.org", "test@example.org"), reasons),
        language=pages.question.default_language,
        presses=Presses(standing=Standing.ASKED),
        due_at=None,
        mail=None,
        purposes=(),
        answered_at=None,
    )
