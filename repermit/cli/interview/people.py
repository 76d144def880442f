"""The questions on who is on the list, and who answers for the policy table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from repermit.cli.interview import balance
from repermit.cli.interview.question import Answers, Choices, Question, day, whole
from repermit.cli.interview.sender import LATER, NONE
from repermit.domain.policy import CAN_BE_ASKED, EEA, TABLE, TABLE_VERSION, Outcome
from repermit.domain.relationship import QUESTIONS, Relationship

_PART = "Who is on the list"
_ANSWERS = "Who answers for it"
_NO_QUESTION = "needs no question, once the evidence is complete"
_SHORT = {Outcome.ASK: "ask", Outcome.EXEMPT: "exempt", Outcome.WITHHOLD: "withhold"}


def questions(answers: Answers, *, today: date) -> Iterator[Question]:
    """Yield who is on the list, and why they may be asked."""
    where = answers.get("country") or "BE"
    yield Question(
        "relationships",
        _PART,
        "What are the people on your list to you? Several numbers, with commas.\n"
        + "\n".join(_offered(where)),
        "It decides who may be asked. Whoever ever said stop is on no number: give them with "
        "`repermit suppress`, and they are never mailed.",
        more="The list itself need not say it: when you take it in, `repermit import` asks once "
        "for each kind of people in it. What stands behind -> is the policy table for people who "
        f"live in {where}; whatever is unclear is withheld, which means not mailed.",
        read=Choices(tuple(Relationship), several=True),
        default=Relationship.SIGNED_UP_NO_PROOF,
        only_here=True,
    )
    chosen = relationships(answers)
    if Relationship.PAST_CUSTOMER in chosen:
        yield Question(
            "policy.recent_days",
            _PART,
            "For how many days is somebody who stopped buying still a customer?",
            "They need no question for so long. There is no usual number: it depends on what you "
            "sell, and is yours to defend. Later: past customers are withheld.",
            read=whole,
            default="",
            open_as=LATER,
        )
    yield from _reasons(answers, chosen)
    yield from _acceptance(answers, today)


def relationships(answers: Answers) -> list[Relationship]:
    """Return the relationships that were answered."""
    return [each for each in Relationship if each in answers.get("relationships", "").split(", ")]


def with_reason(answers: Answers) -> list[Relationship]:
    """Return the relationships for which a reason is written, as far as was answered."""
    return [
        each
        for each in relationships(answers)
        if each in CAN_BE_ASKED and (_may_be_asked(each) or answers.get(f"balance.{each}") == "yes")
    ]


def _reasons(answers: Answers, chosen: list[Relationship]) -> Iterator[Question]:
    for each in chosen:
        if has_gate(each):
            yield balance.gate(each)
        if each in with_reason(answers):
            yield from balance.questions(answers, each)
    old = [each for each in with_reason(answers) if balance.is_old(answers, each)]
    if any(answers.get(f"policy.reasons.{each}") for each in old):
        yield Question(
            "policy.reasons.old_contacts",
            balance.PART,
            "Why may you still ask those whose last contact is over three years ago?",
            "One true sentence more. None: whoever had no contact for three years is withheld.",
            more="For instance: They kept getting our yearly programme by post, and we had no "
            "complaint. In France, those who signed up without proof are withheld all the same.",
            default="",
            open_as=NONE,
        )


def _acceptance(answers: Answers, today: date) -> Iterator[Question]:
    yield Question(
        "policy.accepted_by",
        _ANSWERS,
        f"Who accepts the policy table {TABLE_VERSION}, and answers for it? A person's name.",
        "They must read it first: ? shows it. Later: everything can be prepared and looked at, "
        "but nobody can approve, and no mail leaves.",
        more="\n".join(_table()),
        default="",
        open_as=LATER,
        keeps_example=True,
    )
    if answers.get("policy.accepted_by"):
        yield Question(
            "policy.accepted_on",
            _ANSWERS,
            "On which day did they read and accept it?",
            "It goes into the proof.",
            read=day,
            default=today.isoformat(),
        )


def has_gate(relationship: Relationship) -> bool:
    """Return whether it is asked, before the balancing, if a reason is wanted at all."""
    return relationship in CAN_BE_ASKED and not _may_be_asked(relationship)


def _may_be_asked(relationship: Relationship) -> bool:
    return Outcome.ASK in TABLE[relationship].values()


def _offered(where: str) -> Iterator[str]:
    """Yield each relationship with its number, its plain question, and what the table says."""
    for number, (each, question) in enumerate(QUESTIONS.items(), start=1):
        yield f"{number:>3}  {question}"
        yield f"     -> {_said(each, where)}"


def _said(relationship: Relationship, where: str) -> str:
    row = TABLE[relationship]
    outcome = row.get(where, row["EEA"])
    if where not in EEA and where not in row:
        return "not covered: the table is for the EU, the EEA and GB"
    if relationship is Relationship.PAST_CUSTOMER:
        return "no question for as long as you say below, then withheld"
    return {
        Outcome.ASK: "asked once, with a reason of yours",
        Outcome.EXEMPT: _NO_QUESTION,
        Outcome.WITHHOLD: "withheld: not mailed",
    }[outcome]


def _table() -> Iterator[str]:
    """Yield the policy table, a line for each relationship."""
    columns = list(next(iter(TABLE.values())))
    yield (f"{'':21}" + "".join(f"{each:<9}" for each in columns)).rstrip()
    for relationship, row in TABLE.items():
        outcomes = "".join(f"{_SHORT[each]:<9}" for each in row.values())
        yield f"{relationship:<21}{outcomes}".rstrip()
    yield "exempt: needs no question, if the evidence is complete; else withheld."
    yield "past_customer: for recent_days only, then withheld. EEA: every other country of it."
    yield "Whoever is asked needs a reason, a source and a date; old contacts one reason more."
