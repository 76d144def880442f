"""Answers: what people wrote that a person must read."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from repermit.cli.session import (
    asking,
    counted,
    is_terminal,
    plain,
    run,
    session_of,
    show,
    show_json,
    tell,
)
from repermit.domain.clock import iso
from repermit.errors import RepermitError, ReviewRefused

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.store.replies import Reply
    from repermit.runtime import Runtime

_SLICE = 500  # replies that are read at once
_WHO = "Show the addresses, too, on this screen?"
_ADDRESS = re.compile(r"[^\s<>()\[\]{},;:\"'|]{1,254}@[^\s<>()\[\]{},;:\"'|]{1,254}")
_HIDDEN = "…@…"
_NO_YES = "a written yes is never a yes; what they may press, if you answer them with it:"
_LINK = "where they can still say yes or no, if you answer them with it:"
_SAYS_NO = frozenset({"no", "unsubscribe"})

Ids = Annotated[list[int] | None, typer.Option(metavar="ID", help="Read and done: forget it.")]
OptOut = Annotated[
    list[int] | None, typer.Option(metavar="ID", help="It says no: opt out whoever wrote it.")
]


class _Review(TyperCommand):
    """A command whose options take several numbers, too: `--done 12 15`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the option before each number that follows another one."""
        named: list[str] = []
        option, is_first = "", False
        for each in args:
            if each.startswith("-"):
                option, _, value = each.partition("=")
                is_first = not value
            elif option in ("--done", "--opt-out"):
                named += [] if is_first else [option]
                is_first = False
            named.append(each)
        return super().parse_args(ctx, named)


def register(family: typer.Typer) -> None:
    """Add the command to the *family* `inbound`."""
    family.command("review", cls=_Review)(review)


def review(
    context: typer.Context,
    done: Ids = None,
    opt_out: OptOut = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Show what people wrote that is no plain no, the oldest first; decide with --done ID or
    --opt-out ID; each takes several, as in --done 12 15."""
    runtime = session_of(context).runtime()
    if done or opt_out:
        run(_decide(runtime, sorted({*(done or ())}), sorted({*(opt_out or ())}), as_json=as_json))
    else:
        run(_list(runtime, as_json=as_json))


async def _decide(runtime: Runtime, done: list[int], opt_out: list[int], *, as_json: bool) -> None:
    """Decide on the replies of both lists, or on none. Crash: each list whole, or not at all."""
    from repermit.ledger.store import replies, returns

    async with runtime.ledger() as ledger:
        named, both = sorted({*done, *opt_out}), sorted({*done} & {*opt_out})
        gone = [one for one in named if not await ledger.read(replies.count_of, [one])]
        if gone or both:
            raise ReviewRefused(gone=gone, both=both)
        if opt_out and is_terminal() and not as_json:
            await _require_meant(runtime, ledger, opt_out)
        out = await ledger.write(
            replies.opt_out_by, opt_out, language_of=runtime.question.reading_for
        )
        forgotten = await ledger.write(replies.forget_replies, done)
        left = await ledger.read(returns.waiting_replies)
    if as_json:
        moved = out.recipients - out.before
        show_json({"opted_out": moved, "done": forgotten, "waiting": left})
        return
    if opt_out:
        before = f"; {out.before:,} of them had said no before" if out.before else ""
        show(f"{counted(out.recipients, 'person', 'people')} opted out for good{before}")
    if done:
        show(f"{counted(forgotten, 'reply', 'replies')} forgotten")
    show(f"{counted(left, 'reply waits', 'replies wait')}")


async def _require_meant(runtime: Runtime, ledger: Ledger, ids: list[int]) -> None:
    """Let a person at the terminal confirm it, with what was written in front of them.

    Raises: RepermitError.
    """
    from repermit.ledger.store import replies

    for one in ids:
        for each in await ledger.read(replies.replies, after=one - 1, limit=1):
            for line in _lines(runtime, each, with_names=False):
                tell(line)
    with asking():
        is_meant = typer.confirm("Opt out whoever wrote that, for good?", err=True)
    if not is_meant:
        raise RepermitError("nothing was done", hint="answer y to opt them out")


