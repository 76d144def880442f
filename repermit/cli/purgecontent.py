"""What a purge says as `--json` tells it: its plan, what it did, why it did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from repermit.cli.session import counted
from repermit.errors import ProofBroken, PurgeRefused

if TYPE_CHECKING:
    from repermit.purge.plan import Plan, Purged, Refusal

_MOST_NAMED = 5
# Of refusals, what a person may know better.
ACCEPTABLE = {"unknown", "outage", "last_hours", "links", "revoked"}


def way_out(intended: Plan, refused: Sequence[Refusal], zone: ZoneInfo) -> str:
    """Return what a person can do about all of *refused*."""
    dates = [each.until for each in refused if each.code in ACCEPTABLE and each.until]
    codes, found = {each.code for each in refused}, []
    if codes - ACCEPTABLE - {"at_most"}:
        found.append("see `repermit purge --dry-run`; docs/purge.md says what to do about each")
    if dates:
        found.append(
            f"wait until {moment_of(max(dates), zone)} at least, and keep the page up, or, if you"
            ' know that people could answer, go on with --accept-outage "how you know"'
        )
    if "at_most" in codes:
        found.append(f"check `repermit purge --dry-run`, then pass --at-most {intended.due}")
    return "; ".join(found)


def when(refusal: Refusal, zone: ZoneInfo) -> str:
    """Return from when it will work, and what that depends on."""
    if refusal.until is None:
        return ""
    if refusal.code in ACCEPTABLE:
        date = moment_of(refusal.until, zone)
        is_said = "--accept-outage" in refusal.text
        way = "" if is_said else "; or --accept-outage REASON"
        return f"; not before {date}, if the page stays up from now on{way}"
    return f"; it will work from {moment_of(refusal.until, zone)}"


def moment_of(moment: datetime, zone: ZoneInfo) -> str:
    """Return *moment* as it is told."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


def refusal_of(intended: Plan, refused: Sequence[Refusal], *, hint: str) -> PurgeRefused:
    """Return the failure of a purge that is refused, with all that its plan says."""
    failure = PurgeRefused(
        [(each.code, each.text, each.until) for each in refused], due=intended.due, hint=hint
    )
    content = planned(intended)
    kept = ("by_reason", "owed", "held", "postponed", "warnings", "readings")
    failure.done = {**{name: content[name] for name in kept}, "report": None}
    return failure


def planned(intended: Plan) -> dict[str, Any]:
    """Return a plan as `--json` tells it."""
    return {
        "due": intended.due,
        "by_reason": dict(intended.by_reason),
        "owed": intended.owed,
        "held": intended.held,
        "postponed": [each.to_json() for each in intended.postponed],
        "purged": 0,
        "lapsing": intended.lapsing,
        "lapsed": 0,
        "refused": [each.to_json() for each in intended.refused],
        "warnings": list(intended.warnings),
        "readings": dict(intended.readings),
        "traces": 0,
        "traced": {},
        "report": None,
    }


def done_content(done: Purged) -> dict[str, Any]:
    """Return what a purge did as `--json` tells it; `report` is the whole of it."""
    readings = done.report.get("readings", {})
    return {
        "due": done.due,
        "by_reason": dict(done.by_reason),
        "owed": done.owed,
        "held": done.held,
        "postponed": readings.get("postponed", []),
        "purged": done.purged,
        "lapsing": 0,
        "lapsed": done.lapsed,
        "refused": [],
        "warnings": [],
        "traces": done.traces,
        "traced": dict(done.traced),
        "report": dict(done.report) or None,
    }


def _named(traced: Mapping[str, int]) -> str:
    """Return the files with traces; what the ledger itself holds is not for anybody to delete."""
    files = [name for name in traced if name != "ledger"]
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    return f"{', '.join(files[:_MOST_NAMED])}{more}" or "nothing, and report this: it is a defect"


def _whom(content: Mapping[str, Any]) -> str:
    """Return how many people can still be read in how many files, each of them once."""
    scan = (content["report"] or {}).get("scan", {})
    if not scan.get("gone") or scan.get("ledger"):
        return f"{counted(content['traces'], 'trace')} of purged people"
    files = counted(len(content["traced"]), "file")
    return f"{counted(scan['gone'], 'purged person', 'purged people')} in {files}"


def require_no_trace(content: Mapping[str, Any], *, command: str = "purge") -> None:
    """Raise ProofBroken when something of a purged person can still be read; *command* looks
    again."""
    if not content["traces"]:
        return
    failure = ProofBroken(
        f"{_whom(content)} can still be read",
        hint=f"delete {_named(content['traced'])}, or those people from it; `repermit"
        f" {command}` then looks again",
    )
    failure.done = dict(content)
    raise failure
