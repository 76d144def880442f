"""`inbound --csv`: what a provider's export says of bounces, complaints and unsubscribes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from repermit.cli.lists import STANDARD_INPUT, opened_lists
from repermit.cli.session import asking, counted, is_terminal, show, show_json, tell
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from repermit.intake.exports import Export
    from repermit.intake.listfile import ListFile, Reading
    from repermit.intake.providerfile import Said, Settled
    from repermit.runtime import Runtime

_MOST_WORDS = 10


async def read_export(
    runtime: Runtime, path: Path, reading: Reading, *, dry_run: bool = False, as_json: bool
) -> None:
    """Settle what the export at *path* says, and print the counts; *reading* is as
    `cli.lists.reading_of` makes it of --encoding, --delimiter, --sheet and --map (address, event,
    reason). With *dry_run* it is only read.

    Raises: ListUnreadable when it says nothing of what came back; RepermitError when a person at
    the terminal does not confirm it.
    Crash: what was settled stays so; run it again.
    """
    from repermit.intake.exports import by_address
    from repermit.intake.providerfile import Said, Settled, heard, settle

    said, done = Said(), Settled()
    to = by_address(None if path == STANDARD_INPUT else path, reading)
    with opened_lists([path], to) as (sources, _):
        exports = _exports(sources, reading)
        async with runtime.ledger() as ledger:
            for export in exports:
                said.add(heard(export))
            _tell(said)
            if not dry_run:
                _require_meant(said)
                for export in exports:
                    _add(done, await settle(ledger, export))
    if as_json:
        show_json(_said(said) if dry_run else _said(said) | _done(said, done))
    elif not dry_run:
        _show(said, done)


def _exports(sources: list[ListFile], reading: Reading) -> list[Export]:
    """Return those of *sources* that say what happened; of an archive some may not.

    Raises: ListUnreadable when none does; OptionWrong.
    """
    from repermit.intake.exports import export_of, no_event_column

    found = [(source, export_of(source, reading.mapping)) for source in sources]
    exports = [export for _, export in found if export is not None]
    if not exports:
        raise no_event_column(sources[0])
    for source, export in found:
        told = export.told if export else "passed over: says nothing of what happened"
        tell("\n  ".join((f"{source.name}: {source.table.told}", told, *source.table.notes)))
    return exports


def _require_meant(said: Said) -> None:
    """Let a person at the terminal confirm it, as the last moment. Raises: RepermitError."""
    if not is_terminal() or not said.addresses:
        return
    with asking("nobody was moved"):
        is_meant = typer.confirm("Settle that, for good?", err=True)
    if not is_meant:
        raise RepermitError("nobody was moved", hint="answer y to settle it")


def _add(done: Settled, part: Settled) -> None:
    done.undeliverable += part.undeliverable
    done.opted_out += part.opted_out
    done.suppressed += part.suppressed
    done.dead += part.dead
    done.stopped += part.stopped


def _tell(said: Said) -> None:
    """Tell what the export says, before anything is settled."""
    rows, different = said.rows, said.addresses
    tell(
        f"{counted(different['hard'], 'dead address', 'dead addresses')},"
        f" {counted(different['complaint'], 'complaint')},"
        f" {counted(different['unsubscribe'], 'unsubscribe')}"
    )
    tell(
        f"rows that move nobody: {rows['temporary']:,} put off or full,"
        f" {rows['about_us']:,} refused because of the sender, {rows['unclear']:,} bounced for no"
        f" reason given, {rows['other']:,} sent, delivered or opened, {said.silent:,} that say"
        " nothing"
    )
    if rows["unclear"]:
        tell(
            "  where a bounce for no reason given means a dead address, put those rows in a file of"
        )
        tell("  their own and take it in with --map event=hard")
    if said.rejected:
        lines = ", ".join(map(str, said.lines))
        more = " ..." if said.rejected > len(said.lines) else ""
        tell(f"no address in {counted(said.rejected, 'row')}: lines {lines}{more}")
    if said.unknown:
        words = [f"{word!r} ({count:,})" for word, count in said.unknown.most_common(_MOST_WORDS)]
        more = ", ..." if len(said.unknown) > _MOST_WORDS else ""
        tell(f"passed over, as nobody knows the word: {', '.join(words)}{more}")


def _show(said: Said, done: Settled) -> None:
    show(
        f"{counted(done.undeliverable, 'recipient')} undeliverable, {done.opted_out:,} opted out;"
        f" {counted(done.suppressed, 'address', 'addresses')} newly suppressed"
    )
    show(
        f"of the dead: {done.dead['undeliverable']:,} were undeliverable before,"
        f" {_stays(done):,} stay where they stand, {_unknown(said, done):,} are nobody here"
    )
    leaving = done.dead["claimed"] + done.stopped["claimed"]
    if leaving:
        tell(f"{counted(leaving, 'mail')} on the way at that moment: take it in again later")


def _stays(done: Settled) -> int:
    """Return how many of the dead had answered or opted out, or had no mail of ours."""
    others = done.undeliverable + done.dead["undeliverable"] + done.dead["claimed"]
    return done.dead.total() - others


def _unknown(said: Said, done: Settled) -> int:
    return said.addresses["hard"] - done.dead.total()


def _said(said: Said) -> dict[str, Any]:
    from repermit.intake.events import Event

    return {
        "rows": {name: said.rows[name] for name in map(str, Event)},
        "addresses": {name: said.addresses[name] for name in ("hard", "complaint", "unsubscribe")},
        "unknown": dict(said.unknown),
        "silent": said.silent,
        "rejected": said.rejected,
        "lines": said.lines,
    }


def _done(said: Said, done: Settled) -> dict[str, Any]:
    return {
        "undeliverable": done.undeliverable,
        "undeliverable_before": done.dead["undeliverable"],
        "opted_out": done.opted_out,
        "opted_out_before": done.stopped["opted_out"],
        "suppressed": done.suppressed,
        "untouched": _stays(done),
        "unknown_addresses": _unknown(said, done),
        "leaving": done.dead["claimed"] + done.stopped["claimed"],
    }
