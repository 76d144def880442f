"""Writes the config and the key folder of a new campaign."""

from __future__ import annotations

import json
import re
from pathlib import Path

import typer

from repermit.config import read
from repermit.errors import ConfigInvalid, FileRefused
from repermit.ledger import keys
from repermit.runtime import example_config

# What `init` asks, by table and key of the config.
_QUESTIONS = {
    "campaign.name": "Your own name for this clean-up",
    "controller.name": "The name under which the recipients know you",
    "controller.postal_address": "Where you can be reached by post",
    "controller.registration": "Your number in the register of companies or associations",
    "controller.email": "Where people write with a question about their data",
    "controller.privacy_url": "The web address of your privacy notice",
    "controller.authority": "The supervisory authority to which people may complain",
    "policy.reasons.signed_up_no_proof": "Why you may ask those who signed up, but whose proof is "
    "gone",
    "relay.from": "The sender that people see",
    "relay.url": "The server that sends your mails",
    "web.public_url": "The address of the answer pages as recipients reach it",
}


def ask_answers(target: Path) -> dict[str, str]:
    """Return what the operator answers, by key; Enter keeps the example, and what does not fit
    is asked again."""
    answers: dict[str, str] = {}
    for key, question in _QUESTIONS.items():
        default = _value(example_config(), key)
        while key not in answers:
            answer = typer.prompt(question, default=default, err=True)
            try:
                read(_filled(example_config(), key, answer), path=target)
            except ConfigInvalid as failure:
                typer.echo(f"  {failure.problems[0].partition(': ')[2]}", err=True)
            else:
                answers[key] = answer
    return answers


def require_new(folder: Path) -> Path:
    """Return where the config goes. Raises: FileRefused when there is one already."""
    target = folder / "config.toml"
    if target.exists():
        raise FileRefused(
            f"{target} exists already", hint="edit it, or name another folder: `repermit init DIR`"
        )
    return target


def left_as_in_the_example(path: Path) -> list[str]:
    """Return the keys of the config at *path* that name somebody and still say what the example
    says."""
    text, example = path.read_text("utf-8"), example_config()
    asked = [key for key in _QUESTIONS if key not in ("campaign.name", "relay.url")]
    return [key for key in asked if _value(text, key) == _value(example, key) != ""]


def write_campaign(folder: Path, answers: dict[str, str]) -> None:
    """Write the key folder and config.toml into *folder*.

    Raises: FileRefused when there is a config already; ConfigInvalid when an answer does not
    fit; KeysUnusable when the folder is synchronised elsewhere.
    """
    target, text = require_new(folder), example_config()
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
        rf'(^\[{re.escape(table)}\]$(?:(?!^\[).)*?^{name} = )("(?:[^"\\]|\\.)*")',
        re.MULTILINE | re.DOTALL,
    )
