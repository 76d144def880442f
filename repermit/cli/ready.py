"""Whether mails may leave at all: the approval, the clock, the ledger, a pause."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from repermit.cli.session import counted
from repermit.domain.clock import iso
from repermit.errors import SendRefused, ServeRefused

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.ledger.tables import Approval
    from repermit.runtime import Runtime


FROM_TRIAL = "write your own in the config: real people would read it, once and for ever"


def left_from_trial(runtime: Runtime) -> str:
    """Return what still stands in the config from trying out, or an empty text; nothing does while
    the relay is on this machine."""
    if runtime.config.relay.is_on_this_machine:
        return ""
    from repermit.cli.begin import left_as_in_the_example

    if runtime.config.web.is_local:
        return "the relay is elsewhere, but the links lead to this machine (web.public_url)"
    left = left_as_in_the_example(runtime.config.path)
    return f"these still stand as in the example: {', '.join(left)}" if left else ""


async def require_sound(runtime: Runtime, ledger: Ledger) -> None:
    """Refuse where no mail at all may leave. Raises: SendRefused."""
    from repermit.ledger.store import campaign, erasing, present

    if await ledger.read(ledger.older_copy):
        raise present.older_copy()
    latest = datetime.fromisoformat(await ledger.read(erasing.latest_entry_at))
    if latest > runtime.clock.now():
        raise SendRefused(
            f"the clock is behind the log, whose last entry was made at {iso(latest)}",
            hint="set the clock of this machine right: the mails would print a wrong date",
        )
    figures = await ledger.read(campaign.figures)
    if figures.paused_at is not None:
        raise SendRefused("the campaign is paused", hint="`repermit resume` lets it go on")


async def require_same_pages(runtime: Runtime, ledger: Ledger) -> None:
    """Refuse to show people other words than were approved last; before the first approval, any
    may be tried out. Raises: ServeRefused."""
    from repermit.cli.assembly import shown_facts
    from repermit.cli.changes import changes
    from repermit.ledger.store import approval

    given = await ledger.read(approval.latest_approval)
    changed = "; ".join(changes(given, shown_facts(runtime))) if given else ""
    if changed:
        raise ServeRefused(
            f"people would read other words than were approved: {changed}",
            hint="put the words back, or `repermit preview` them and `repermit approve` anew",
        )


async def require_approval(runtime: Runtime, ledger: Ledger) -> Approval:
    """Return the approval that holds for exactly this. Raises: SendRefused."""
    from repermit.cli.assembly import approval_facts, digest
    from repermit.cli.changes import came_from, changes
    from repermit.ledger.store import approval

    given = await ledger.read(approval.latest_approval)
    if given is None:
        raise SendRefused(
            "nobody has approved this campaign yet",
            hint="`repermit preview`, then `repermit approve --by NAME --informed NAME`",
        )
    if trial := left_from_trial(runtime):
        raise SendRefused(trial, hint=FROM_TRIAL)
    facts = approval_facts(runtime)
    if digest(facts) != given.digest:
        changed = "; ".join(changes(given, facts)) or "something"
        raise SendRefused(
            f"what was approved has changed since: {changed}",
            hint="look at it again with `repermit preview`, then approve it anew",
        )
    added = await ledger.read(approval.listed_since, given)
    if added:
        raise SendRefused(
            f"{counted(sum(added.values()), 'recipient')} added after the approval"
            f" ({came_from(added)})",
            hint="look at the counts with `repermit screen`, then approve it anew",
        )
    return given
