"""Letters of the controller to one person, ready to be read and signed: the answer to a complaint,
to a request for access, and to one for erasure.

Source: GDPR art. 6(1), 12(3), 12(4), 15(1) to 15(3), 17(1), 17(3), 19, 21(3), 77 and 79.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from repermit.domain.deadline import last_day
from repermit.domain.held import sections, why_listed
from repermit.domain.question import Question, day_in_words, languages_of
from repermit.domain.standing import Standing
from repermit.domain.templates import Templates
from repermit.ledger.log import Kind
from repermit.ledger.store.reading import OnFile
from repermit.report.life import Life

_COLUMNS: Final = 78
_SAID: Final = ("who", "what", "email", "authority", "proof_days", "again_days")
_UNASKED: Final = frozenset({Standing.WITHHELD, Standing.EXEMPT})
_NOT_LEFT: Final = _UNASKED | {Standing.LISTED, Standing.DEFERRED}
_UNSURE: Final = frozenset({Standing.CLAIMED, Standing.DOUBTFUL})
_NO: Final = frozenset({"answer", "reply", "unsubscribe", "complaint"})
_DOTS: Final = "………………"  # to be filled in by hand
_BETWEEN: Final = f"\n\n{'* ' * 3}\n\n"


@dataclass(frozen=True)
class Sender:
    """Who writes, in which words, on which day; `dpo` may be empty. `outside` are the processors
    outside the EEA; `unnamed` says that who carries the mails is not among the processors."""

    question: Question
    templates: Templates
    dpo: str
    now: datetime
    outside: tuple[str, ...] = ()
    unnamed: bool = False

    @property
    def today(self) -> date:
        """Return the day it is in the campaign's zone."""
        return self.now.astimezone(self.question.zone).date()


@dataclass(frozen=True)
class About:
    """Whom a letter is to: the address as it is on file or was typed, what is known, everything
    that is held (for those on file), and whether an export had carried out a yes of theirs who
    were erased just now."""

    to: str
    life: Life
    held: Mapping[str, Any] | None = None
    exported: bool = False


def reading_of(life: Life, question: Question) -> tuple[str, ...]:
    """Return the languages of a letter to somebody: those of the page on which they last
    answered, or those they were asked in; all of the campaign when they are not on file."""
    if life.found is None:
        default = question.default_language
        return (default, *(one for one in question.wordings if one != default))
    answered = [languages_of(each.language) for each in life.found.answers if each.language]
    known = answered[-1] if answered else ()
    if known and all(one in question.wordings for one in known):
        return known
    return question.languages_for(life.found.language, life.found.person.evidence.country)


def letter(kind: str, about: About, languages: Sequence[str], sender: Sender) -> str:
    """Return the letter about a "complaint", "access" or "erasure", in lines of 78 columns; in
    each of *languages*, one below the other.

    Raises: WordingIncomplete when there is no such letter in a language.
    """
    made = [
        sender.templates.render(f"letter/{kind}.{one}.txt.j2", _said(about, one, sender))
        for one in languages
    ]
    return f"{_BETWEEN.join(map(_wrapped, made))}\n"


def _said(about: About, language: str, sender: Sender) -> dict[str, Any]:
    question = sender.question
    life, variables = about.life, question.variables(language)
    wording = question.wordings[language]
    is_open = sender.unnamed or not question.processors
    processors = "; ".join([*question.processors, *([_DOTS] if is_open else [])])
    common = {
        **{name: variables[name] for name in _SAID},
        "sender_lines": question.sender()["sender_lines"],
        "day": day_in_words(sender.today, language),
        "to": about.to,
        "dpo": sender.dpo,
        "several": question.has_several,
        "complaint": wording.say("mail.complaint", **variables),
        "legal_basis": wording.say("page.legal_basis", **variables),
        "processors": wording.say("page.processors", **(variables | {"processors": processors})),
        "outside": sender.outside,
        "is_open": is_open,
        "exported": about.exported,
        "state": "nothing",
        "why_code": "",
        "since": "",
        "again": "",
        "kept_for": "",
        "kept_until": "",
        "kept_reason": "",
    }
    if life.found is not None and about.held is not None:
        told = _on_file(life.found, about.held, life, language, sender)
        return common | {"state": "on_file"} | told
    if life.never is not None:
        since = life.never.since.astimezone(question.zone).date()
        source = life.never.source
        why = "no" if source in _NO else source if source in ("erased", "asked") else "list"
        common |= {"state": "code", "why_code": why, "since": day_in_words(since, language)}
        common["again"] = day_in_words(question.may_ask_again(life.never.since), language)
    return common


def _on_file(
    found: OnFile, held: Mapping[str, Any], life: Life, language: str, sender: Sender
) -> dict[str, Any]:
    question = sender.question
    variables, wording = question.variables(language), question.wordings[language]

    def moment(at: datetime) -> str:
        local = at.astimezone(question.zone)
        return f"{day_in_words(local.date(), language)}, {local:%H:%M}"

    has_left = found.intent_at is not None and found.standing not in _NOT_LEFT
    due = found.falls_due
    deadline = day_in_words(last_day(due, zone=question.zone), language) if due else ""
    hold = life.hold if life.hold and life.hold.counts(sender.now) else None
    silence = "silence.several" if question.has_several else "silence.sentence"
    return {
        "asks": found.standing not in _UNASKED,
        "standing": str(found.standing),
        "left": ("maybe" if found.standing in _UNSURE else "yes") if has_left else "no",
        "asked_on": moment(found.intent_at) if found.intent_at else "",
        "deadline": deadline,
        "is_past": due is not None and sender.now >= due,
        "kept_for": str(hold.kind) if hold else "",
        "kept_until": day_in_words(last_day(hold.until, zone=question.zone), language)
        if hold
        else "",
        "kept_reason": hold.reason if hold else "",
        "silence": wording.say(silence, **variables, deadline=deadline),
        "chosen": question.named(language, found.purposes),
        "why": why_listed(held, question, language),
        "answers": [
            {
                "moment": moment(each.at),
                "button": each.facts["button"],
                "one_click": each.facts["way"] == "one_click",
                "void": each.facts["suspect"],
            }
            for each in life.events
            if each.kind is Kind.ANSWERED
        ],
        "stopped": [moment(each.at) for each in life.events if each.kind is Kind.OPTED_OUT],
        "exports": [moment(each.at) for each in life.exports],
        "sections": sections(held, question, language, only_theirs=True),
    }


def _wrapped(text: str) -> str:
    """Return *text* in lines that are not too long, with one empty line between paragraphs."""
    lines = (re.sub(r" {2,}", " ", line).strip() for line in text.strip().splitlines())
    wrapped = "\n".join(_filled(line) for line in lines)
    return re.sub(r"\n{3,}", "\n\n", wrapped)


def _filled(line: str) -> str:
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(
        line,
        _COLUMNS,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
