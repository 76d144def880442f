"""Prepare: see it before it leaves, and approve exactly that."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repermit.cli.said import without_address
from repermit.cli.session import ask_address, counted, run, session_of, show, tell
from repermit.errors import ApprovalRefused, SendRefused

if TYPE_CHECKING:
    from repermit.runtime import Runtime

_PANEL = "Prepare"


def register(app: typer.Typer) -> None:
    """Add the commands of this family to *app*."""
    app.command("preview", rich_help_panel=_PANEL)(preview)
    app.command("test-mail", rich_help_panel=_PANEL)(mail_oneself)
    app.command("approve", rich_help_panel=_PANEL)(approve)


def preview(
    context: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write it: `preview` beside the config."),
    ] = None,
) -> None:
    """Write every mail and page in every language, with one index page to look through."""
    from repermit.cli.preview import write_preview

    runtime = session_of(context).runtime()
    index = write_preview(runtime, out or preview_folder(session_of(context).config))
    show(f"open {index} in a browser")


def preview_folder(config: Path) -> Path:
    """Return where a preview is written unless said otherwise: beside the config, whatever folder
    the operator is in, so that it is looked for where it is."""
    return config.parent / "preview"


def is_previewed(config: Path) -> bool:
    """Return whether a preview lies there that was made after the config."""
    index = preview_folder(config) / "index.html"
    return index.exists() and index.stat().st_mtime >= config.stat().st_mtime


def mail_oneself(
    context: typer.Context,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Your own; without it, a prompt.")
    ] = None,
) -> None:
    """Send the mail to yourself, in every language and in those of Belgium below each other, with
    links marked as a test. What the outbox owes (confirmations, data mails) is delivered, too."""
    runtime = session_of(context).runtime()
    run(_mail_oneself(runtime, address or ask_address()))


async def _mail_oneself(runtime: Runtime, text: str) -> None:
    from repermit.cli.assembly import mailer, relay
    from repermit.cli.owed import deliver_owed, show_delivered
    from repermit.cli.preview import asked_relationships, sample_variants, test_person
    from repermit.dispatch.refusals import relay_away
    from repermit.dispatch.relay import RelayAway
    from repermit.dispatch.verdict import Accepted
    from repermit.domain.address import parse
    from repermit.domain.token import TEST_RECIPIENT
    from repermit.ledger.store import outbox, suppression

    address, made, now = parse(text), mailer(runtime, signing=True), runtime.clock.now()
    if runtime.database.exists():
        async with runtime.ledger(acts=False) as ledger:
            if await ledger.read(suppression.is_suppressed, address.canonical):
                raise SendRefused(
                    "this address is suppressed: it is never mailed, not even for a test",
                    hint="use another address of your own",
                )
            if count := (await ledger.read(outbox.counts))["owed"]:
                told = f"The outbox owes {counted(count, 'mail')} to others"
                tell(f"{told}: delivered after the test.")
    due = runtime.question.due_at(now)
    try:
        connection = await relay(runtime).connect()
    except RelayAway as failure:
        raise relay_away(failure.cause) from failure
    try:
        first = asked_relationships(runtime)[0]
        for variant in sample_variants(runtime, first, test=True):
            mail = made.build(TEST_RECIPIENT, test_person(address), variant, due=due, now=now)
            verdict = await connection.send(mail.sender, mail.mailbox, mail.content)
            if not isinstance(verdict, Accepted):
                raise SendRefused(
                    f"the relay did not take the test mail ({verdict.reply})",
                    hint="ask its operator what that code means",
                )
            tell(f"  {variant.language}: taken by the relay ({verdict.reply})")
    finally:
        await connection.close()
    show("test mails sent; press their links too: nothing is recorded")
    if runtime.database.exists():
        async with runtime.ledger() as ledger:
            show_delivered(await deliver_owed(runtime, ledger, asyncio.Event()))


def approve(
    context: typer.Context,
    by: Annotated[str, typer.Option(help="Who approves.")],
    informed: Annotated[str, typer.Option(help="Who was informed: another person.")],
    notice_change: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help='What you call a change of the privacy notice: "material", or "not material: '
            'REASON". Without it, a prompt.',
        ),
    ] = None,
    extend_to: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Nobody's silence is a no before the end of that day: later than a mail says.",
        ),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the log.")] = "",
) -> None:
    """Approve exactly this: these people, screened anew, these words, this policy, these dates,
    this privacy notice, whose text is kept. Where only that has changed, and not materially, the
    last approval stands."""
    from repermit.cli.approving import Later, approve_all
    from repermit.cli.notice import call_of

    if (extend_to is None) is not (not reason.strip()):
        raise typer.BadParameter("a later date has a reason: --extend-to DATE --reason TEXT")
    later = None if extend_to is None else Later(extend_to.date(), reason.strip())

    call = None if notice_change is None else call_of(notice_change)
    by, informed = by.strip(), informed.strip()
    _require_two_people(by, informed)
    without_address(by, informed, later.reason if later else "")
    run(approve_all(session_of(context).runtime(), by, informed, call, later))


def _require_two_people(by: str, informed: str) -> None:
    if not by or not informed or _name(by) == _name(informed):
        raise ApprovalRefused(
            "an approval names two people: who approves, and who was informed",
            hint="`repermit approve --by NAME --informed ANOTHER-NAME`",
        )


def _name(text: str) -> str:
    return " ".join(text.casefold().split())
