"""What `close` does: decides on whoever is left, closes, and leaves the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from repermit.cli.elsewhere import place_json
from repermit.cli.session import counted, is_terminal, tell
from repermit.domain.clock import iso
from repermit.domain.deadline import last_day
from repermit.domain.due import BY_CLOSE, Reason
from repermit.errors import ProofBroken

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.closing import Ending, Obstacle
    from repermit.ledger.store.due import Terms
    from repermit.runtime import Runtime

_WHO = {
    Reason.WITHHELD: "whom the policy forbids to ask",
    Reason.NEVER_SENT: "to whom no mail has left",
}


@dataclass(frozen=True)
class Decisions:
    """What a person has decided on who is left: how many of each class go, and who stays."""

    erase: Mapping[str, int]
    keep: frozenset[str]

    def against(self, ending: Ending) -> list[Obstacle]:
        """Return what is wrong with the decisions on those of whom *ending* waits for one."""
        from repermit.ledger.store.closing import Obstacle

        found = []
        for name, count in ending.undecided.items():
            who = f"{_who(ending, name)} ({name})"
            if name not in self.erase and name not in self.keep:
                text = f"nobody has decided on {who}: --erase {name}={count}, or --keep {name}"
                found.append(Obstacle("undecided", text))
            elif self.erase.get(name, count) != count:
                text = f"{who}, not {self.erase[name]:,}: --erase {name}={count} if that is right"
                found.append(Obstacle("count", text))
        return found


async def close_campaign(
    runtime: Runtime, by: str, decisions: Decisions, say: Callable[[str], None]
) -> dict[str, Any]:
    """End the campaign and return what was decided, as `--json` tells it.

    Raises: CloseRefused with every reason; PurgeRefused; ProofBroken; FileRefused.
    Crash: run it again, it goes on; who is erased is erased, and the campaign is closed only when
    everybody is decided on. A bundle that was not made then is made.
    """
    from repermit.ledger.store import closing, places

    async with runtime.ledger() as ledger:
        await close_ledger(runtime, ledger, by, decisions, say)
        has_evidence = await ledger.read(closing.has_evidence)
        known, said = await ledger.read(places.places), await ledger.read(closing.said)
    evidence = None if has_evidence else await _leave_evidence(runtime)
    return {**said, "evidence": evidence, "elsewhere": list(map(place_json, known))}


async def close_ledger(
    runtime: Runtime, ledger: Ledger, by: str, decisions: Decisions, say: Callable[[str], None]
) -> None:
    """Do all of that but for the evidence; nothing once the campaign is closed."""
    from repermit.dispatch.recover import recover, recover_owed
    from repermit.ledger.store import closing
    from repermit.ledger.store.present import closed_at

    if since := await ledger.read(closed_at):
        say(f"It is closed since {iso(since)}.")
        return
    await recover(ledger)
    await recover_owed(ledger)
    found = await ledger.read(closing.ending, _terms(runtime))
    asks = is_terminal() and not (decisions.erase or decisions.keep)
    wrong = [] if asks or found.resumes else decisions.against(found)
    zone = runtime.config.campaign.zone
    closing.require_none([*(_dated(each, zone) for each in found.obstacles), *wrong])
    (await ledger.verified()).require()
    if found.resumes:
        say("An earlier `close` was cut off while it erased: that is finished first.")
        await _erase(runtime, ledger, BY_CLOSE, by, None, say)
        found = await ledger.read(closing.ending, _terms(runtime))
        closing.require_none([] if asks else decisions.against(found))
    if asks:
        decisions = _asked(found)
    goes = [Reason(name) for name in found.undecided if name in decisions.erase]
    if goes:
        at_most = sum(found.undecided[name] for name in goes)
        await _erase(runtime, ledger, goes, by, at_most, say)
    await ledger.write(closing.close, _terms(runtime), by=by, kept=tuple(decisions.keep))


def _dated(obstacle: Obstacle, zone: ZoneInfo) -> Obstacle:
    """Return *obstacle* with the last day on which it stands there, if it has one."""
    if obstacle.until is None:
        return obstacle
    return obstacle._replace(text=f"{obstacle.text}, until {last_day(obstacle.until, zone=zone)}")


def _who(found: Ending, name: str) -> str:
    """Return how many of a class are to be decided on, and how many a hold keeps anyhow."""
    who = f"{counted(found.undecided[name], 'person', 'people')} {_WHO[Reason(name)]}"
    kept = found.held.get(name, 0)
    return f"{who}, besides {kept:,} with a hold" if kept else who


def _asked(found: Ending) -> Decisions:
    """Name everybody who is left, and ask in a terminal what becomes of each class."""
    erase, keep = {}, set()
    for name, count in found.undecided.items():
        tell(f"{name}: {_who(found, name)}")
        typed = ""
        while typed not in (str(count), "keep"):
            typed = typer.prompt(f"Type {count} to erase them, or keep", err=True).strip()
        if typed == "keep":
            keep.add(name)
        else:
            erase[name] = count
    return Decisions(erase, frozenset(keep))


async def _erase(
    runtime: Runtime,
    ledger: Ledger,
    reasons: Sequence[Reason],
    by: str,
    at_most: int | None,
    say: Callable[[str], None],
) -> None:
    from repermit.cli.purging import Wish, carry_out

    wish = Wish(by, at_most, reasons=tuple(reasons))
    done = await carry_out(runtime, ledger, wish, say)
    if done.traces:
        raise ProofBroken(
            f"{counted(done.traces, 'trace')} of erased people can still be read",
            hint="keep the key folder closed and report this",
        )


def _terms(runtime: Runtime) -> Terms:
    from repermit.cli.purging import Wish, order_of

    return order_of(runtime, Wish("", reasons=BY_CLOSE)).terms


async def _leave_evidence(runtime: Runtime) -> str:
    """Write the bundle of evidence beside the config, and return its name."""
    from repermit.cli.evidence import make_bundle

    path = _new_name(runtime.config.folder, f"evidence-{runtime.today()}")
    await make_bundle(runtime, path, None)
    return path.name


def _new_name(folder: Path, name: str) -> Path:
    number, path = 1, folder / f"{name}.zip"
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}.zip"
    return path
