"""The one question of a campaign: who asks, for what, in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date

from repermit.domain.purpose import Purpose
from repermit.domain.wording import Wording


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


def day_in_words(day: date, language: str) -> str:
    """Return *day* as that language writes it: "21 november 2026"."""
    words = format_date(day, "long", locale=Locale.parse(language))
    return f"1er{words[1:]}" if language == "fr" and day.day == 1 else words


def about_when(day: date, language: str) -> str:
    """Return *day* no more exactly than a list that knows only the month or the year."""
    if day.day != 1:
        return day_in_words(day, language)
    if day.month != 1:
        return format_date(day, "LLLL y", locale=Locale.parse(language))
    return str(day.year)
