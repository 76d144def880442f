"""Prepare: init and screen."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.session import asking, is_terminal, run, session_of, show, show_json, tell
from repermit.cli.summary import cure
from repermit.errors import FileRefused

if TYPE_CHECKING:
    from repermit.runtime import Runtime

_PANEL = "Prepare"
_KEYS = (
    "The keys of --answer (N counts from 1, LL is a language, R a relationship; docs/init.md "
    "explains each): country, controller.name, controller.postal_address, "
    "controller.registration, controller.email, controller.privacy_url, "
    "controller.privacy_file, controller.authority, campaign.name, campaign.languages, "
    "campaign.default_language, purposes, purposes[N].id, purposes[N].text.LL, "
    "purposes[N].frequency.LL, campaign.answer_days, campaign.timezone, campaign.sensitive, "
    "controller.dpo, controller.dpia, relationships, policy.recent_days, balance.R, "
    "balance.R.why, balance.R.expected, balance.R.contact, balance.R.harm, policy.reasons.R, "
    "policy.reasons.old_contacts, policy.accepted_by, policy.accepted_on, relay.url, "
    "relay.from, relay.envelope_domain, web.public_url, notices.to, processors, "
    "processors[N].name, processors[N].role, processors[N].country, processors[N].agreement, "
    "processors[N].date. "
    "Passwords are never an answer."
)


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("init", rich_help_panel=_PANEL, epilog=_KEYS)(init)
    app.command("screen", rich_help_panel=_PANEL)(screen)


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to begin.")] = Path(),
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Ask nothing: the example as it is, or the default beside each --answer."
        ),
    ] = False,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            "--answer", metavar="KEY=VALUE", help="One answer, not asked again; a list has commas."
        ),
    ] = None,
) -> None:
    """Write config.toml and the key folder. Works offline.

    In a terminal it asks one thing at a time, and writes nothing before the end.
    """
    from repermit.cli.begin import require_new, write_campaign
    from repermit.cli.interview.order import filling, left_open
    from repermit.ledger.synchronised import network_of

    target, today = require_new(folder), session_of(context).clock.now().date()
    if network := network_of(folder):
        tell(f"take note: this folder lies on another machine ({network}). A ledger and its keys")
        tell("  belong on a disk of this one, which still has them when the network fails.")
    if yes and not answer:
        _tell_left(write_campaign(folder, {}))
        _tell_written(folder, ["policy.accepted_by, and everything that names somebody"])
        return
    answers = _answers(target, answer or [], today=today, yes=yes)
    content = filling(answers)
    _tell_left(write_campaign(folder, content.values, remarks=content.remarks))
    _tell_written(folder, left_open(answers, today=today))
    if answers.get("web.public_url"):
        _tell_port(target)


def _answers(target: Path, pairs: list[str], *, today: date, yes: bool) -> dict[str, str]:
    """Return every answer, as given, as asked in the terminal, or as Enter would.

    Raises: ConfigInvalid when one does not fit; FileRefused when nobody is there to answer;
    Interrupted.
    """
    from repermit.cli.interview import options

    given = options.given_answers(pairs)
    answers = options.answered(given, target=target, today=today)
    missing = options.not_given(given, answers)
    if not yes and missing and is_terminal():
        from repermit.cli.interview.terminal import interview

        with asking("nothing was written"):
            source = options.by_default(given, target=target)
            answers = interview(given, source, target=target, today=today)
        if unused := sorted(given.keys() - answers.keys()):
            tell(f"not needed by the other answers: {', '.join(unused)}")
        return answers
    if not yes and missing:
        raise FileRefused(
            "init asks questions, and nobody is there to answer"
            + (f": {', '.join(missing)}" if given else ""),
            hint="`repermit init --yes` writes the example; then edit config.toml; or give each as"
            " --answer KEY=VALUE, which `repermit init --help` lists",
        )
    options.require_whole(given, answers, today=today)
    return answers


def _tell_port(target: Path) -> None:
    """Say where the pages listen: that is not the web address at which people open them."""
    from repermit.config import load

    web = load(target).web
    tell(f"The pages listen on {web.bind} (web.bind in config.toml): whatever serves")
    tell(f"  {web.public_url} passes requests on to that port, {web.bind_port}.")


def _tell_left(is_left: bool) -> None:
    if is_left:
        tell(
            "The keys are those that an `init` left here which was cut off; nothing has used them."
        )


def _tell_written(folder: Path, left: list[str]) -> None:
    """Say what was written, what is left to do, and how the keys are kept safe."""
    keep = (folder / "keys" / "keep").absolute()
    copy = f"/media/STICK1/{keep.parents[1].name}"
    show(_printable(f"written: {folder / 'config.toml'} and {folder / 'keys'}"))
    for line in (
        "",
        "Keep keys/keep safe, today:",
        "  It holds the keys behind every link and every no of this campaign. Nobody can make",
        "  them anew: without them the links in the mails die, and the no's are forgotten.",
        "  Copy it to two places away from this computer, such as two sticks in two rooms:",
        f"    mkdir -p {quote(copy)}",
        f"    cp -R {quote(str(keep))} {quote(copy)}",
        "  Never copy keys/burn: whoever has a copy can read those who were erased. Later on,",
        "  `repermit backup DIR --keys DIR2` copies what is needed of it beside the ledger.",
        "",
    ):
        tell(line)
    if left:
        tell(f"Not said yet: {', '.join(left)}.")
        tell("  No mail leaves to anybody before you have written that into config.toml.")
    tell("Next: read config.toml, then in its folder `repermit import LIST --dry-run`.")


def _printable(text: str) -> str:
    """Return *text* with "?" for what standard output cannot show."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def screen(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Apply the policy again, after a change of the config; counts by cell."""
    run(_screen(session_of(context).runtime(), as_json=as_json))


async def _screen(runtime: Runtime, *, as_json: bool) -> None:
    from repermit.cli.assembly import policy_facts, rules
    from repermit.intake.screen import screen as screen_again

    async with runtime.ledger() as ledger:
        facts, today = policy_facts(runtime), runtime.today()
        counts = await screen_again(ledger, rules(runtime), facts, today=today)
    cells = sorted(counts.items())
    if as_json:
        rows = [
            {"cell": cell, "standing": standing, "reason": reason, "count": count}
            for (cell, standing, reason), count in cells
        ]
        totals = {
            name: sum(count for (_, standing, _), count in cells if standing == name)
            for name in ("listed", "withheld", "exempt")
        }
        show_json({"cells": rows, **totals})
        return
    for (cell, standing, reason), count in cells:
        what = cure(reason) if standing == "withheld" else ""
        show(f"{count:>9,}  {standing:<9} {cell}  {reason}{what}")
