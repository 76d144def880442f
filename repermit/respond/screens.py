"""What stands on each kind of page, in one language: the words, their places still open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from repermit.domain.question import Question
from repermit.domain.standing import Answer
from repermit.domain.wording import why_key
from repermit.respond.view import View

Words = dict[str, object]
_ANSWERED = frozenset({"page.already_yes", "page.already_no"})
_NOT_ON_ITS_WAY = frozenset({"rights.data_was_sent", "rights.data_was_tried"})


@dataclass(frozen=True)
class Screen:
    """The words of one part of a page: those of *view* in *language*.

    *known* has the value, or the place, of whatever a sentence may name.
    """

    question: Question
    view: View
    language: str
    known: Mapping[str, str]

    def words(self) -> Words:
        """Return what the template of this kind of page may use."""
        made: dict[str, Callable[[], Words]] = {
            "question": self._asking,
            "thanks": self._thanks,
            "declined": self._declined,
            "data_sent": self._data_sent,
            "erase": self._erase,
            "erased": self._erased,
            "kept": self._kept,
            "record": self._record,
        }
        return {
            "lang": self.language,
            "language_name": self.say("language.name"),
            "data_and_rights": self.say("mail.data_and_rights"),
            "complaint": self.say("mail.complaint"),
            "banner": self.say("page.test_banner") if self.view.test else "",
            **made[self.view.kind](),
        }

    def say(self, key: str, **more: str) -> str:
        """Return a sentence; *more* is known in this one alone."""
        return self.question.wordings[self.language].say(key, **{**self.known, **more})

    def button(self, answer: Answer) -> str:
        """Return the words on the button for *answer*."""
        if self.view.kind == "thanks":
            return self.say("button.withdraw")
        if not self.question.has_several:
            return self.say(f"button.{answer}")
        if answer is Answer.NO:
            return self.say("page.no_to_all")
        has_boxes = self.view.kind == "question"
        return self.say("page.yes_to_ticked" if has_boxes else "button.choose")

    def _asking(self) -> Words:
        several = self.question.has_several
        return {
            "title": self.say("page.title"),
            "notice": self._notice(),
            **self._record_link(shown=self.view.tells_of_yes),
            "question": self.say("page.question_several" if several else "page.question"),
            "purposes": [
                {
                    "id": one.id,
                    "text": one.text[self.language],
                    "often": one.frequency[self.language],
                }
                for one in self.question.purposes
            ],
            "choose_purposes": self.say("page.choose_purposes"),
            "yes_label": self.button(Answer.YES),
            "no_label": self.button(Answer.NO),
            "no_first": self.view.no_first,
            "silence": self._silence(),
            "withdraw_any_time": self.say("page.withdraw_any_time"),
            "not_your_address": self.say("page.not_your_address"),
            "details_heading": self.say("page.details"),
            "details": self._details(),
            **self._rights(),
        }

    def _notice(self) -> str:
        if not self.view.notice:
            return ""
        chosen = self.question.named(self.language, self.view.purposes)
        return self.say(self.view.notice, what=chosen)

    def _silence(self) -> str:
        """Return what silence means; nothing once an answer stands."""
        if self.view.answered or self.view.notice in _ANSWERED:
            return ""
        return self.say("silence.several" if self.question.has_several else "silence.sentence")

    def _record_link(self, *, shown: bool = True) -> Words:
        url = self.known["record_url"] if shown and not self.view.test else ""
        return {"record_label": self.say("receipt.record"), "record_url": url}

    def _details(self) -> list[str]:
        """Return why, on what basis, who else; nothing of where from on a sensitive list."""
        view = self.view
        why = None if view.sensitive else why_key(view.relationship, view.sensitive)
        keys = [why, "page.legal_basis"]
        if self.question.processors:
            keys.append("page.processors")
        keys += ["page.after_yes", "page.after_no"]
        return [self.say(key) for key in keys if key]

    def _rights(self) -> Words:
        names = ("heading", "intro", "data_button", "erase_button")
        return {f"rights_{name}": self.say(f"rights.{name}") for name in names}

    def _thanks(self) -> Words:
        asks = replace(self, view=replace(self.view, kind="question"))  # where yes was pressed
        rows = (
            ("receipt.answered", self.known["answered"]),
            ("receipt.answer", asks.button(Answer.YES)),
            ("receipt.purpose", self.known["what"]),
            ("receipt.address", self.known["masked"]),
            ("receipt.sender", self.known["who"]),
        )
        return {
            "title": self.say("page.title_yes"),
            "message": self.say("page.thanks"),
            "receipt": [(self.say(key), value) for key, value in rows],
            "receipt_heading": self.say("receipt.heading"),
            "receipt_keep": self.say("receipt.keep"),
            **self._record_link(),
            "withdraw_label": self.button(Answer.NO),
            **self._rights(),
        }

    def _declined(self) -> Words:
        declined = "declined_several" if self.question.has_several else "declined"
        return {
            "title": self.say("page.title_no"),
            "message": self.say(f"page.{declined}"),
            "may_change": not self.view.late,
            "mistake": self.say("page.declined_mistake"),
            "yes_label": self.button(Answer.YES),
            **self._rights(),
        }

    def _data_sent(self) -> Words:
        if self.view.notice in _NOT_ON_ITS_WAY:
            title, message = "rights.data_once", self.view.notice
        else:
            title, message = "rights.data_title", self.view.notice or "rights.data_sent"
        return {"title": self.say(title), "message": self.say(message)}

    def _erase(self) -> Words:
        return {
            "title": self.say("rights.erase_title"),
            "notice": self.say(self.view.notice) if self.view.notice else "",
            "sentence": self.say("rights.erase_sentence"),
            "confirm_label": self.say("rights.erase_confirm"),
            "not_now": self.say("rights.erase_not"),
        }

    def _erased(self) -> Words:
        return {
            "title": self.say("rights.erased_title"),
            "message": self.say("rights.erased"),
            "elsewhere": self.say(self.view.notice) if self.view.notice else "",
        }

    def _kept(self) -> Words:
        return {
            "title": self.say("rights.kept_title"),
            "message": self.say(self.view.notice or "rights.kept_contract"),
            "more": self.say("rights.kept_rights"),
        }

    def _record(self) -> Words:
        return {
            "title": self.say("record.heading"),
            "intro": self.say("record.intro"),
            "json_label": self.say("record.json"),
            "keep": self.say("receipt.keep"),
        }