async def _list(runtime: Runtime, *, as_json: bool) -> None:
    from repermit.ledger.store import returns

    async with runtime.ledger(acts=False) as ledger:
        waiting = await ledger.read(returns.waiting_replies)
        if as_json:
            told = [_content(runtime, each) async for each in _all_of(ledger)]
            show_json({"waiting": waiting, "replies": told})
            return
        if not waiting:
            show("no reply waits for a person")
            return
        with asking():
            with_names = is_terminal() and sys.stdout.isatty() and typer.confirm(_WHO, err=True)
        async for each in _all_of(ledger):
            for line in _lines(runtime, each, with_names=with_names):
                show(line)
    tell(f"{counted(waiting, 'reply waits', 'replies wait')} for you. When you have done what one")
    tell("asks, forget it: `repermit inbound review --done ID`. Does it say no after all:")
    tell("  `repermit inbound review --opt-out ID`. Who asks for their data, or to be erased:")
    tell("  `repermit person`.")


async def _all_of(ledger: Ledger) -> AsyncIterator[Reply]:
    from repermit.ledger.store import replies

    after = 0
    while found := await ledger.read(replies.replies, after=after, limit=_SLICE):
        for each in found:
            yield each
        after = found[-1].id


def _lines(runtime: Runtime, reply: Reply, *, with_names: bool) -> Iterator[str]:
    """Yield one reply as it is shown. Each line of what was written begins alike, so that it cannot
    pass for one of ours, and holds nothing that a terminal would obey."""
    head = f"{reply.id:>9}  {iso(reply.at)}  {reply.kind}  recipient {reply.recipient_id}"
    yield f"{head}, {reply.standing}{f'  {plain(reply.mailbox)}' if with_names else ''}"
    for line in _warnings(runtime, reply, with_names=with_names):
        yield f"{'':11}{line}"
    for line in (reply.subject, *reply.text.split("\n")):
        yield f"{'':11}| {plain(_one_line(line, with_names=with_names))}".rstrip()
    if link := _link(runtime, reply):
        yield f"{'':11}{_NO_YES if reply.kind == 'yes' else _LINK}"
        yield f"{'':11}{link}"
    yield ""


def _warnings(runtime: Runtime, reply: Reply, *, with_names: bool) -> list[str]:
    from repermit.inbound.imap import HANDLED

    found = []
    if not reply.signed:
        found.append("it names no mail of ours: anybody can write from that address")
    elif reply.kind == "no":  # a no to the question is never listed
        found.append("it answers a later mail, which may have asked whether the no was theirs")
    if _is_from_elsewhere(reply):
        sender = plain(reply.sender) if with_names else "another address"
        found.append(f"sent from {sender}")
    if not reply.text:
        where = f"; what came by IMAP is in {HANDLED}" if runtime.config.inbound.server else ""
        found.append(f"nothing new was in its text{where}")
    return found


def _is_from_elsewhere(reply: Reply) -> bool:
    return bool(reply.sender) and reply.sender.casefold() != reply.mailbox.casefold()


def _one_line(text: str, *, with_names: bool) -> str:
    line = " ".join(text.split())
    return line if with_names else _ADDRESS.sub(_HIDDEN, line)


def _link(runtime: Runtime, reply: Reply) -> str | None:
    """Return where they can answer themselves, for who had a mail and wrote no plain no."""
    from repermit.domain.standing import MAY_ANSWER
    from repermit.domain.token import Scope

    if reply.kind in _SAYS_NO or reply.standing not in MAY_ANSWER:
        return None
    token = runtime.tokens.issue(Scope.ANSWER, reply.recipient_id)
    return f"{runtime.config.web.public_url}/yes/{token}"


def _content(runtime: Runtime, reply: Reply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "at": iso(reply.at),
        "kind": reply.kind,
        "recipient": reply.recipient_id,
        "standing": str(reply.standing),
        "signed": reply.signed,
        "from_elsewhere": _is_from_elsewhere(reply),
        "subject": _one_line(reply.subject, with_names=False),
        "text": _ADDRESS.sub(_HIDDEN, reply.text),
        "link": _link(runtime, reply),
    }
