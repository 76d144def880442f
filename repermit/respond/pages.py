"""The pages a recipient sees: rendered once per variant, then filled in for each recipient.

What is kept as "what was shown" is the page with its places open, under the hash of its content.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from repermit.domain.deadline import last_day
from repermit.domain.question import Question, about_when, day_in_words
from repermit.domain.skeleton import fill, fill_html, place, split
from repermit.domain.standing import Answer, Standing
from repermit.domain.templates import Templates
from repermit.domain.token import TEST_RECIPIENT, Scope, Tokens
from repermit.domain.wording import why_key
from repermit.ledger.store.answering import Asked

_PLACES = (
    "masked",
    "nonce",
    "deadline",
    "answered",
    "source",
    "collected",
    "ended",
    "number",
    "page",
)
_HASH_DIGITS = 16
_BUTTONS = {  # by the kind of page
    "question": frozenset(Answer),
    "thanks": frozenset({Answer.NO}),
    "declined": frozenset({Answer.YES}),
}
_NOTICES = (
    "",
    "page.question_no_first",
    "page.nothing_ticked",
    "page.suspect",
    "page.already_yes",
    "page.already_no",
)


@dataclass(frozen=True)
class View:
    """What decides on the words of a page: who looks, and what just happened."""

    kind: str  # question, thanks, declined
    language: str
    relationship: str = ""
    sensitive: bool = False
    no_first: bool = False
    notice: str = ""  # the key of a sentence
    purposes: tuple[str, ...] = ()  # those that a thank-you names
    late: bool = False  # the deadline has passed: a mistake cannot be promised to be mended
    test: bool = False


@dataclass(frozen=True)
class Shown:
    """One page with its places open, and the hash under which it is kept."""

    language: str
    content: str
    hash: str

    def code(self, view: View) -> str:
        """Return what the page's form says of the page it stands on; see `Pages.seen`."""
        return f"{view.kind}.{view.no_first:d}.{view.notice}.{self.hash[:_HASH_DIGITS]}"


