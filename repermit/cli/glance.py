"""What is told of a campaign at a glance: how many said what, what is wrong, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from repermit.domain.clock import iso
from repermit.domain.situation import Approval, Situation
from repermit.domain.step import Step, next_step

if TYPE_CHECKING:
    from repermit.ledger.store.campaign import Figures
    from repermit.runtime import Runtime


class Counts(NamedTuple):
    """Of those who are on file: who had a mail, who said what, and who said nothing."""

    asked: int
    yes: int
    no: int
    silent: int


@dataclass(frozen=True)
class Glance:
    """One campaign at one moment; without *figures* there is no ledger yet."""

    runtime: Runtime
    situation: Situation
    figures: Figures | None = None

    @property
    def name(self) -> str:
        """Return what the operator calls the campaign."""
        return self.runtime.config.campaign.name

    @property
    def step(self) -> Step:
        """Return what comes next."""
        return next_step(self.situation)

    @property
    def counts(self) -> Counts:
        """Return the figures that one looks for first."""
        if self.figures is None:
            return Counts(0, 0, 0, 0)
        found = self.figures.standings
        yes, no = found["opted_in"], found["opted_out"]
        silent = found["asked"] + found["doubtful"] + found["claimed"]
        return Counts(yes + no + silent + found["undeliverable"], yes, no, silent)


def at_fault(situation: Situation) -> list[str]:
    """Return in a word or two each thing that is wrong."""
    found = {
        "paused": situation.is_paused,
        "stopped by itself": bool(situation.why_stopped),
        "approval void": situation.approval is Approval.VOID,
        "page not seen": bool(situation.has_asked and situation.open) and not situation.is_page_up,
        "purge cut off": situation.is_purge_cut_off,
        "import cut off": situation.is_importing,
        f"{situation.doubtful:,} doubtful": situation.doubtful > 0,
        "bounces not read": situation.is_unread,
        f"{situation.replies:,} to read": situation.replies > 0,
    }
    return [text for text, holds in found.items() if holds]


def facts(found: Glance) -> dict[str, Any]:
    """Return JSON-ready facts of *found*."""
    figures, step = found.figures, found.step
    return {
        "campaign": figures.campaign if figures else None,
        "name": found.name,
        "stands": step.stands,
        **found.counts._asdict(),
        "next_deadline": iso(found.situation.first_due),
        "wrong": at_fault(found.situation),
        "next": step_facts(step),
    }


def step_facts(step: Step) -> dict[str, Any]:
    """Return JSON-ready facts of *step*."""
    return {
        "code": step.code,
        "command": step.command,
        "why": step.why,
        "first": step.first or None,
        "then": step.then or None,
        "from": iso(step.after),
        "meanwhile": list(step.meanwhile),
    }
