"""The pages a recipient sees: rendered once per view, then filled in for each recipient.

What is kept as "what was shown" is the page with its places open, under the hash of its content.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from repermit.domain.deadline import last_day
from repermit.domain.question import (
    Question,
    about_when,
    day_in_words,
    in_each,
    languages_of,
    places,
)
from repermit.domain.skeleton import fill, joined_html, place, split
from repermit.domain.standing import Answer, Standing
from repermit.domain.templates import Templates
from repermit.domain.token import TEST_RECIPIENT, Scope, Tokens
from repermit.ledger.store.answering import Asked
from repermit.respond.screens import Screen
from repermit.respond.view import BUTTONS, NOTICES, Code, Shown, View, code_in

__all__ = ["Pages", "Shown", "View", "page_after"]

_PLACES = (
    *("masked", "nonce", "deadline", "answered", "source", "collected", "ended"),
    *("page", "record_url", "kept_until"),
)


class Pages:
    """Makes the pages of one campaign."""

    def __init__(self, question: Question, templates: Templates, tokens: Tokens) -> None:
        self.question = question
        self._templates, self._tokens = templates, tokens
        self._shown: dict[View, Shown] = {}
        self._buttons: dict[tuple[View, str, Answer], str] = {}  # their words, with places open
        self.gone = self._message("page.gone")  # for every link that does not work, whatever why
        self.failure = self._message("page.failure")

    def view(
        self,
        kind: str,
        asked: Asked,
        *,
        no_first: bool = False,
        notice: str = "",
        language: str | None = None,
    ) -> View:
        """Return which page this recipient is to see, in *language* once that is known."""
        evidence = asked.person.evidence
        made = View(
            kind=kind,
            language=language or self.reading_for(asked),
            relationship=evidence.relationship or "",
            sensitive=evidence.sensitive or self.question.sensitive,
            no_first=no_first,
            notice=notice,
            answered=kind == "question" and _has_answered(asked),
            test=asked.id == TEST_RECIPIENT,
        )
        return replace(made, purposes=asked.purposes) if made.tells_of_yes else made

    def reading_for(self, asked: Asked) -> str:
        """Return the language in which this recipient is asked, or several, joined."""
        return self.question.reading_for(asked.language, asked.person.evidence.country)

    def seen(self, text: str, answer: Answer, asked: Asked) -> View | None:
        """Return the page on which a form with that code stood; None when no page of ours that
        has a button for *answer* has that code, or its words have changed since.

        A page that tells of a yes is known by that yes or, when it was pressed twice, by the one
        before the last.
        """
        code, reading = Code.read(text), self.reading_for(asked)
        languages = languages_of(reading)
        if answer not in BUTTONS.get(code.kind, ()) or code.notice not in NOTICES:
            return None
        if code.language not in (reading, *languages):
            return None
        if code.part not in (languages if "+" in code.language else ("",)):
            return None
        view = self.view(
            code.kind,
            asked,
            no_first=code.no_first,
            notice=code.notice,
            language=code.language,
        )
        view = replace(view, answered=code.answered)
        before = replace(view, purposes=asked.purposes_before) if view.tells_of_yes else view
        for each in dict.fromkeys((view, before)):
            if self.shown(each).code(each) == code.page:
                return replace(each, pressed_in=code.part)
        return None

    def spoken_in(self, text: str, asked: Asked) -> str:
        """Return the language of the part of a page on which a form with that code stood; those
        in which the recipient is asked, when it says none of them."""
        code, reading = Code.read(text), self.reading_for(asked)
        spoken = code.part or code.language
        return spoken if spoken in languages_of(reading) else reading

    def shown(self, view: View) -> Shown:
        """Return the page of *view*, rendered once."""
        if view not in self._shown:
            content = self.render(view)
            hashed = sha256(content.encode()).hexdigest()
            self._shown[view] = Shown(view.language, content, hashed, tuple(split(content)))
        return self._shown[view]

    def render(self, view: View, **more: object) -> str:
        """Return the page of *view* with its places open; *more* is for its template alone."""
        screens = [self._screen(view, language) for language in languages_of(view.language)]
        said = [screen.words() for screen in screens]
        context = self._frame(said) | {"nonce": place("nonce")} | more
        for each in said:
            code, part = place("page"), str(each["lang"])
            each["page"] = code_in(code, part) if len(said) > 1 else code
        return self._templates.render(f"page/{view.kind}.html.j2", context)

    def page(self, view: View, asked: Asked, *, now: datetime) -> str:
        """Return the page of *view* for this recipient, as HTML."""
        shown = self.shown(view)
        values = self._values(view.language, asked, now=now) | {"page": shown.code(view)}
        values["nonce"] = self._tokens.issue(
            Scope.ERASE if view.kind == "erase" else Scope.FORM, asked.id
        )
        if view.tells_of_yes:
            token = self._tokens.issue(Scope.ANSWER, asked.id)
            values["record_url"] = f"../yes/{token}/record"
        return joined_html(shown.parts, values)

    def record(
        self,
        asked: Asked,
        rows: Sequence[tuple[str, str]],
        json_url: str,
        *,
        language: str | None = None,
    ) -> str:
        """Return the page of a consent record, as HTML: *rows* are labels and values."""
        view = self.view("record", asked, language=language)
        return self.render(view, rows=rows, json_url=json_url)

    def as_seen(self, kept: str, language: str, asked: Asked, *, now: datetime) -> str:
        """Return a page that was kept as this recipient saw it; their link is a key, and stands as
        "…". Raises: KeyError for a place that this release does not know."""
        hidden = dict.fromkeys(("nonce", "page", "record_url"), "…")
        return joined_html(split(kept), self._values(language, asked, now=now) | hidden)

    def button(self, view: View, answer: Answer, asked: Asked, *, now: datetime) -> str:
        """Return the words on the button that was pressed, as the page showed them."""
        key = (view, view.spoken, answer)
        if key not in self._buttons:
            self._buttons[key] = self._screen(view, view.spoken).button(answer)
        words = self._buttons[key]
        if len(split(words)) == 1:
            return words
        return fill(words, self._values(view.language, asked, now=now))

    def sources(self) -> str:
        """Return what the Content-Security-Policy lets a page have: the one style that every
        page has, and the logo inside it if there is one."""
        styles = re.findall(r"<style>(.*?)</style>", self.gone, flags=re.DOTALL)
        digests = (b64encode(sha256(style.encode()).digest()).decode() for style in styles)
        allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
        return f"style-src {allowed}" + ("; img-src data:" if self.question.logo else "")

    def _values(self, reading: str, asked: Asked, *, now: datetime) -> dict[str, str]:
        """Return what stands in the places of a page for this recipient."""
        zone, evidence = self.question.zone, asked.person.evidence
        answered = (asked.answered_at or now).astimezone(zone).date()
        last = last_day(asked.due_at or self.question.due_at(now), zone=zone)
        kept = last_day(asked.kept_until, zone=zone) if asked.kept_until else None

        def dates(language: str) -> dict[str, str]:
            collected, ended = evidence.collected, evidence.ended
            return {
                "deadline": day_in_words(last, language),
                "answered": day_in_words(answered, language),
                "kept_until": day_in_words(kept, language) if kept else "",
                "collected": about_when(collected, language) if collected else "",
                "ended": about_when(ended, language) if ended else "",
            }

        return {
            "masked": asked.person.address.masked,
            "source": evidence.source or "",
            **in_each(reading, dates),
        }

    def _screen(self, view: View, language: str) -> Screen:
        known = self.question.variables(language)
        if view.kind == "thanks":
            known["what"] = self.question.named(language, view.purposes)
        known |= places(_PLACES, view.language, language)
        return Screen(self.question, view, language, known)

    def _frame(self, said: Sequence[dict[str, object]]) -> dict[str, object]:
        """Return what stands around every page whose parts are *said*."""
        return {
            "lang": said[0]["lang"],
            "title": " · ".join(dict.fromkeys(str(each["title"]) for each in said)),
            "banner": " ".join(str(each["banner"]) for each in said if each["banner"]),
            "languages": said,
            "who": self.question.controller.name,
            "logo": self.question.logo,
            **self.question.sender(),
        }

    def _message(self, key: str) -> str:
        """Return a page that says one thing in every language of the campaign."""
        said: list[dict[str, object]] = []
        default = self.question.default_language
        for language in sorted(self.question.wordings, key=lambda each: each != default):
            wording, known = self.question.wordings[language], self.question.variables(language)
            invites = key == "page.gone" and known["signup_url"]
            said.append(
                {
                    "lang": language,
                    "language_name": wording.say("language.name"),
                    "title": wording.say("page.title", **known),
                    "message": wording.say(key, **known),
                    "more": wording.say("page.gone_signup", **known) if invites else "",
                    "banner": "",
                }
            )
        return self._templates.render("page/message.html.j2", self._frame(said))


def page_after(asked: Asked) -> str:
    """Return which page follows a press: thanks, declined, or the question again."""
    if asked.presses.suspect:
        return "question"
    kinds = {Standing.OPTED_IN: "thanks", Standing.OPTED_OUT: "declined"}
    return kinds.get(asked.presses.standing, "question")


def _has_answered(asked: Asked) -> bool:
    """Return whether it is their own press that put them where they stand."""
    final = (Standing.OPTED_IN, Standing.OPTED_OUT)
    return asked.presses.standing in final and asked.answered_at is not None
