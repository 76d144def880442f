"""What came back, as `status` tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from repermit.cli.session import counted
from repermit.domain.clock import iso

if TYPE_CHECKING:
    from repermit.ledger.store.caps import Day
    from repermit.ledger.store.returns import Returns

_NAMES = {"complaint": "complaints"}  # of kinds, where the key is another
_STRANGE = ("forged", "not_ours")
_WORDS = {
    "hard": "to dead addresses",
    "temporary": "put off",
    "about_us": "because of us",
    "unclear": "unclear",
    "delivered": "delivered",
    "complaints": "complained",
    "unsubscribe": "unsubscribed",
    "no": "said no",
    "yes": "said yes, which is no answer",
    "other": "wrote something else",
    "automatic": "automatic",
    "forged": "forged",
    "not_ours": "not about this campaign",
    "check": "of mails with which `repermit check` tried it",
}


def to_json(found: Returns) -> dict[str, Any]:
    """Return what came back as `--json` tells it: messages since the begin, and what was counted
    by provider within the last 24 hours ("others": one of many)."""
    from repermit.inbound.reading import Kind
    from repermit.inbound.settle import TRIAL

    return {
        "read": found.read,
        "last": iso(found.last),
        "waiting_replies": found.waiting_replies,
        **{_NAMES.get(kind, str(kind)): found.kinds.get(kind, 0) for kind in Kind},
        **{name: found.strange.get(name, 0) for name in _STRANGE},
        TRIAL: found.kinds.get(TRIAL, 0),
        "last_24_hours": {name or "others": _day(day) for name, day in found.providers.items()},
    }


def _day(day: Day) -> dict[str, int]:
    return {
        "mails": day.mails,
        "hard": day.hard,
        "temporary": day.temporary,
        "about_us": day.about_us,
        "complaints": day.complaints,
    }


def lines(content: dict[str, Any], *, is_configured: bool) -> Iterator[str]:
    """Yield the same in words; nothing where nothing is to come in and nothing has."""
    if not (is_configured or content["last"]):
        return
    if content["last"] is None:
        yield "came back: never read; `repermit inbound` does it"
        return
    told = [f"{content[name]:,} {words}" for name, words in _WORDS.items() if content[name]]
    what = f"{counted(content['read'], 'message')}, last read {content['last']}"
    yield f"came back: {what}{': ' if told else ''}{', '.join(told)}"
    if waiting := content["waiting_replies"]:
        wait = counted(waiting, "reply waits", "replies wait")
        yield f"{wait} for a person: `repermit inbound review`"
    for name, day in content["last_24_hours"].items():
        back = [f"{day[key]:,} {_WORDS[key]}" for key in list(day)[1:] if day[key]]
        if back:
            left = counted(day["mails"], "mail")
            yield f"  {name}, last 24 hours, with `--csv`: {left} left; {', '.join(back)}"
