"""What was read of what came back, in words and as `--json` tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from repermit.cli import aside
from repermit.cli.session import counted, show, show_json, tell

if TYPE_CHECKING:
    from repermit.inbound.handling import Foreseen, Tally
    from repermit.runtime import Runtime

_KINDS = {  # one and many
    "hard": ("dead address", "dead addresses"),
    "temporary": ("put off", "put off"),
    "about_us": ("refused because of us", "refused because of us"),
    "unclear": ("bounce for no reason given", "bounces for no reason given"),
    "delivered": ("delivered", "delivered"),
    "complaint": ("complaint", "complaints"),
    "unsubscribe": ("unsubscribe", "unsubscribes"),
    "no": ("reply that says no", "replies that say no"),
    "yes": ("reply that says yes", "replies that say yes"),
    "other": ("other reply", "other replies"),
    "automatic": ("automatic", "automatic"),
}
_NOBODY = {
    "repeated": ("came again", "came again"),
    "forged": ("forged", "forged"),
    "not_ours": ("not about this campaign", "not about this campaign"),
    "unreadable": ("unreadable", "unreadable"),
}


def content(tally: Tally) -> dict[str, Any]:
    """Return what was done, as `--json` tells it."""
    why = tally.stopped
    return {
        "read": tally.read,
        "by_kind": dict(sorted(tally.by_kind.items())),
        "by_outcome": dict(sorted(tally.by_outcome.items())),
        "quarantined": tally.quarantined,
        "waiting": tally.waiting,
        "stopped": why and {"why": str(why), "way_out": why.hint},
    }


def said(tally: Tally) -> str:
    """Return in a line what was read."""
    return _counts(tally.by_kind, tally.by_outcome)


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
    if moved := tally.by_outcome["settled"] - tally.stops:
        show(f"  {moved:,} moved somebody")
    if tally.stopped:
        tell(str(tally.stopped))
        tell(f"  what to do: {tally.stopped.hint}")
    for text in to_do(tally, runtime):
        tell(text)
    if tally.waiting:
        tell(f"{counted(tally.waiting, 'message')} cannot be handled yet and stay; run it again")


def _counts(by_kind: Counter[str], by_outcome: Counter[str]) -> str:
    settled_nobody = sum(by_outcome[name] for name in _NOBODY)
    total = counted(by_kind.total() + settled_nobody, "message") + " read"
    parts = [", ".join(_words(by_kind, _KINDS))] if by_kind.total() else []
    if settled_nobody:
        parts.append(
            f"{settled_nobody:,} settled nobody ({', '.join(_words(by_outcome, _NOBODY))})"
        )
    return f"{total}: {'; '.join(parts)}" if parts else total


def _words(counts: Counter[str], names: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    return (counted(counts[name], *words) for name, words in names.items() if counts[name])


def show_readings(found: Sequence[Foreseen], *, as_json: bool) -> None:
    """Print how each message would be read, numbered in the order in which they were."""
    messages = [_message(number, each) for number, each in enumerate(found, start=1)]
    by_kind = Counter(str(each["kind"]) for each in messages if each["would"] not in _NOBODY)
    by_outcome = Counter(str(each["would"]) for each in messages)
    if as_json:
        nothing = {"by_outcome": {}, "quarantined": 0, "waiting": len(found), "stopped": None}
        show_json({"read": len(found), "by_kind": dict(by_kind), **nothing, "messages": messages})
        return
    for each in messages:
        show(_line(each))
    show(_counts(by_kind, by_outcome))


def _line(told: dict[str, Any]) -> str:
    kind, status, recipient, why = (told[key] for key in ("kind", "status", "recipient", "why"))
    word = (_NOBODY if kind in _NOBODY else _KINDS)[kind][0]
    code = f" ({status})" if status else ""
    whose = f"recipient {recipient}" if recipient.isdigit() else recipient
    return f"{told['number']}. {word}{code}, {whose}" + (f": {why}" if why else "")


def _message(number: int, foreseen: Foreseen) -> dict[str, Any]:
    """Return how a message is read, without an address; `would` is the outcome, as far as the
    message alone tells it."""
    from repermit.inbound.handling import UNREADABLE, whose, why_of
    from repermit.inbound.reading import Unreadable

    reading = foreseen.reading
    told: dict[str, Any] = {"number": number}
    if isinstance(reading, Unreadable):
        nobody = {"kind": UNREADABLE, "status": "", "recipient": "nobody", "would": UNREADABLE}
        return {**told, **nobody, "why": reading.why}
    whom, why, would = whose(reading), why_of(reading), ""
    if foreseen.writer is not None:
        whom, would = str(foreseen.writer), "listed"
        why = "it names no mail of ours, but came from their address: listed for a person"
    elif why:
        would = "forged" if reading.forged else "not_ours"
    told |= {"kind": str(reading.kind), "status": reading.status, "recipient": whom}
    return {**told, "why": why, "would": would}
