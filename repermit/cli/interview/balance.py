"""The balancing behind a reason: four questions for a relationship, and the sentence they make.

Source: GDPR art. 6(1)(f), a legitimate interest that the person's own do not outweigh; recital 47,
which asks what the person reasonably expects; EDPB Guidelines 1/2024, the test in steps.
"""

from __future__ import annotations

from collections.abc import Iterator

from repermit.cli.interview.question import Answers, Choices, Question, one_line
from repermit.domain.relationship import Relationship

PART = "Why you may ask them"
# Whom each relationship means, as a sentence speaks of them.
PEOPLE = {
    Relationship.SIGNED_UP_NO_PROOF: "those who signed up, but whose proof is gone",
    Relationship.CUSTOMER: "customers",
    Relationship.PAST_CUSTOMER: "past customers",
    Relationship.GAVE_ADDRESS_ONLY: "those who gave their address for something else",
    Relationship.COMPANY_MAILBOX: "shared mailboxes of companies and associations",
}
_EXPECTED = {
    "yes": "They would expect a mail from us.",
    "perhaps": "Some of them would expect a mail from us.",
    "no": "They would hardly expect a mail from us.",
}
_CONTACT = {
    "under-1-year": "Their last contact with us was less than a year ago.",
    "1-to-3-years": "Their last contact with us was one to three years ago.",
    "over-3-years": "For some of them the last contact was more than three years ago.",
    "unknown": "When the last contact was is not known of all of them.",
}
_HARM = {
    "none": "One mail that they answer with one press does them no harm.",
    "little": "One mail that they answer with one press disturbs them little.",
    "serious": "To some of them, a mail could do serious harm.",
}
_WORDS = {"expected": _EXPECTED, "contact": _CONTACT, "harm": _HARM}
_ASKED = {
    "why": "Why do you need to ask them, rather than let them go?",
    "expected": "Would they expect a mail from you?",
    "contact": "How long ago was the last contact with them?",
    "harm": "What harm could a mail do to them?",
}
_OFFERED = {
    "expected": {
        "yes": "they know you, and wanted your mail when they gave their address",
        "perhaps": "some of them do",
        "no": "it would surprise them",
    },
    "contact": {
        "under-1-year": "less than a year, for all of them",
        "1-to-3-years": "one to three years",
        "over-3-years": "more than three years, for some",
        "unknown": "nobody can tell of all of them",
    },
    "harm": {
        "none": "one mail that they may answer or not",
        "little": "they are disturbed by one mail too many",
        "serious": "whoever reads it with them learns what is nobody's business",
    },
}
_MEANS = {
    "expected": "A no speaks against asking: better withhold them.",
    "contact": "After three years one more sentence is needed, or they are not asked.",
    "harm": "Serious harm speaks against asking: better withhold them.",
}
_MORE = {
    "expected": "The law asks what they reasonably expect (GDPR, recital 47): by how they gave "
    "their address, what you told them then, and how long ago it was.",
    "contact": "A contact from their side: they wrote, came, paid or ordered. A mail that you sent "
    "them does not count.",
    "harm": "Think of whoever shares the mailbox: a partner, an employer. A list of patients, "
    "debtors or donors may do harm by its name alone.",
}


def questions(answers: Answers, relationship: Relationship) -> Iterator[Question]:
    """Yield the four questions on *relationship*, then the sentence that they make."""
    yield Question(
        key(relationship, "why"),
        PART,
        f"About {PEOPLE[relationship]}.\n{_ASKED['why']}",
        "It begins the sentence that you answer for, and goes into the proof.",
        more="One true sentence: what was lost or changed, what it is for, why nothing milder "
        "does. For instance: They signed up on paper at our garden days; the forms were lost in a "
        "move in 2021.",
        read=one_line,
        only_here=True,
    )
    for name in _WORDS:
        yield _choice(relationship, name)
    yield _sentence(answers, relationship)


def gate(relationship: Relationship) -> Question:
    """Return whether a reason is wanted for people whom the table never asks by itself."""
    return Question(
        f"balance.{relationship}",
        PART,
        f"Do you want to write a reason for {PEOPLE[relationship]}, too?",
        "The policy table does not ask them, so no reason is needed. Only if you depart from it "
        "for them (policy.override in config.toml) you answer for it with a reason.",
        read=Choices(("no", "yes")),
        default="no",
        only_here=True,
    )


def key(relationship: str, name: str) -> str:
    """Return the key of one of the four questions."""
    return f"balance.{relationship}.{name}"


def sentence(answers: Answers, relationship: str) -> str:
    """Return the sentences that the four answers make; empty while one is open."""
    said = {name: answers.get(key(relationship, name), "") for name in _ASKED}
    if not all(said.values()):
        return ""
    why = said["why"][:1].upper() + said["why"][1:]
    ended = why if why[-1] in ".!?" else f"{why}."
    return " ".join([ended, *(words[said[name]] for name, words in _WORDS.items())])


def against(answers: Answers, relationship: str) -> list[str]:
    """Return what of the four answers speaks against asking."""
    found = []
    if answers.get(key(relationship, "expected")) == "no":
        found.append("they would not expect it")
    if answers.get(key(relationship, "harm")) == "serious":
        found.append("it could do serious harm")
    return found


def is_old(answers: Answers, relationship: str) -> bool:
    """Return whether the last contact may be more than three years ago."""
    return answers.get(key(relationship, "contact")) in {"over-3-years", "unknown"}


def remarks(answers: Answers, relationship: str) -> list[str]:
    """Return the four questions with their answers, as the config keeps them beside the reason."""
    said = {name: answers.get(key(relationship, name), "") for name in _ASKED}
    if not any(said.values()):
        return []
    lines = [f"{_ASKED[name]} {what}" for name, what in said.items() if what]
    if not answers.get(f"policy.reasons.{relationship}"):
        lines.append("No reason was kept: these people are withheld.")
    return [f"The balancing for {PEOPLE[Relationship(relationship)]}:", *lines]


def _choice(relationship: str, name: str) -> Question:
    offered = _OFFERED[name]
    lines = (
        f"{number:>3}  {each}: {what}" for number, (each, what) in enumerate(offered.items(), 1)
    )
    return Question(
        key(relationship, name),
        PART,
        "\n".join([_ASKED[name], *lines]),
        _MEANS[name],
        more=_MORE[name],
        read=Choices(tuple(offered)),
        only_here=True,
    )


def _sentence(answers: Answers, relationship: Relationship) -> Question:
    made, weak = sentence(answers, relationship), against(answers, relationship)
    means = (
        "Your answers make the sentence below. Enter keeps it, or type your own. It goes into the "
        'proof; "none" leaves these people out: they are withheld, and not mailed.'
    )
    if weak:
        means = (
            f"Your own answers speak against asking: {' and '.join(weak)}. Better withhold them: "
            "Enter does, and they are not mailed. Whoever asks them all the same writes why here."
        )
    return Question(
        f"policy.reasons.{relationship}",
        PART,
        f"Why may you ask {PEOPLE[relationship]}?",
        means,
        more="You need a legitimate interest that their own do not outweigh (GDPR art. 6(1)(f)). "
        + (f"Your answers would make: {made}" if made else ""),
        default="" if weak or not made else made,
        open_as="none",
    )
