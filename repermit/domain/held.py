"""What is held about one person, in the words of their language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel import Locale, UnknownLocaleError

from repermit.domain.deadline import last_day
from repermit.domain.question import Question, about_when, day_in_words
from repermit.domain.wording import why_key

_IN_WORDS = frozenset(  # told under a label; the other fields follow under their own names
    {"personal", "country", "language", "standing", "intent_at", "due_at", "purposes"}
)
_OF_THE_LIST = ("collected", "last_contact", "ended")
_OF_EVERYBODY = frozenset({"others", "rights"})
_PLAIN = frozenset({"mailbox", "source", *_OF_THE_LIST})


@dataclass(frozen=True)
class Section:
    """A heading, and what stands under it: labels with their values; a label may be empty."""

    heading: str
    lines: tuple[tuple[str, str], ...]


def sections(
    held: Mapping[str, Any], question: Question, language: str, *, only_theirs: bool = False
) -> tuple[Section, ...]:
    """Return everything of *held*, as `store.held.everything` returns it, to be read;
    *only_theirs* without what is the same for everybody."""
    told = _Told(held, question, language)
    found = (
        ("person", told.person(held["person"], [*held["imports"]][:1])),
        *(("lists", told.person(one, [])) for one in held["other_lists"]),
        ("answers", told.answers()),
        ("mails", told.mails()),
        ("replies", told.replies()),
        ("never", told.never()),
        ("kept", told.kept()),
        ("others", told.others()),
        ("rights", told.rights()),
        ("fields", told.fields()),
    )
    made = (
        (name, tuple(lines)) for name, lines in found if not (only_theirs and name in _OF_EVERYBODY)
    )
    return tuple(Section(told.say(f"heading_{name}"), lines) for name, lines in made if lines)


def why_listed(held: Mapping[str, Any], question: Question, language: str) -> str:
    """Return the sentence that says why they are on the list; empty when none would be true."""
    return _Told(held, question, language).why(held["person"])


@dataclass(frozen=True)
class _Told:
    held: Mapping[str, Any]
    question: Question
    language: str

    def say(self, key: str, **known: str) -> str:
        """Return a sentence of the wording, those of `held` without their prefix."""
        wording = self.question.wordings[self.language]
        variables = self.question.variables(self.language) | {"answered": ""} | known
        return wording.say(key if "." in key else f"held.{key}", **variables)

    def person(self, row: Mapping[str, Any], imports: list[Any]) -> Iterator[tuple[str, str]]:
        """Yield what one list says of them and, where it is their own row, what became of it."""
        personal = row["personal"]
        yield self.say("address"), personal["mailbox"]
        if personal.get("source"):
            yield self.say("source"), personal["source"]
        for name in _OF_THE_LIST:
            if personal.get(name):
                yield self.say(name), about_when(date.fromisoformat(personal[name]), self.language)
        if row["country"]:
            yield self.say("country"), self._country(row["country"])
        if row["language"]:
            yield self.say("language"), self._language(row["language"])
        if why := self.why(row):
            yield self.say("origin"), why
        for each in imports:
            yield self.say("taken_in"), self._moment(each["at"])
        if row.get("intent_at"):
            yield self.say("mailed"), self._moment(row["intent_at"])
        if row.get("due_at") and (due := self._falls_due()):
            last = last_day(due, zone=self.question.zone)
            yield self.say("until"), day_in_words(last, self.language)
        yield self.say("standing"), self.say(f"standing_{row['standing']}")
        if row.get("purposes"):
            yield self.say("purposes"), self._purposes(row["purposes"])

    def answers(self) -> Iterator[tuple[str, str]]:
        """Yield every press: when, the words on the button, how it came in, and where from as
        long as that is kept."""
        origins = {one["leaf"]: one["personal"] for one in self.held["origins"]}
        for one in self.held["answers"]:
            button = one["button"] or self.say(one["answer"])
            origin = origins.get(one["leaf"], {}).values()
            known = (one["way"], self._purposes(one["purposes"]), one["page"], *origin)
            how = ", ".join(str(each) for each in known if each)
            yield self._moment(one["at"]), f"“{button}” ({how})"

    def mails(self) -> Iterator[tuple[str, str]]:
        """Yield the mails besides the question: when each was sent or tried, or that it was not
        yet. What never left and never will is no mail to them."""
        for one in self.held["other_mails"]:
            kind = self.say(f"mail_{one['kind']}")
            match one["standing"]:
                case "sent":
                    yield self._moment(one["settled_at"]), kind
                case "claimed" | "doubtful":
                    yield self._moment(one["intent_at"]), f"{kind} – {self.say('mail_doubtful')}"
                case "waiting":
                    yield "", f"{kind} – {self.say('mail_waiting')}"

    def replies(self) -> Iterator[tuple[str, str]]:
        """Yield what they wrote that waits for a person, under its subject."""
        for one in self.held["replies"]:
            written = (one["personal"]["subject"], one["personal"]["text"])
            yield self._moment(one["at"]), " – ".join(each for each in written if each)

    def never(self) -> Iterator[tuple[str, str]]:
        """Yield since when they are never mailed."""
        if never := self.held["never_mailed"]:
            yield "", self.say("never", answered=self._moment(never["since"]))

    def kept(self) -> Iterator[tuple[str, str]]:
        """Yield what keeps them from being erased, up to when, and why."""
        for one in self.held["holds"]:
            if not one["counts"]:
                continue
            last = last_day(datetime.fromisoformat(one["until"]), zone=self.question.zone)
            yield "", self.say(f"kept_{one['kind']}", answered=day_in_words(last, self.language))
            yield self.say("kept_reason"), one["reason"]

    def others(self) -> Iterator[tuple[str, str]]:
        """Yield who else has it, on what ground, and for how long."""
        processors = ["page.processors"] if self.question.processors else []
        for key in (*processors, "page.legal_basis", "page.after_yes", "page.after_no"):
            yield "", self.say(key, processors="; ".join(self.question.processors))
        if self._falls_due() is not None:
            yield "", self.say("after_silence")

    def rights(self) -> Iterator[tuple[str, str]]:
        """Yield what they may ask for, and where they may complain."""
        controller = self.question.controller
        yield "", self.say("rights")
        yield "", f"{self.say('mail.data_and_rights')} {controller.privacy_url}"
        yield "", f"{self.say('mail.complaint')} {controller.authority}"
        yield "", self.say("attachment")

    def fields(self) -> Iterator[tuple[str, str]]:
        """Yield what has no label in words, under the name that it has with us."""
        row = self.held["person"]
        named = {name: row[name] for name in row if name not in _IN_WORDS}
        named |= {name: row["personal"][name] for name in row["personal"] if name not in _PLAIN}
        for name, value in named.items():
            if value not in (None, "", []):
                yield name, ", ".join(value) if isinstance(value, list) else str(value)

    def why(self, row: Mapping[str, Any]) -> str:
        """Return why they are on the list, as the mail said it; empty when nothing true can be
        said."""
        personal = row["personal"]
        key = why_key(row["relationship"] or "", bool(personal.get("sensitive")))
        dates = {
            name: about_when(date.fromisoformat(personal[name]), self.language)
            if personal.get(name)
            else "…"
            for name in ("collected", "ended")
        }
        return self.say(key, source=personal.get("source") or "…", **dates) if key else ""

    def _falls_due(self) -> datetime | None:
        """Return the date in their mail or, if that is later, the one to which it was moved."""
        printed, moved = self.held["person"]["due_at"], self.held["extended_until"]
        dates = [datetime.fromisoformat(one) for one in (printed, moved) if one]
        return max(dates) if printed else None

    def _moment(self, text: str) -> str:
        moment = datetime.fromisoformat(text).astimezone(self.question.zone)
        return f"{day_in_words(moment.date(), self.language)}, {moment:%H:%M}"

    def _purposes(self, ids: list[str]) -> str:
        known = {one.id: one.text[self.language] for one in self.question.purposes}
        return ", ".join(known.get(one, one) for one in ids)

    def _country(self, code: str) -> str:
        try:
            return str(Locale.parse(self.language).territories.get(code, code))
        except (UnknownLocaleError, ValueError):
            return code

    def _language(self, code: str) -> str:
        wording = self.question.wordings.get(code)
        return wording.say("language.name") if wording else code
