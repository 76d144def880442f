"""Operate: putting right what a list said of one person, on their own word."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from repermit.cli.session import ask_line, tell
from repermit.errors import CorrectionRefused

if TYPE_CHECKING:
    from repermit.cli.whom import Whom
    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime

_LONGEST = 200  # characters of a source


async def correct_one(runtime: Runtime, ledger: Ledger, who: Whom) -> str:
    """Ask what is right, let that count, and return the name of the field.

    Raises: CorrectionRefused, and then nothing is changed.
    """
    from repermit.cli.assembly import rules
    from repermit.ledger.store import correcting
    from repermit.ledger.store.correcting import FIELDS, Correction

    if who.found is None:
        raise CorrectionRefused("that person is not on file", hint="check the spelling")
    name, equals, value = ask_line(f"What is right ({'=…, '.join(FIELDS)}=…)").partition("=")
    name, value = name.strip(), value.strip()
    if not equals or name not in FIELDS or not value:
        raise CorrectionRefused(
            "that is no field with its value",
            hint=f"say it as field=value, of: {', '.join(FIELDS)}; another address is another "
            "person to ask: erase this one and import that",
        )
    done = await ledger.write(
        correcting.correct,
        who.found.id,
        name,
        _checked(name, value, runtime),
        rules=rules(runtime),
        today=runtime.today(),
    )
    if done is not Correction.DONE:
        raise CorrectionRefused(
            f"their mail may have shown the {name.replace('_', ' ')} already"
            if done is Correction.SHOWN
            else "that person was erased just now",
            hint="what was shown stays as it was: only the language can still be corrected",
        )
    tell(f"Corrected: {name.replace('_', ' ')}. Whoever had no mail yet is screened anew;")
    tell("if they are to be asked, approve again: `repermit check` says so.")
    return name


def _checked(name: str, value: str, runtime: Runtime) -> str | date:
    """Return *value* as the field takes it. Raises: CorrectionRefused."""
    from repermit.ledger.store.correcting import DATES, LANGUAGE

    languages = runtime.config.campaign.languages
    if name == LANGUAGE and value not in languages:
        raise CorrectionRefused(
            "the campaign has no words in that language", hint=f"one of: {', '.join(languages)}"
        )
    if name not in DATES:
        if len(value) > _LONGEST or not value.isprintable():
            raise CorrectionRefused(
                "that is no source that can be shown", hint=f"at most {_LONGEST} plain characters"
            )
        return value
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = None
    if day is None or day > runtime.today():
        raise CorrectionRefused(
            "that is no date in the past", hint="give it as year-month-day, such as 2019-03-01"
        )
    return day
