"""The one question of a campaign: who asks, for what, in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from repermit.domain.deadline import due_at
from repermit.domain.purpose import Purpose
from repermit.domain.wording import Wording

_DAYS = 4096  # remembered in words: a campaign has few, and Babel takes 70 µs for each


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
    sensitive: bool = False  # being on the list says something intimate: neutral words

    def due_at(self, intent_at: datetime) -> datetime:
        """Return the instant from which silence is a no, for a mail that leaves now."""
        return due_at(intent_at, answer_days=self.answer_days, zone=self.zone)

    def language_for(self, language: str | None) -> str:
        """Return the language in which a recipient is asked."""
        known = language is not None and language in self.wordings
        return str(language) if known else self.default_language

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
            **self._purpose(language),
        }

    def sender(self, language: str) -> dict[str, object]:
        """Return what a template says of the sender, in *language*."""
        controller, wording = self.controller, self.wordings[language]
        known = self.variables(language)
        lines = (controller.name, controller.postal_address, controller.registration)
        return {
            "sender_lines": [line for line in lines if line],
            "email": controller.email,
            "privacy_url": controller.privacy_url,
            "data_and_rights": wording.say("mail.data_and_rights", **known),
            "authority": controller.authority,
            "complaint": wording.say("mail.complaint", **known),
        }

    def _purpose(self, language: str) -> dict[str, str]:
        if len(self.purposes) == 1:
            only = self.purposes[0]
            return {"what": only.text[language], "often": only.frequency[language]}
        listed = (f"{one.text[language]} ({one.frequency[language]})" for one in self.purposes)
        return {"what": ", ".join(listed), "often": ""}


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
        locale = Locale.parse("en_GB" if language == "en" else language)
    except (UnknownLocaleError, ValueError):
        return None
    return format_date(day, pattern, locale=locale)
