"""Who may be asked: the policy table relationship x country, as data with its version.

The table says what a relationship leads to in a country; `decide` adds the evidence that must
be there. Anything missing withholds, and the reason names the cure.

Source: ePrivacy Directive 2002/58 art. 13(1) and (2); BE Royal Decree of 4 April 2003 art. 1;
NL Telecommunicatiewet art. 11.7; FR CNIL, three years from the last contact by the person;
DE § 7 UWG and OLG Düsseldorf I-15 U 64/15; GB PECR reg. 22 (Honda, 2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from repermit.domain.relationship import Relationship

TABLE_VERSION = "2026-11"
CONTACT_YEARS = 3


class Outcome(StrEnum):
    """What the policy says of a recipient."""

    ASK = "ask"
    EXEMPT = "exempt"
    WITHHOLD = "withhold"


class Reason(StrEnum):
    """Why a recipient is not asked, or on what footing; `CURES` says what would change it."""

    ALLOWED = "allowed"
    NO_QUESTION_NEEDED = "no_question_needed"
    RELATIONSHIP_MISSING = "relationship_missing"
    RELATIONSHIP_UNKNOWN = "relationship_unknown"
    COUNTRY_MISSING = "country_missing"
    COUNTRY_NOT_COVERED = "country_not_covered"
    NEVER_ASKED = "never_asked"
    FORBIDDEN_HERE = "forbidden_here"
    EVIDENCE_INCOMPLETE = "evidence_incomplete"
    RECENT_DAYS_MISSING = "recent_days_missing"
    ENDED_MISSING = "ended_missing"
    SOURCE_MISSING = "source_missing"
    COLLECTED_MISSING = "collected_missing"
    CONTACT_TOO_OLD = "contact_too_old"
    OLD_CONTACT_NOT_EXPLAINED = "old_contact_not_explained"
    REASON_MISSING = "reason_missing"
    DATE_IN_FUTURE = "date_in_future"
    SENSITIVE_UNPREPARED = "sensitive_unprepared"
    NOT_A_LEGAL_PERSON = "not_a_legal_person"


CURES: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.RELATIONSHIP_MISSING: "say what they are to you: --relationship, or a column",
        Reason.RELATIONSHIP_UNKNOWN: f"use one of: {', '.join(Relationship)}; or let a "
        "terminal ask what the values of that column mean (`--answers` replays it)",
        Reason.COUNTRY_MISSING: "say where they live: --country, or a column",
        Reason.COUNTRY_NOT_COVERED: "the table covers the EU, the EEA and GB only",
        Reason.NEVER_ASKED: "nothing: erase them",
        Reason.FORBIDDEN_HERE: "nothing, unless you answer for this cell in "
        "policy.override, with your reason (or take back the one that forbids it)",
        Reason.EVIDENCE_INCOMPLETE: "complete the evidence: for a customer the sale, the address "
        "given by the person, the objection offered then and own similar products; for a sign-up "
        "the date, the source and the reference of its proof; by columns, or --evidence in writing",
        Reason.RECENT_DAYS_MISSING: "decide how long a past customer is recent: policy.recent_days",
        Reason.ENDED_MISSING: "say until when they were customers: a column",
        Reason.SOURCE_MISSING: "say where the address came from: --source, or a column",
        Reason.COLLECTED_MISSING: "say when the address was collected: --collected, or a column",
        Reason.CONTACT_TOO_OLD: "nothing here: the last contact is over three years ago",
        Reason.OLD_CONTACT_NOT_EXPLAINED: "the last contact is over three years ago: write why "
        "you may still ask, in policy.reasons.old_contacts",
        Reason.REASON_MISSING: "write why you may ask them, in policy.reasons",
        Reason.DATE_IN_FUTURE: "correct the date: it lies in the future",
        Reason.SENSITIVE_UNPREPARED: "a sensitive list needs controller.dpo, controller.dpia and a "
        "relay among [[processors]] in the EEA with an agreement on record",
        Reason.NOT_A_LEGAL_PERSON: "declare that it is a legal person's: a column, or --evidence "
        "for the whole list; else treat it as a person's address, with another relationship",
    }
)


@dataclass(frozen=True)
class Evidence:
    """What is known of how an address came onto the list; None means not known."""

    relationship: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2, upper case
    source: str | None = None
    collected: date | None = None
    last_contact: date | None = None
    ended: date | None = None
    sale_ref: str | None = None
    proof_ref: str | None = None
    given_directly: bool | None = None
    objection_offered: bool | None = None
    own_products: bool | None = None
    legal_person: bool | None = None
    declared: bool = False  # the operator declared the evidence for the whole list, in writing
    sensitive: bool = False


@dataclass(frozen=True)
class Rules:
    """The operator's own part of the policy.

    `reasons` holds one written reason per relationship that is asked; `overrides` maps a cell
    ("NL.gave_address_only") to the outcome that the operator answers for.
    """

    recent_days: int | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    old_contacts: str = ""
    overrides: Mapping[str, Outcome] = field(default_factory=dict)
    sensitive: bool = False  # the whole campaign is
    sensitive_prepared: bool = False


@dataclass(frozen=True)
class Decision:
    """What the policy says of one recipient: the outcome, the cell that decided, the reason."""

    outcome: Outcome
    cell: str
    reason: Reason

    @property
    def cure(self) -> str:
        """Return what would change it, or an empty string."""
        return CURES.get(self.reason, "")


_RELATIONSHIPS = frozenset(Relationship)
_OTHER = "EEA"
# Source: EEA Agreement; the EU of 27 with IS, LI and NO.
EEA = frozenset(
    {"BE", "NL", "FR", "DE", "AT", "BG", "CY", "CZ", "DK", "EE", "ES", "FI", "GR", "HR"}
    | {"HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NO", "PL", "PT", "RO", "SE", "SI"}
    | {"SK"}
)
_COVERED = EEA | {"GB"}
_COLUMNS = ("BE", "NL", "FR", "DE", "GB", _OTHER)
_ASK, _EXEMPT, _WITHHOLD = Outcome.ASK, Outcome.EXEMPT, Outcome.WITHHOLD


def _row(*outcomes: Outcome) -> Mapping[str, Outcome]:
    return MappingProxyType(dict(zip(_COLUMNS, outcomes, strict=True)))


TABLE: Mapping[Relationship, Mapping[str, Outcome]] = MappingProxyType(
    {
        Relationship.BOUGHT_OR_UNKNOWN: _row(*[_WITHHOLD] * 6),
        Relationship.UNFINISHED_FORM: _row(*[_WITHHOLD] * 6),
        Relationship.SIGNED_UP_WITH_PROOF: _row(*[_EXEMPT] * 6),
        Relationship.CUSTOMER: _row(*[_EXEMPT] * 6),
        Relationship.PAST_CUSTOMER: _row(*[_EXEMPT] * 6),
        Relationship.SIGNED_UP_NO_PROOF: _row(_ASK, _ASK, _ASK, _ASK, _WITHHOLD, _ASK),
        Relationship.GAVE_ADDRESS_ONLY: _row(*[_WITHHOLD] * 6),
        Relationship.COMPANY_MAILBOX: _row(_EXEMPT, _ASK, _ASK, _WITHHOLD, _WITHHOLD, _WITHHOLD),
    }
)
_ACKNOWLEDGED_IN = frozenset({"BE"})
NEVER_ASKED = frozenset({Relationship.BOUGHT_OR_UNKNOWN, Relationship.UNFINISHED_FORM})
CAN_BE_ASKED = frozenset(Relationship) - NEVER_ASKED - {Relationship.SIGNED_UP_WITH_PROOF}


def is_cell(name: str) -> bool:
    """Return whether *name* is a cell that an override may name: a country and a relationship
    for which a true sentence exists that tells the recipient why they are asked."""
    country, _, relationship = name.partition(".")
    return country in _COVERED and relationship in CAN_BE_ASKED


def owes_acknowledgement(country: str | None) -> bool:
    """Return whether a no of somebody who lives there is to be confirmed by e-mail.

    Source: BE Royal Decree of 4 April 2003 art. 2.
    """
    return country in _ACKNOWLEDGED_IN


def decide(evidence: Evidence, rules: Rules, *, today: date) -> Decision:
    """Return what the table, the operator's rules and the evidence say of one recipient.

    Never raises: what is missing or unknown withholds.
    """
    if not evidence.relationship:
        return Decision(_WITHHOLD, "-", Reason.RELATIONSHIP_MISSING)
    if evidence.relationship not in _RELATIONSHIPS:
        return Decision(_WITHHOLD, "-", Reason.RELATIONSHIP_UNKNOWN)
    relationship = Relationship(evidence.relationship)
    cell = f"{evidence.country or '-'}.{relationship}"
    if not evidence.country:
        return Decision(_WITHHOLD, cell, Reason.COUNTRY_MISSING)
    if evidence.country not in _COVERED:
        return Decision(_WITHHOLD, cell, Reason.COUNTRY_NOT_COVERED)
    if relationship in NEVER_ASKED:
        return Decision(_WITHHOLD, cell, Reason.NEVER_ASKED)
    if _lies_ahead(evidence, today):
        return Decision(_WITHHOLD, cell, Reason.DATE_IN_FUTURE)
    outcome, reason = _by_table(relationship, evidence, rules, cell, today)
    if outcome is _ASK and (obstacle := _obstacle(relationship, evidence, rules, today)):
        return Decision(_WITHHOLD, cell, obstacle)
    return Decision(outcome, cell, reason)


def _by_table(
    relationship: Relationship, evidence: Evidence, rules: Rules, cell: str, today: date
) -> tuple[Outcome, Reason]:
    if (own := rules.overrides.get(cell)) is not None:
        return own, Reason.ALLOWED if own is _ASK else Reason.FORBIDDEN_HERE
    if relationship is Relationship.PAST_CUSTOMER:
        if evidence.ended is None:
            return _WITHHOLD, Reason.ENDED_MISSING
        if rules.recent_days is None:
            return _WITHHOLD, Reason.RECENT_DAYS_MISSING
        if (today - evidence.ended).days > rules.recent_days:
            relationship = Relationship.GAVE_ADDRESS_ONLY
    if relationship is Relationship.COMPANY_MAILBOX and not _holds(evidence, "legal_person"):
        return _WITHHOLD, Reason.NOT_A_LEGAL_PERSON
    column = evidence.country if evidence.country in _COLUMNS else _OTHER
    outcome = TABLE[relationship][str(column)]
    if outcome is _EXEMPT and not _is_complete(relationship, evidence):
        return _WITHHOLD, Reason.EVIDENCE_INCOMPLETE
    reasons = {
        _ASK: Reason.ALLOWED,
        _EXEMPT: Reason.NO_QUESTION_NEEDED,
        _WITHHOLD: Reason.FORBIDDEN_HERE,
    }
    return outcome, reasons[outcome]


def _is_complete(relationship: Relationship, evidence: Evidence) -> bool:
    """Return whether the evidence carries an exemption.

    Source: ePrivacy Directive art. 13(2): the details came from the sale, the objection was
    offered when they were collected, and the products are one's own and similar.
    """
    if relationship is Relationship.SIGNED_UP_WITH_PROOF:
        proven = evidence.proof_ref or evidence.declared
        return bool(evidence.collected and evidence.source and proven)
    if relationship is Relationship.COMPANY_MAILBOX:
        return True
    parts = ("sale_ref", "given_directly", "objection_offered", "own_products")
    return all(_holds(evidence, part) for part in parts)


def _holds(evidence: Evidence, part: str) -> bool:
    """Return whether a part of the evidence is there: by the row, or, where the row says
    nothing, by what was declared for the whole list."""
    said = getattr(evidence, part)
    return evidence.declared if said is None else bool(said)


def _obstacle(
    relationship: Relationship, evidence: Evidence, rules: Rules, today: date
) -> Reason | None:
    """Return what stands in the way of asking, or None."""
    if (evidence.sensitive or rules.sensitive) and not rules.sensitive_prepared:
        return Reason.SENSITIVE_UNPREPARED
    if not evidence.source:
        return Reason.SOURCE_MISSING
    if not evidence.collected:
        return Reason.COLLECTED_MISSING
    if relationship is Relationship.PAST_CUSTOMER and not evidence.ended:
        return Reason.ENDED_MISSING
    if not rules.reasons.get(relationship):
        return Reason.REASON_MISSING
    contact = max(evidence.collected, evidence.last_contact or evidence.collected)
    if contact < years_before(today, CONTACT_YEARS):
        if evidence.country == "FR" and relationship is Relationship.SIGNED_UP_NO_PROOF:
            return Reason.CONTACT_TOO_OLD
        if not rules.old_contacts:
            return Reason.OLD_CONTACT_NOT_EXPLAINED
    return None


def _lies_ahead(evidence: Evidence, today: date) -> bool:
    dates = (evidence.collected, evidence.last_contact, evidence.ended)
    return any(moment is not None and moment > today for moment in dates)


def years_before(today: date, years: int) -> date:
    """Return the same day so many years earlier; 28 February for the 29th."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return today.replace(year=today.year - years, day=28)
