"""How fast mails may leave, and when: the caps of each provider, the hours of a day."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType

from repermit.domain.provider import DEFAULT_CAPS, PROVIDERS, Cap, Caps

_CAP = re.compile(r"(?P<mails>[1-9]\d{0,8})\s*/\s*(?P<per>hour|day)")
_CAP_HOURS = {"hour": 1, "day": 24}
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")


def caps(value: object) -> Caps:
    """Return the caps of each provider: those of the release, where the file says nothing."""
    if not isinstance(value, Mapping):
        raise ValueError("is not a table")
    found = dict(DEFAULT_CAPS)
    for name, text in value.items():
        if name not in PROVIDERS:
            near = difflib.get_close_matches(name, PROVIDERS, n=1)
            known = f"did you mean {near[0]}?" if near else f"known are {', '.join(PROVIDERS)}"
            raise ValueError(f"names a provider that is not known ({known})")
        found[name] = _caps_of(text)
    return MappingProxyType({name: each for name, each in found.items() if each})


def _caps_of(text: object) -> tuple[Cap, ...]:
    if not isinstance(text, str):
        raise ValueError("holds a cap that is not a text in quotes")
    parts = [] if text.strip() == "none" else [part.strip() for part in text.split(",")]
    found = [_CAP.fullmatch(part) for part in parts]
    if not all(found):
        raise ValueError("holds a cap that is not written the right way")
    return tuple(Cap(int(part["mails"]), _CAP_HOURS[part["per"]]) for part in found if part)


def wall_hours(value: object) -> tuple[dt.time, dt.time] | None:
    """Return the beginning and the end of the hours in which mails may leave."""
    if not isinstance(value, str):
        raise ValueError("is not a text in quotes")
    if not value.strip():
        return None
    parts = _HOURS.fullmatch(value.strip())
    if parts is None:
        raise ValueError("is no span of hours")
    start, end = (dt.time(int(parts[at]), int(parts[at + 1])) for at in (1, 3))
    if start == end:
        raise ValueError("is empty")
    return start, end
