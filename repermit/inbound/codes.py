"""What a refusal means: its codes and its words, weighed against one another.

Doubt is never a dead address: a word of "later" or "full" beats every code, any code of class 4
beats every word. Codes that say nothing or are used for anything ("5.0.0", "5.7.1", "550") are
overruled by words, and say nothing beside words that are not known. Source:
`repermit.domain.refusal`, which has the table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from repermit.domain.refusal import Fault, fault_of
from repermit.inbound.kinds import Kind
from repermit.inbound.wordings import MOST_TEXT, Says, is_legible, says

_CODES = re.compile(
    r"(?<![\w.@/[-])(?<!\d:)([45][0-5]\d)(?::?[ -]{1,2}#?([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)"
    r"|(?=[] ;:,)]|-(?!\d\d)|$))"
    r"|(?<![\w.])#?([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)",
    re.MULTILINE,
)
_OF_FAULTS = {
    Fault.ADDRESS: Kind.HARD,
    Fault.FOR_NOW: Kind.TEMPORARY,
    Fault.US: Kind.ABOUT_US,
    Fault.UNKNOWN: Kind.UNCLEAR,
}
_NEVER_THERE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.310"})
_NAMED = _NEVER_THERE | {"5.2.1", "5.4.4", "5.7.17", "5.7.18"}  # no reason needed beside them
_OF_THE_SENDER = frozenset({"5.1.7", "5.1.8"})


@dataclass(frozen=True)
class Codes:
    """The codes of one refusal: the enhanced one and the three digits, empty when there is none."""

    enhanced: str = ""
    reply: str = ""

    @property
    def is_for_now(self) -> bool:
        """Whether either is of class 4."""
        return self.enhanced.startswith("4") or self.reply.startswith("4")

    @property
    def status(self) -> str:
        """The more telling of the two."""
        return self.enhanced or self.reply


def codes_in(text: str) -> tuple[Codes, ...]:
    """Return the codes that stand in *text*, in their order."""
    return tuple(
        Codes(enhanced=match[2] or match[3] or "", reply=match[1] or "")
        for match in _CODES.finditer(text[:MOST_TEXT])
    )


class Told:
    """What a text says: each is read once, when it is asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def codes(self) -> tuple[Codes, ...]:
        """The codes that stand in it."""
        return codes_in(self.text)

    @cached_property
    def meanings(self) -> frozenset[Says]:
        """What its wordings mean."""
        return says(self.text)

    @cached_property
    def is_legible(self) -> bool:
        """Whether the wordings would have been found."""
        return is_legible(self.text)


def judge(text: str, status: str = "") -> tuple[Kind, str]:
    """Return what a refusal means whose words are *text*, and the code that it is filed under.

    *status*: what the report gives as its status, apart from the words; may be empty.
    """
    return judge_told(Told(text), status)


def judge_told(told: Told, status: str = "") -> tuple[Kind, str]:
    """Return the same of a text that is asked about more than once."""
    found = told.codes
    if late := next((each for each in found if each.is_for_now), None):
        return Kind.TEMPORARY, late.status
    meanings = told.meanings
    if status.startswith("4") and not (found and Says.DEAD in meanings):
        return Kind.TEMPORARY, status
    codes = _telling(found, status)
    kind = _weighed(codes, meanings)
    if kind is Kind.HARD and not meanings and codes.enhanced not in _NAMED:
        kind = Kind.UNCLEAR  # words that nobody knows: they may say that it is full
    return kind, codes.status


def _telling(found: tuple[Codes, ...], status: str) -> Codes:
    """Return the codes that say most: in the words before the status of the report, unless
    they say nothing."""
    told = [*found, Codes(enhanced=status)] if status[:1] in ("4", "5") else [*found]
    telling = [each for each in told if not each.enhanced.endswith(".0.0") and each.enhanced]
    reply = next((each.reply for each in found if each.reply), "")
    if telling:
        return Codes(telling[0].enhanced, telling[0].reply or reply)
    return Codes(told[0].enhanced if told else "", reply)


def _weighed(codes: Codes, meanings: frozenset[Says]) -> Kind:
    fault = fault_of(codes.enhanced, codes.reply)
    if Says.LATER in meanings and not (fault is Fault.US and Says.SPAM in meanings):
        return Kind.TEMPORARY
    if Says.FULL in meanings:
        return Kind.TEMPORARY
    if codes.enhanced in _OF_THE_SENDER:
        return Kind.ABOUT_US
    if Says.SENDER in meanings and not (Says.DEAD in meanings and codes.enhanced in _NEVER_THERE):
        return Kind.ABOUT_US
    if fault is Fault.FOR_NOW and codes.enhanced and codes.enhanced[:4] not in ("5.3.", "5.4."):
        return Kind.ABOUT_US if Says.SPAM in meanings else Kind.TEMPORARY
    if Says.DEAD in meanings:
        return Kind.HARD
    if Says.CHOSEN in meanings:
        return Kind.UNCLEAR
    return _ruled(codes, fault, meanings)


def _ruled(codes: Codes, fault: Fault, meanings: frozenset[Says]) -> Kind:
    """Return what a refusal means that names neither a time nor a missing address."""
    is_named = codes.enhanced in _NAMED
    if Says.SPAM in meanings:
        return Kind.ABOUT_US
    if Says.SIZE in meanings:
        return Kind.TEMPORARY
    if Says.RELAY in meanings and not is_named:
        return Kind.UNCLEAR
    if Says.POLICY in meanings and not is_named:
        return Kind.ABOUT_US
    if Says.REJECTED in meanings and fault is not Fault.US:
        return _rejected(codes, fault)
    if Says.DENIED in meanings and not is_named:
        return Kind.ABOUT_US if fault is Fault.US else Kind.UNCLEAR
    if Says.UNAVAILABLE in meanings and fault is not Fault.ADDRESS:
        return Kind.TEMPORARY
    if fault is Fault.ADDRESS and Says.ELSEWHERE in meanings and codes.enhanced in ("", "5.0.0"):
        return Kind.UNCLEAR
    if codes.enhanced == "5.4.1":  # in a report also "no answer from the host"
        return Kind.TEMPORARY
    if codes == Codes(reply="501"):  # as often the syntax of something else
        return Kind.UNCLEAR
    return _OF_FAULTS[fault]


def _rejected(codes: Codes, fault: Fault) -> Kind:
    is_told = fault is Fault.ADDRESS or codes.enhanced.startswith(("5.2.0", "5.5."))
    return Kind.HARD if is_told else Kind.UNCLEAR
