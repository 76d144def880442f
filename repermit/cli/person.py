"""Operate: one person, for the desk that answers them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from repermit.cli.erasure import erase_one, erased_just_now
from repermit.cli.holding import Change, change_hold, change_of
from repermit.cli.listing import listed_file
from repermit.cli.session import plain, run, session_of, show, show_json, tell
from repermit.cli.told import Told, content
from repermit.cli.whom import ask_whom, whom
from repermit.domain.hold import Why
from repermit.errors import PersonUnknown, RepermitError
from repermit.files import require_new

if TYPE_CHECKING:
    from repermit.cli.whom import Whom
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.due import Terms
    from repermit.ledger.transaction import Transaction
    from repermit.report.letters import About
    from repermit.report.outlook import At
    from repermit.runtime import Runtime


class Letter(StrEnum):
    """What a person wrote to the controller about; `report.letters` answers."""

    COMPLAINT = "complaint"  # why did you mail me?
    ACCESS = "access"  # what do you hold about me?
    ERASURE = "erasure"  # erase me


def person(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    erase: Annotated[bool, typer.Option("--erase", help="Erase them, on their own wish.")] = False,
    correct: Annotated[
        bool, typer.Option("--correct", help="Put right what a list said wrong of them.")
    ] = False,
    hold: Annotated[
        Why | None, typer.Option("--hold", help="Keep them, also past their date, for that.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="The last day of the hold."),
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="End the hold on them.")] = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for the log and for them.")
    ] = "",
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so, for the log.")] = "",
    letter: Annotated[
        Letter | None, typer.Option("--letter", help="The answer to what they wrote, to sign.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A new file for the letter.")
    ] = None,
    shown: Annotated[
        Path | None,
        typer.Option(
            "--shown", metavar="DIR", help="A new folder: the mail, pages and notice they saw."
        ),
    ] = None,
) -> None:
    """Show what is on file about one person, what happened and what comes next.

    Whom, by an address or a part of one, comes from a prompt or standard input.
    """
    if out is not None and letter is None:
        raise typer.BadParameter("--out is for a letter: give --letter, too")
    changes = [erase, correct, hold is not None, release]
    if sum(changes) > 1:
        raise typer.BadParameter("one at a time: --erase, --correct, --hold or --release")
    if shown is not None and any(changes):
        raise typer.BadParameter("--shown changes nothing: give it alone, before that")
    if (until and not hold) or ((reason or by) and not (hold or release)):
        raise typer.BadParameter("--until is for --hold; --reason and --by for that or --release")
    change = change_of(hold, until, reason, by) if hold or release else None
    if out is not None:
        require_new(out)
    runtime = session_of(context).runtime()
    text = ask_whom()
    asked = _Asked(erase, correct, change, letter, shown)
    told = run(_person(runtime, text, asked, quiet=as_json))
    if told.letter is not None and out is not None:
        with listed_file(runtime, out, "letter") as file:
            file.write(told.letter["text"].encode())
    if as_json:
        show_json(content(told, _at(runtime)))
    elif told.letter is None:
        _show(told, runtime)
    else:
        show("written" if out else told.letter["text"].rstrip("\n"))
    if told.letter is not None:
        _tell_of_letter(told)


@dataclass(frozen=True)
class _Asked:
    """What one call is to do; at most one of the first three."""

    erase: bool
    correct: bool
    hold: Change | None
    letter: Letter | None
    shown: Path | None

    @property
    def changes(self) -> bool:
        return self.erase or self.correct or self.hold is not None


async def _person(runtime: Runtime, text: str, asked: _Asked, *, quiet: bool) -> Told:
    from repermit.cli.correcting import correct_one
    from repermit.cli.purging import Wish, order_of
    from repermit.cli.shown import write_shown
    from repermit.report.letters import reading_of

    async with runtime.ledger() as ledger:
        letter = asked.letter
        who = await whom(ledger, text, quiet=quiet, sure=asked.changes)
        is_held = await _is_held(ledger, who)
        _require_sense(
            who,
            changes=asked.changes,
            letter=None if asked.erase else letter,
            is_held=is_held and not asked.hold,
        )
        corrected = await correct_one(runtime, ledger, who) if asked.correct else None
        if asked.hold is not None:
            await change_hold(runtime, ledger, who, asked.hold)
        about = await _about(ledger, who, order_of(runtime, Wish("")).terms)
        told = Told(who.mailbox, about.life, corrected)
        languages = reading_of(about.life, runtime.question) if letter else ()
        if asked.shown is not None:
            told.shown = await write_shown(runtime, ledger, who, asked.shown)
        if asked.erase:
            if letter is not None:  # so that nobody is erased whose letter cannot be made
                _letter(runtime, letter, erased_just_now(who, runtime, exported=True), languages)
            await erase_one(runtime, ledger, who, told)
            about = erased_just_now(who, runtime, exported=bool(told.exported))
        if letter is not None:
            told.letter = _letter(runtime, letter, about, languages)
        return told


def _require_sense(who: Whom, *, changes: bool, letter: Letter | None, is_held: bool) -> None:
    """Raises: PersonUnknown; RepermitError when it would say or do what is not so."""
    if who.found is None and who.never is None and (changes or letter is None):
        raise PersonUnknown
    if who.found is None and changes:
        raise RepermitError(
            "nothing is left to change: only an unreadable code is kept of that person",
            hint="`repermit person --letter erasure` writes them so",
        )
    if who.found is not None and letter is Letter.ERASURE and not is_held:
        raise RepermitError(
            "that person is not erased, so the letter would not be true",
            hint="`repermit person --erase --letter erasure` does both",
        )


async def _is_held(ledger: Ledger, who: Whom) -> bool:
    from repermit.ledger.store import holding

    hold = await ledger.read(holding.hold_on, who.found.id) if who.found else None
    return hold is not None and hold.counts(ledger.clock.now())


async def _about(ledger: Ledger, who: Whom, terms: Terms) -> About:
    """Return everything about a person as it is now, of one reading."""
    from repermit.ledger.store import reading
    from repermit.ledger.store.held import everything
    from repermit.report.letters import About
    from repermit.report.life import Life, life

    if who.found is None:
        return About(who.mailbox, Life(None, who.never))
    number = who.found.id

    def read(tx: Transaction) -> About | None:
        found = reading.of(tx, number)
        if found is None:
            return None
        return About(who.mailbox, life(tx, found, terms), everything(tx, number))

    about = await ledger.read(read)
    if about is None:  # erased just now
        raise PersonUnknown
    return about


def _letter(
    runtime: Runtime, kind: Letter, about: About, languages: tuple[str, ...]
) -> dict[str, Any]:
    from repermit.cli.declared import names_relay, outside
    from repermit.report.letters import Sender, letter

    config = runtime.config
    sender = Sender(
        runtime.question,
        runtime.templates,
        config.controller.dpo,
        runtime.clock.now(),
        outside=outside(config),
        unnamed=not names_relay(config),
    )
    text = plain(letter(kind, about, languages, sender))
    return {"kind": str(kind), "languages": list(languages), "text": text}


def _at(runtime: Runtime) -> At:
    from repermit.report.outlook import At

    config = runtime.config
    again = timedelta(days=config.purge.ask_again_days)
    return At(runtime.clock.now(), config.campaign.zone, again)


def _show(told: Told, runtime: Runtime) -> None:
    from repermit.report.timeline import lines

    for line in lines(told.life, _at(runtime)):
        show(plain(line))
    if told.shown:
        tell(f"Written, with their links left out: {', '.join(told.shown)}.")
    elif told.life.found is not None and told.life.found.intent_at is not None:
        tell("`repermit person --shown DIR` writes the mail and the pages as they saw them.")


def _tell_of_letter(told: Told) -> None:
    if told.life.found is None and told.erased is None:
        tell("In every language of the campaign: theirs is not on file.")
    tell("Read it before you sign. It knows this campaign only: add what your other systems hold.")
