"""What the configs of two machines of one campaign are compared by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from repermit.config.file import Config

# Which relay takes its mails, over how many connections, is each machine's own.
_RELAY: Final = {
    *("from_", "reply_to", "per_second", "caps", "hours", "waves", "watch_hours"),
    *("stop_bounce_percent", "stop_complaints", "give_up_hours", "envelope_domain"),
    "dkim_selector",
}
_WEB: Final = {"public_url", "origin_days"}
_DIGITS: Final = 16


def config_facts(config: Config) -> dict[str, str]:
    """Return, by its name, the fingerprint of each table that must be the same on every machine:
    what decides who is asked what, how fast, and what becomes of it. Where this machine listens,
    reads mail and keeps its files is its own."""
    parts: dict[str, Any] = {
        "[campaign]": config.campaign,
        "[controller]": config.controller,
        "[[purposes]]": config.purposes,
        "[policy]": config.policy,
        "[relay]": {name: getattr(config.relay, name) for name in _RELAY},
        "[web]": {name: getattr(config.web, name) for name in _WEB},
        "[purge]": config.purge,
        "[[processors]]": config.processors,
    }
    return {name: _fingerprint(_plain(part)) for name, part in parts.items()}


def _fingerprint(part: Any) -> str:
    return sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def _plain(value: Any) -> Any:
    """Return *value* as JSON can have it; of a file that is named, the content."""
    if isinstance(value, BaseModel):
        value = dict(iter(value))
    elif is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Path):
        return _content(value)
    return value if isinstance(value, int | float | None) else str(value)


def _content(path: Path) -> str | None:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
