"""The commented example of the config, with values filled in: what is read is what was meant."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.cli.configtext import Filling, filled, literal
from repermit.config import Config, read
from repermit.domain.policy import CAN_BE_ASKED
from repermit.runtime import example_config

EXAMPLE = example_config()
# Whatever a person may write: quotes, backslashes, hashes, brackets, emoji, other scripts.
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")) | st.sampled_from("\"'\\#[]=é€😀"),
    min_size=1,
    max_size=60,
).filter(lambda text: text == text.strip())
SEVERAL_LINES = st.lists(TEXT, min_size=1, max_size=3).map("\n".join)


def written(values: dict[str, Any], **remarks: list[str]) -> Config:
    """Return the config that is read from the example with those values."""
    return read(filled(EXAMPLE, Filling(values, remarks)), path=Path("/srv/garden/config.toml"))


def comments(text: str) -> list[str]:
    """Return the lines that explain."""
    return [line for line in text.split("\n") if line.startswith("# ")]


@given(TEXT, SEVERAL_LINES, TEXT, SEVERAL_LINES)
def test_a_text_is_read_as_it_was_written(
    name: str, address: str, purpose: str, reason: str
) -> None:
    config = written(
        {
            "campaign.languages": ["nl", "de"],
            "controller.name": name,
            "controller.postal_address": address,
            "purposes[1].id": "news",
            "purposes[1].text.nl": purpose,
            "purposes[1].text.de": name,
            "purposes[1].frequency.nl": purpose,
            "purposes[1].frequency.de": name,
            "policy.reasons.company_mailbox": reason,
        }
    )

    assert config.controller.name == name
    assert config.controller.postal_address == address
    assert dict(config.purposes[0].text) == {"nl": purpose, "de": name}
    assert dict(config.purposes[0].frequency) == {"nl": purpose, "de": name}
    assert config.policy.reasons["company_mailbox"] == reason


@given(st.text())
def test_whatever_a_text_holds_it_is_toml(text: str) -> None:
    """Also what the config then refuses, such as a control character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert tomllib.loads(f"key = {literal(text)}") == {"key": text}


@given(st.lists(TEXT), st.integers(), st.booleans(), st.dates())
def test_every_kind_of_value_is_toml(
    texts: list[str], number: int, switch: bool, day: date
) -> None:
    for value in (texts, number, switch, day):
        assert tomllib.loads(f"key = {literal(value)}") == {"key": value}


@given(st.lists(TEXT, max_size=6), st.sampled_from(sorted(CAN_BE_ASKED)))
def test_a_remark_changes_nothing_of_what_is_read(remarks: list[str], of: str) -> None:
    values: dict[str, Any] = {f"policy.reasons.{of}": "They signed up at our stand."}
    filling = Filling(values, {f"policy.reasons.{of}": remarks})

    config = read(filled(EXAMPLE, filling), path=Path("/srv/garden/config.toml"))

    assert config == written(values)


@given(st.integers(1, 20), st.integers(0, 20))
def test_there_are_as_many_purposes_and_firms_as_were_given(purposes: int, firms: int) -> None:
    values: dict[str, Any] = {"campaign.languages": ["nl"]}
    for number in range(1, purposes + 1):
        values |= {
            f"purposes[{number}].id": f"kind-{number}",
            f"purposes[{number}].text.nl": f"soort {number}",
            f"purposes[{number}].frequency.nl": "soms",
        }
    for number in range(1, firms + 1):
        values |= {
            f"processors[{number}].name": f"Firm {number}",
            f"processors[{number}].role": "hosting",
            f"processors[{number}].country": "BE",
        }

    config = written(values)

    assert [each.id for each in config.purposes] == [f"kind-{it}" for it in range(1, purposes + 1)]
    assert [each.name for each in config.processors] == [f"Firm {it}" for it in range(1, firms + 1)]


def test_all_comments_of_the_example_stay() -> None:
    text = filled(
        EXAMPLE,
        Filling(
            {
                "campaign.languages": ["nl"],
                "purposes[1].id": "news",
                "purposes[1].text.nl": "nieuws",
                "purposes[1].frequency.nl": "soms",
                "processors[1].name": "Firm",
                "processors[1].role": "hosting",
                "processors[1].country": "BE",
                "policy.recent_days": 400,
                "relay.envelope_domain": "bounces.tuin.example",
                "policy.reasons.signed_up_no_proof": None,
            }
        ),
    )

    assert comments(text) == comments(EXAMPLE)


def test_nothing_filled_in_is_the_example() -> None:
    assert filled(EXAMPLE, Filling({})) == EXAMPLE


def test_what_is_off_is_a_line_that_can_be_switched_on() -> None:
    text = filled(EXAMPLE, Filling({"controller.registration": None, "controller.dpo": None}))

    assert '\n#registration = "KBO 0123.456.789"\n' in text
    assert '\n#dpo = "An Voorbeeld, dpo@tuinvrienden.example"\n' in text
    assert text.replace("\n#registration", "\nregistration") == EXAMPLE


def test_what_is_off_and_not_there_stays_so() -> None:
    assert filled(EXAMPLE, Filling({"policy.reasons.customer": None})) == EXAMPLE


def test_a_remark_stands_right_before_its_reason() -> None:
    reason = "policy.reasons.signed_up_no_proof"
    text = filled(
        EXAMPLE, Filling({reason: "Because."}, {reason: ["Why? Because of " + "x" * 120]})
    )

    assert f'# Why? Because of\n#   {"x" * 120}\nsigned_up_no_proof = "Because."\n' in text


def test_a_remark_on_a_reason_that_is_off_stands_at_the_end_of_the_table() -> None:
    reason = "policy.reasons.signed_up_no_proof"
    text = filled(EXAMPLE, Filling({reason: None}, {reason: ["Withheld."]}))

    assert text.index("#old_contacts") < text.index("# Withheld.") < text.index("[policy.override]")


def test_a_table_that_is_not_there_is_a_defect() -> None:
    with pytest.raises(KeyError, match="nothing"):
        filled(EXAMPLE, Filling({"nothing.at_all": 1}))