class Pages:
    """Makes the pages of one campaign."""

    def __init__(self, question: Question, templates: Templates, tokens: Tokens) -> None:
        self.question = question
        self._templates, self._tokens = templates, tokens
        self._shown: dict[View, Shown] = {}
        self._buttons: dict[tuple[View, Answer], str] = {}  # their words, with places open
        self._gone = self._message("page.gone")
        self.failure = self._message("page.failure")

    def check(self) -> None:
        """Render every kind of page in every language. Raises: WordingIncomplete."""
        for language in self.question.wordings:
            for kind in _BUTTONS:
                self.shown(View(kind, language, "signed_up_no_proof"))

    @property
    def gone(self) -> str:
        """Return the one page for every link that does not work, whatever the reason."""
        return self._gone

    def view(self, kind: str, asked: Asked, *, no_first: bool = False, notice: str = "") -> View:
        """Return which page this recipient is to see."""
        evidence = asked.person.evidence
        return View(
            kind=kind,
            language=self.question.language_for(asked.language),
            relationship=evidence.relationship or "",
            sensitive=evidence.sensitive or self.question.sensitive,
            no_first=no_first,
            notice=notice,
            purposes=asked.purposes if kind == "thanks" else (),
            test=asked.id == TEST_RECIPIENT,
        )

    def seen(self, code: str, answer: Answer, asked: Asked) -> View | None:
        """Return the page on which a form with that *code* stood; None when no page of ours that
        has a button for *answer* has that code, or its words have changed since."""
        kind, _, rest = code.rpartition(".")[0].partition(".")
        no_first, _, notice = rest.partition(".")
        if answer not in _BUTTONS.get(kind, ()) or notice not in _NOTICES:
            return None
        view = self.view(kind, asked, no_first=no_first == "1", notice=notice)
        return view if self.shown(view).code(view) == code else None

    def shown(self, view: View) -> Shown:
        """Return the page of *view*, rendered once."""
        if view not in self._shown:
            content = self._templates.render(f"page/{view.kind}.html.j2", self._context(view))
            hashed = sha256(content.encode()).hexdigest()
            self._shown[view] = Shown(view.language, content, hashed)
        return self._shown[view]

    def page(self, view: View, asked: Asked, *, now: datetime) -> str:
        """Return the page of *view* for this recipient, as HTML."""
        shown = self.shown(view)
        values = self._values(view.language, asked, now=now) | {"page": shown.code(view)}
        return fill_html(shown.content, values)

    def button(self, view: View, answer: Answer, asked: Asked, *, now: datetime) -> str:
        """Return the words on the button that was pressed, as the page showed them."""
        if (view, answer) not in self._buttons:
            wording = self.question.wordings[view.language]
            words = wording.say(self._button_key(answer, view), **self._known(view))
            self._buttons[view, answer] = words
        words = self._buttons[view, answer]
        if len(split(words)) == 1:
            return words
        return fill(words, self._values(view.language, asked, now=now))

    def style_hash(self) -> str:
        """Return the Content-Security-Policy hash of the one style that every page has."""
        styles = re.findall(r"<style>(.*?)</style>", self._gone, flags=re.DOTALL)
        digests = (b64encode(sha256(style.encode()).digest()).decode() for style in styles)
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    def _values(self, language: str, asked: Asked, *, now: datetime) -> dict[str, str]:
        """Return what stands in the places of a page for this recipient."""
        zone, evidence = self.question.zone, asked.person.evidence
        answered = (asked.answered_at or now).astimezone(zone).date()
        return {
            "masked": asked.person.address.masked,
            "nonce": self._tokens.issue(Scope.FORM, asked.id),
            "deadline": day_in_words(
                last_day(asked.due_at or self.question.due_at(now), zone=zone), language
            ),
            "answered": day_in_words(answered, language),
            "source": evidence.source or "",
            "collected": about_when(evidence.collected, language) if evidence.collected else "",
            "ended": about_when(evidence.ended, language) if evidence.ended else "",
            "number": str(asked.id),
        }

    def _known(self, view: View) -> dict[str, str]:
        known = self.question.variables(view.language)
        if view.purposes:
            chosen = [one for one in self.question.purposes if one.id in view.purposes]
            known["what"] = ", ".join(one.text[view.language] for one in chosen) or known["what"]
        return known | {name: place(name) for name in _PLACES}

    def _context(self, view: View) -> dict[str, object]:
        wording, known = self.question.wordings[view.language], self._known(view)

        def say(key: str) -> str:
            return wording.say(key, **known)

        context: dict[str, object] = {
            "lang": view.language,
            "banner": say("page.test_banner") if view.test else "",
            "nonce": place("nonce"),
            "page": place("page"),
            **self.question.sender(view.language),
        }
        if view.kind == "thanks":
            return context | self._thanks(view, known)
        if view.kind == "declined":
            return context | {
                "title": say("page.title_no"),
                "message": say("page.declined"),
                "may_change": not view.late,
                "mistake": say("page.declined_mistake"),
                "yes_label": say("button.yes"),
            }
        several = len(self.question.purposes) > 1
        return context | {
            "title": say("page.title"),
            "notice": say(view.notice) if view.notice else "",
            "question": say("page.question_several" if several else "page.question"),
            "purposes": [
                {
                    "id": one.id,
                    "text": one.text[view.language],
                    "often": one.frequency[view.language],
                }
                for one in self.question.purposes
            ],
            "choose_purposes": say("page.choose_purposes"),
            "yes_label": say(self._button_key(Answer.YES, view)),
            "no_label": say(self._button_key(Answer.NO, view)),
            "no_first": view.no_first,
            "silence": say("silence.sentence"),
            "withdraw_any_time": say("page.withdraw_any_time"),
            "not_your_address": say("page.not_your_address"),
            "details_heading": say("page.details"),
            "details": self._details(view, known),
        }

    def _button_key(self, answer: Answer, view: View) -> str:
        if view.kind == "thanks":
            return "button.withdraw"
        if view.kind == "question" and len(self.question.purposes) > 1:
            return "page.yes_to_ticked" if answer is Answer.YES else "page.no_to_all"
        return f"button.{answer}"

    def _details(self, view: View, known: dict[str, str]) -> list[str]:
        """Return why, on what basis, who else; nothing of it on a sensitive list."""
        wording = self.question.wordings[view.language]
        why = None if view.sensitive else why_key(view.relationship, view.sensitive)
        keys = [why, "page.legal_basis"]
        if self.question.processors:
            keys.append("page.processors")
        keys += ["page.after_yes", "page.after_no"]
        return [wording.say(key, **known) for key in keys if key]

    def _thanks(self, view: View, known: dict[str, str]) -> dict[str, object]:
        wording = self.question.wordings[view.language]
        asks = replace(view, kind="question")  # where the yes was pressed
        rows = (
            ("receipt.number", place("number")),
            ("receipt.answered", place("answered")),
            ("receipt.answer", wording.say(self._button_key(Answer.YES, asks), **known)),
            ("receipt.purpose", known["what"]),
            ("receipt.address", place("masked")),
            ("receipt.sender", known["who"]),
        )
        return {
            "title": wording.say("page.title_yes", **known),
            "message": wording.say("page.thanks", **known),
            "receipt": [(wording.say(key, **known), value) for key, value in rows],
            "receipt_heading": wording.say("receipt.heading", **known),
            "receipt_keep": wording.say("receipt.keep", **known),
            "withdraw_label": wording.say("button.withdraw", **known),
        }

    def _message(self, key: str) -> str:
        """Return a page that says one thing in every language of the campaign."""
        blocks = []
        for language, wording in self.question.wordings.items():
            known = self.question.variables(language)
            text = wording.say(key, **known)
            if key == "page.gone" and known["signup_url"]:
                text = f"{text} {wording.say('page.gone_signup', **known)}"
            blocks.append((language, text))
        default = self.question.default_language
        title = self.question.wordings[default].say(
            "page.title", **self.question.variables(default)
        )
        context = {"lang": default, "title": title, "blocks": blocks}
        return self._templates.render("page/message.html.j2", context)


def page_after(asked: Asked) -> str:
    """Return which page follows a press: thanks, declined, or the question again."""
    if asked.presses.suspect:
        return "question"
    kinds = {Standing.OPTED_IN: "thanks", Standing.OPTED_OUT: "declined"}
    return kinds.get(asked.presses.standing, "question")
