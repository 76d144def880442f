"""The balancing: four questions, the sentence that they make, and what speaks against asking."""

from __future__ import annotations

from itertools import product

import pytest

from repermit.cli.interview import balance
from repermit.cli.interview.question import Choices
from repermit.domain.relationship import Relationship
from tests.cli.interview.builders import BALANCED, TODAY, answers_of, config_of, text_of

SIGNED_UP = Relationship.SIGNED_UP_NO_PROOF
REASON = f"policy.reasons.{SIGNED_UP}"
_SAID = dict(pair.split("=") for pair in BALANCED)


def changed(**said: str) -> list[str]:
    """Return the four answers with some of them otherwise."""
    own = {balance.key(SIGNED_UP, name): what for name, what in said.items()}
    return [f"{key}={what}" for key, what in {**_SAID, **own}.items()]


def test_the_four_answers_make_the_reason() -> None:
    assert config_of(*BALANCED).policy.reasons[SIGNED_UP] == (
        "The forms were lost in 2021. They would expect a mail from us. Their last contact with us "
        "was one to three years ago. One mail that they answer with one press does them no harm."
    )


def test_a_sentence_that_ends_keeps_its_end() -> None:
    made = balance.sentence(answers_of(*changed(why="Was it lost?")), SIGNED_UP)
    assert made.startswith("Was it lost? They would")


@pytest.mark.parametrize(
    ("said", "against"),
    [
        ({"expected": "no"}, "they would not expect it"),
        ({"harm": "serious"}, "it could do serious harm"),
        (
            {"expected": "no", "harm": "serious"},
            "they would not expect it and it could do serious harm",
        ),
    ],
)
def test_weak_answers_speak_against_asking_and_withhold(said: dict[str, str], against: str) -> None:
    answers = answers_of(*changed(**said))
    *_, asked = balance.questions(answers, SIGNED_UP)

    assert f"speak against asking: {against}." in " ".join(asked.means.split())
    assert "Better withhold them" in asked.means
    assert (asked.key, asked.default) == (REASON, "")
    assert SIGNED_UP not in config_of(*changed(**said)).policy.reasons


def test_whoever_asks_all_the_same_writes_why() -> None:
    config = config_of(*changed(expected="no"), f"{REASON}=The court told us to.")
    assert config.policy.reasons[SIGNED_UP] == "The court told us to."


def test_the_answers_stand_beside_the_reason_as_comments() -> None:
    before = text_of(*BALANCED).partition("\nsigned_up_no_proof = ")[0]

    assert before.endswith(
        "\n# The balancing for those who signed up, but whose proof is gone:\n"
        "# Why do you need to ask them, rather than let them go? the forms were lost in 2021\n"
        "# Would they expect a mail from you? yes\n"
        "# How long ago was the last contact with them? 1-to-3-years\n"
        "# What harm could a mail do to them? none"
    )


def test_they_stay_where_no_reason_is_kept() -> None:
    text = text_of(*changed(harm="serious"))

    assert "# What harm could a mail do to them? serious\n# No reason was kept" in text
    assert "\n#signed_up_no_proof = " in text


@pytest.mark.parametrize("contact", ["over-3-years", "unknown"])
def test_an_old_contact_needs_one_more_sentence(contact: str) -> None:
    key = "policy.reasons.old_contacts"

    config = config_of(*changed(contact=contact), f"{key}=They got our programme by post.")

    assert config.policy.reasons["old_contacts"] == "They got our programme by post."
    assert key not in answers_of(*BALANCED)


def test_nobody_is_asked_about_old_contacts_of_people_who_are_withheld() -> None:
    answers = answers_of(*changed(contact="unknown", expected="no"))
    assert "policy.reasons.old_contacts" not in answers


def test_every_combination_of_choices_makes_a_sentence() -> None:
    asked = list(balance.questions({}, SIGNED_UP))[1:4]
    offered = [one.read.names for one in asked if isinstance(one.read, Choices)]

    made = {
        balance.sentence(
            {**_SAID, **dict(zip([one.key for one in asked], chosen, strict=True))}, SIGNED_UP
        )
        for chosen in product(*offered)
    }

    assert len(made) == 3 * 4 * 3
    assert "" not in made


def test_without_all_four_there_is_no_sentence() -> None:
    assert balance.sentence({**_SAID, balance.key(SIGNED_UP, "why"): ""}, SIGNED_UP) == ""
    assert balance.remarks({}, SIGNED_UP) == []


def test_people_whom_the_table_never_asks_have_a_reason_only_if_the_operator_wants_one() -> None:
    has = "relationships=customer, signed_up_no_proof"

    assert answers_of(has)["balance.customer"] == "no"
    assert "balance.customer.why" not in answers_of(has)
    assert "balance.customer.why" in answers_of(has, "balance.customer=yes")
    config = config_of(has, "policy.reasons.customer=They buy each spring.")
    assert config.policy.reasons["customer"] == "They buy each spring."


@pytest.mark.parametrize("never", ["bought_or_unknown", "unfinished_form", "signed_up_with_proof"])
def test_people_who_can_never_be_asked_need_no_balancing(never: str) -> None:
    assert not [key for key in answers_of(f"relationships={never}") if key.startswith("balance")]
    assert dict(config_of(f"relationships={never}").policy.reasons) == {}


def test_today_is_when_the_table_was_accepted() -> None:
    accepted = config_of("policy.accepted_by=An Peeters").policy
    assert (accepted.accepted_by, accepted.accepted_on) == ("An Peeters", TODAY)
