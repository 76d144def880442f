"""Several campaigns at one look: a line each, and whose turn it is. One that is broken hides none
of the others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repermit.cli.next_step import when
from repermit.cli.session import Session, plain, run, show, show_json, tell, unforeseen
from repermit.domain.clock import Clock
from repermit.errors import CampaignsBroken, RepermitError

if TYPE_CHECKING:
    from repermit.cli.glance import Glance

_AT_ONCE = 8  # campaigns that are read beside each other: one may be slow
_HEADER = (
    *("folder", "campaign", "stands", "asked", "yes", "no", "silent"),
    *("deadline", "wrong", "next"),
)
_NUMBERS = frozenset({"asked", "yes", "no", "silent"})


@dataclass(frozen=True)
class _Seen:
    """One campaign, by what was given for it; `glance` None: `failure` says why."""

    place: str
    glance: Glance | None = None
    failure: RepermitError | None = None


def show_campaigns(session: Session, places: Sequence[Path], *, as_json: bool) -> None:
    """Show a line for each of *places*, folders or configs.

    Raises: CampaignsBroken, after all lines, when one of them cannot be read.
    """
    with ThreadPoolExecutor(_AT_ONCE) as beside:
        seen = list(beside.map(lambda place: _look(place, session.clock), places))
    broken = [each for each in seen if each.failure]
    content = {"campaigns": [_facts(each) for each in seen]}
    if not as_json:
        for line in _table(seen):
            show(plain(line))
        for each in broken:
            tell(plain(f"{each.place}: {each.failure}"))
            tell(plain(f"  what to do: {each.failure.hint if each.failure else ''}"))
    if broken:
        failure = CampaignsBroken([each.place for each in broken], of=len(seen))
        failure.done = content
        raise failure
    if as_json:
        show_json(content)


def _look(place: Path, clock: Clock) -> _Seen:
    from repermit.cli.situation import campaign_at, glance

    config = place / "config.toml" if place.is_dir() else place
    try:
        return _Seen(str(place), run(glance(campaign_at(config, clock))))
    except RepermitError as failure:
        return _Seen(str(place), failure=failure)
    except Exception as defect:  # noqa: BLE001 - the others are shown all the same
        return _Seen(str(place), failure=unforeseen(defect))


def _facts(seen: _Seen) -> dict[str, Any]:
    from repermit.cli.glance import facts

    if seen.failure:
        why = {"error": str(seen.failure), "hint": seen.failure.hint, **seen.failure.details()}
        return {"place": seen.place, **why}
    return {"place": seen.place, **(facts(seen.glance) if seen.glance else {})}


def _table(seen: Sequence[_Seen]) -> list[str]:
    """Return a header and a line each, in columns."""
    rows = [_HEADER, *map(_row, seen)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(_HEADER))]
    return ["  ".join(_cells(row, widths)).rstrip() for row in rows]


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
        for name, cell, width in zip(_HEADER, row, widths, strict=True)
    ]


def _row(seen: _Seen) -> tuple[str, ...]:
    from repermit.domain.deadline import last_day

    if seen.glance is None:
        return (seen.place, "-", "cannot be read", *["-"] * 5, "see below", "-")
    found, step = seen.glance, seen.glance.step
    zone, due = found.runtime.config.campaign.zone, found.situation.first_due
    start = f"from {when(step.after, zone)}: " if step.after else ""
    return (
        *(seen.place, found.name, step.stands, *(f"{count:,}" for count in found.counts)),
        str(last_day(due, zone=zone)) if due else "-",
        ", ".join(each.short for each in found.faults) or "-",
        f"{start}{step.command}",
    )
