"""The one question of a campaign: who asks, for what, in which words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.lists import format_list

from repermit.domain import colour
from repermit.domain.deadline import due_at
from repermit.domain.purpose import Purpose
from repermit.domain.skeleton import place
from repermit.domain.wording import Wording

BELGIAN: Final = ("nl", "fr", "de")  # the languages of Belgium, by number of speakers
_DATED: Final = frozenset(  # written by language
    {"deadline", "answered", "collected", "ended", "kept_until"}
)
_DAYS: Final = 4096  # remembered in words: a campaign has few, and Babel takes 70 µs for each


@dataclass(frozen=True)
class Controller:
    """Who asks, as every mail and page names them."""

    name: str
    postal_address: str
    registration: str
    email: str
    privacy_url: str
    authority: str
    signup_url: str


@dataclass(frozen=True)
class Question:
    """Everything that mail and page have in common."""

    controller: Controller
    purposes: tuple[Purpose, ...]
    wordings: Mapping[str, Wording]
    default_language: str
    processors: tuple[str, ...]
    zone: ZoneInfo
    answer_days: int
    ask_again_days: int = (
        1095  # that it is known of somebody who stayed silent that they were asked
    )
    proof_days: int = 1095  # that the proof of a yes is kept once it is taken back
    sensitive: bool = False  # being on the list says something intimate: neutral words
    colour: str = colour.DEFAULT
    logo: str = ""  # a data URI

    def due_at(self, intent_at: datetime) -> datetime:
        """Return the instant from which silence is a no, for a mail that leaves now."""
        return due_at(intent_at, answer_days=self.answer_days, zone=self.zone)

    def may_ask_again(self, purged_at: datetime) -> date:
        """Return the day up to which nobody who stayed silent is asked again, once they were
        purged at that moment."""
        return (purged_at + timedelta(days=self.ask_again_days)).astimezone(self.zone).date()

    def languages_for(self, language: str | None, country: str | None) -> tuple[str, ...]:
        """Return the languages in which a recipient is asked, one below the other.

        In Belgium nobody can tell from the country which one a person reads.
        """
        if language is not None and language in self.wordings:
            return (language,)
        return (country == "BE" and self._belgian) or (self.default_language,)

    def reading_for(self, language: str | None, country: str | None) -> str:
        """Return `languages_for` as one text: "nl", or "nl+fr+de"."""
        return joined(self.languages_for(language, country))

    @property
    def readings(self) -> tuple[str, ...]:
        """Return every reading that there may be: each language, and those of Belgium together."""
        return (*self.wordings, *([joined(self._belgian)] if self._belgian else []))

    @property
    def _belgian(self) -> tuple[str, ...]:
        """Return the languages of Belgium that the campaign has, if there are several."""
        found = tuple(language for language in BELGIAN if language in self.wordings)
        return found if len(found) > 1 else ()

    @property
    def has_several(self) -> bool:
        """Return whether one may say yes to some purposes and not to others."""
        return len(self.purposes) > 1

    def named(self, language: str, ids: Collection[str] = ()) -> str:
        """Return the purposes with those *ids*, or all of them, as one text without how often."""
        chosen = [one for one in self.purposes if not ids or one.id in ids]
        return in_a_row([one.text[language] for one in chosen], language)

    def variables(self, language: str) -> dict[str, str]:
        """Return what every sentence may use, in *language*."""
        controller = self.controller
        return {
            "who": controller.name,
            "address": controller.postal_address,
            "registration": controller.registration,
            "email": controller.email,
            "privacy_url": controller.privacy_url,
            "authority": controller.authority,
            "signup_url": controller.signup_url,
            "processors": "; ".join(self.processors),
            "proof_days": str(self.proof_days),
            "again_days": str(self.ask_again_days),
            "what": self.named(language),
            "often": "" if self.has_several else self.purposes[0].frequency[language],
        }

    def sender(self) -> dict[str, object]:
        """Return what a template says of the sender, in any language."""
        controller = self.controller
        lines = (controller.name, controller.postal_address, controller.registration)
        return {
            "sender_lines": [line for line in lines if line],
            "email": controller.email,
            "privacy_url": controller.privacy_url,
            "authority": controller.authority,
            "palette": colour.palette(self.colour),
        }


def joined(languages: Iterable[str]) -> str:
    """Return *languages* as one text: "nl+fr+de"."""
    return "+".join(languages)


def languages_of(reading: str) -> tuple[str, ...]:
    """Return the languages of a reading, in the order in which they stand."""
    return tuple(reading.split("+"))


def places(names: Iterable[str], reading: str, language: str) -> dict[str, str]:
    """Return the mark of each place as the part in *language* has it.

    Whatever is written otherwise in every language has, after the first, a place for each.
    """
    first = language == languages_of(reading)[0]
    return {
        name: place(name if first or name not in _DATED else f"{name}_{language}") for name in names
    }


def in_each(reading: str, values: Callable[[str], Mapping[str, str]]) -> dict[str, str]:
    """Return what *values* gives for each language of a reading, named as `places` names them."""
    first, *others = languages_of(reading)
    found = dict(values(first))
    for other in others:
        found |= {f"{name}_{other}": value for name, value in values(other).items()}
    return found


def in_a_row(things: Sequence[str], language: str) -> str:
    """Return *things* as that language lists them: "a, b en c"; with commas where it is not
    known how."""
    try:
        return format_list(things, locale=_locale(language))
    except (UnknownLocaleError, ValueError):
        return ", ".join(things)


@lru_cache(maxsize=_DAYS)
def day_in_words(day: date, language: str) -> str:
    """Return *day* as that language writes it: "21 november 2026"; in a language without known
    dates, ISO 8601."""
    words = _formatted(day, "long", language) or day.isoformat()
    return f"1er{words[1:]}" if language == "fr" and day.day == 1 else words


@lru_cache(maxsize=_DAYS)
def about_when(day: date, language: str) -> str:
    """Return *day* no more exactly than a list that knows only the month or the year."""
    if day.day != 1:
        return day_in_words(day, language)
    if day.month != 1:
        return _formatted(day, "LLLL y", language) or f"{day:%Y-%m}"
    return str(day.year)


def _formatted(day: date, pattern: str, language: str) -> str | None:
    try:
        return format_date(day, pattern, locale=_locale(language))
    except (UnknownLocaleError, ValueError):
        return None


def _locale(language: str) -> Locale:
    return Locale.parse("en_GB" if language == "en" else language)
