"""What was read of what came back, in words and as `--json` tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from repermit.cli import aside
from repermit.cli.session import counted, show, show_json, tell

if TYPE_CHECKING:
    from repermit.inbound.handling import Tally
    from repermit.inbound.reading import Reading, Unreadable
    from repermit.runtime import Runtime

_KINDS = {
    "hard": "dead addresses",
    "temporary": "put off",
    "about_us": "refused because of us",
    "unclear": "bounces for no reason given",
    "delivered": "delivered",
    "complaint": "complaints",
    "unsubscribe": "unsubscribes",
    "no": "replies that say no",
    "yes": "replies that say yes",
    "other": "other replies",
    "automatic": "automatic",
    "unreadable": "unreadable",
}


def content(tally: Tally) -> dict[str, Any]:
    """Return what was done, as `--json` tells it."""
    return {
        "read": tally.read,
        "by_kind": dict(sorted(tally.by_kind.items())),
        "by_outcome": dict(sorted(tally.by_outcome.items())),
        "quarantined": tally.quarantined,
        "waiting": tally.waiting,
    }


def said(tally: Tally) -> str:
    """Return in a line what was read."""
    return _counts(tally.by_kind)


def to_do(tally: Tally, runtime: Runtime) -> Iterator[str]:
    """Yield what a person must do about what was read."""
    from repermit.inbound.imap import QUARANTINE

    if listed := tally.by_outcome["listed"]:
        wait = counted(listed, "reply waits", "replies wait")
        yield f"{wait} for a person: `repermit inbound review`"
    if tally.quarantined:
        count = counted(tally.quarantined, "message")
        yield f"{count} put into quarantine, {aside.WHAT}"
    if tally.on_server:
        yield f"  {tally.on_server:,} of them into the folder {QUARANTINE} of the mailbox"
    if text := aside.line(aside.quarantined(runtime)):
        yield text


def show_tally(tally: Tally, runtime: Runtime) -> None:
    """Print what was done, and what a person must do."""
    show(said(tally))
    outcomes = tally.by_outcome
    if outcomes["settled"] or outcomes["repeated"]:
        show(f"  {outcomes['settled']:,} moved somebody; {outcomes['repeated']:,} came again")
    for text in to_do(tally, runtime):
        tell(text)
    if tally.waiting:
        tell(f"{counted(tally.waiting, 'message')} cannot be handled yet and stay; run it again")


def _counts(by_kind: Counter[str]) -> str:
    total = counted(by_kind.total(), "message") + " read"
    parts = [f"{by_kind[kind]:,} {words}" for kind, words in _KINDS.items() if by_kind[kind]]
    return f"{total}: {', '.join(parts)}" if parts else total


def show_readings(found: list[Reading | Unreadable], *, as_json: bool) -> None:
    """Print how each message would be read."""
    messages = [_message(each) for each in found]
    by_kind = Counter(each["kind"] for each in messages)
    if as_json:
        nothing: dict[str, Any] = {"by_outcome": {}, "quarantined": 0, "waiting": len(found)}
        show_json({"read": len(found), "by_kind": dict(by_kind), **nothing, "messages": messages})
        return
    for each in messages:
        words = (each["kind"], each["status"] or "", each["recipient"], each["why"])
        show("  ".join(word for word in words if word))
    show(_counts(by_kind))


def _message(reading: Reading | Unreadable) -> dict[str, str]:
    """Return how a message is read, without an address."""
    from repermit.inbound.handling import whose, why_of
    from repermit.inbound.reading import Unreadable

    if isinstance(reading, Unreadable):
        return {"kind": "unreadable", "status": "", "recipient": "nobody", "why": reading.why}
    return {
        "kind": str(reading.kind),
        "status": reading.status,
        "recipient": whose(reading),
        "why": why_of(reading),
    }
