"""Answers to all questions, for tests."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from repermit.cli.configtext import filled
from repermit.cli.interview.options import answered, given_answers
from repermit.cli.interview.order import filling
from repermit.config import Config, read
from repermit.runtime import example_config

TODAY = date(2026, 11, 22)
TARGET = Path("/srv/garden/config.toml")
BALANCED = (
    "balance.signed_up_no_proof.why=the forms were lost in 2021",
    "balance.signed_up_no_proof.expected=yes",
    "balance.signed_up_no_proof.contact=1-to-3-years",
    "balance.signed_up_no_proof.harm=none",
)


def answers_of(*pairs: str) -> dict[str, str]:
    """Return every answer: those of *pairs*, else as Enter would."""
    return answered(given_answers(pairs), target=TARGET, today=TODAY)


def text_of(*pairs: str) -> str:
    """Return the config that those answers write."""
    return filled(example_config(), filling(answers_of(*pairs)))


def config_of(*pairs: str) -> Config:
    """Return the same as it is read."""
    return read(text_of(*pairs), path=TARGET)
