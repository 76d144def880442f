"""Writes the config and the key folder of a new campaign."""

from __future__ import annotations

import json
import re
from pathlib import Path

import typer

from repermit.config import read
from repermit.errors import FileRefused
from repermit.ledger import keys
from repermit.runtime import example_config

# What `init` asks, by table and key of the config.
_QUESTIONS = {
    "campaign.name": "Your own name for this clean-up",
    "controller.name": "The name under which the recipients know you",
    "controller.postal_address": "Where you can be reached by post",
    "controller.email": "Where people write with a question about their data",
    "relay.from": "The sender that people see",
    "relay.url": "The server that sends your mails",
    "web.public_url": "The address of the answer pages as recipients reach it",
}


def ask_answers() -> dict[str, str]:
    """Return what the operator answers, by key; Enter keeps the example."""
    example = example_config()
    return {
        key: typer.prompt(question, default=_value(example, key), err=True)
        for key, question in _QUESTIONS.items()
    }


def write_campaign(folder: Path, answers: dict[str, str]) -> None:
    """Write config.toml and the key folder into *folder*, both or none.

    Raises: FileRefused when there is a config already; ConfigInvalid when an answer does not
    fit; KeysUnusable when the folder is synchronised elsewhere.
    """
    target = folder / "config.toml"
    if target.exists():
        raise FileRefused(
            f"{target} exists already", hint="edit it, or name another folder: `repermit init DIR`"
        )
    text = example_config()
    for key, answer in answers.items():
        text = _filled(text, key, answer)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config = read(text, path=target)
        keys.create(config.keys_dir)
        target.write_text(text, "utf-8")
    except OSError as failure:
        raise FileRefused(
            f"{folder} cannot be written ({failure.strerror})", hint="name another folder"
        ) from failure


def _filled(text: str, key: str, answer: str) -> str:
    found = _line(key).search(text)
    if found is None:
        raise KeyError(key)
    return text[: found.start(2)] + json.dumps(answer, ensure_ascii=False) + text[found.end(2) :]


def _value(text: str, key: str) -> str:
    found = _line(key).search(text)
    return str(json.loads(found[2])) if found else ""


def _line(key: str) -> re.Pattern[str]:
    """Return what finds `key = "value"` in its table; group 1 ends before the value."""
    table, _, name = key.rpartition(".")
    return re.compile(
        rf'(^\[{table}\]$(?:(?!^\[).)*?^{name} = )("(?:[^"\\]|\\.)*")', re.MULTILINE | re.DOTALL
    )
