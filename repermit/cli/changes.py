"""What has changed since an approval was given, in words: what it was and what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from repermit.ledger.tables import Approval

_LONGEST = 60  # characters of a value that is quoted
_WORDS = {"mail": "the mail", "page": "the answer page"}
_KEYS = {
    "campaign": "campaign.name",
    "offers_reason": "campaign.offers_reason",
    "answer_days": "campaign.answer_days",
    "timezone": "campaign.timezone",
    "sender": "relay.from or relay.reply_to",
    "public_url": "web.public_url",
    "release": "the release of repermit",
}
_HASHED = frozenset({"sender"})


def changes(given: Approval, facts: Mapping[str, Any]) -> list[str]:
    """Return each thing that is no longer as it was approved."""
    return list(_changes(json.loads(given.facts), facts))


def came_from(added: Mapping[int | None, int]) -> str:
    """Return where people come from who were listed since, with how many: "import 2: 12"."""
    return ", ".join(
        f"{'a screening' if number is None else f'import {number}'}: {count:,}"
        for number, count in added.items()
    )


def _changes(approved: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        was = approved.get(name)
        if was == value:
            continue
        if name in _WORDS:
            languages = _differing(was, value)
            yield f"{_WORDS[name]} ({', '.join(languages)})"
        elif name == "policy":
            yield from _policy(was if isinstance(was, Mapping) else {}, value)
        elif name == "controller":
            yield from _keyed(name, was if isinstance(was, Mapping) else {}, value)
        elif name == "purposes":
            yield from _purposes(was or [], value)
        elif name in _HASHED:
            yield _KEYS[name]
        else:
            yield f"{_KEYS.get(name, name)} was {_quoted(was)}, is {_quoted(value)}"


def _policy(approved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name, value in now.items():
        was = approved.get(name)
        if was == value:
            continue
        if isinstance(value, Mapping) and isinstance(was, Mapping):
            yield from _keyed(f"policy.{name}", was, value)
        else:
            yield f"policy.{name} was {_quoted(was)}, is {_quoted(value)}"


def _purposes(approved: list[Mapping[str, Any]], now: list[Mapping[str, Any]]) -> Iterator[str]:
    """Tell which purposes there were and are, if they are others, and the words of each that
    still is there."""
    were, are = ([each["id"] for each in some] for some in (approved, now))
    if were != are:
        yield f"purposes was {_quoted(were)}, is {_quoted(are)}"
    known = {each["id"]: each for each in approved}
    for each in now:
        was = known.get(each["id"], each)
        for name in ("text", "frequency"):
            yield from _keyed(f"purposes.{each['id']}.{name}", was[name], each[name])


def _keyed(name: str, was: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[str]:
    for key in _differing(was, value):
        yield f"{name}.{key} was {_quoted(was.get(key))}, is {_quoted(value.get(key))}"


def _differing(one: Any, other: Any) -> list[str]:
    """Return the keys under which two mappings differ; "all" when they cannot be compared."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return ["all"]
    return sorted(key for key in {*one, *other} if one.get(key) != other.get(key))


def _quoted(value: Any) -> str:
    if value is None:
        return "not there"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f'"{text}"' if isinstance(value, str) else text
