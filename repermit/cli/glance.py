"""What is told of a campaign at a glance: how many said what, what is wrong, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from repermit.domain.clock import iso
from repermit.domain.fault import Fault, faults
from repermit.domain.outcome import Outcome
from repermit.domain.situation import Situation
from repermit.domain.step import Step, next_step

if TYPE_CHECKING:
    from repermit.ledger.store.campaign import Figures
    from repermit.runtime import Runtime


class Counts(NamedTuple):
    """Of those who are on file, as a report counts them: who had a mail, or may have had it, who
    said what, and who said nothing."""

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
    def faults(self) -> list[Fault]:
        """Return everything that is wrong, and what to do about it."""
        return faults(self.situation)

    @property
    def counts(self) -> Counts:
        """Return the figures that one looks for first."""
        if self.figures is None:
            return Counts(0, 0, 0, 0)
        from repermit.ledger.store.tally import asked_of

        found = self.figures.outcomes
        said = (found[name] for name in (Outcome.YES, Outcome.NO, Outcome.SILENT))
        return Counts(asked_of(found), *said)


def facts(found: Glance) -> dict[str, Any]:
    """Return JSON-ready facts of *found*."""
    figures, step = found.figures, found.step
    return {
        "campaign": figures.campaign if figures else None,
        "name": found.name,
        "stands": step.stands,
        **found.counts._asdict(),
        "next_deadline": iso(found.situation.first_due),
        "wrong": [each.short for each in found.faults],
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
