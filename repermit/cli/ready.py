"""Whether mails may leave at all: the approval, the clock, the ledger, a pause."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
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


async def require_present(ledger: Ledger) -> None:
    """Refuse where an older copy of the ledger was put back. Raises: SendRefused."""
    from repermit.ledger.store import present

    if await ledger.read(ledger.older_copy):
        raise present.older_copy()


_SKEW = timedelta(minutes=1)  # by which the clocks of machines that share a ledger may differ


async def require_sound(runtime: Runtime, ledger: Ledger) -> None:
    """Refuse where no question may leave. Raises: SendRefused."""
    from repermit.ledger.store import campaign, erasing

    await require_present(ledger)
    latest = datetime.fromisoformat(await ledger.read(erasing.latest_entry_at))
    behind = _SKEW if ledger.database.is_shared else timedelta()
    if latest > runtime.clock.now() + behind:
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
    if given is None:
        return
    changed = "; ".join(
        [*changes(given, shown_facts(runtime)), *await _changed_notice(runtime, ledger)]
    )
    if changed:
        raise ServeRefused(
            f"people would read other words than were approved: {changed}",
            hint="put the words back, or `repermit preview` them and `repermit approve` anew",
        )


async def require_approval(runtime: Runtime, ledger: Ledger) -> Approval:
    """Return the approval that holds for exactly this. Raises: SendRefused, CampaignClosed."""
    from repermit.ledger.store import approval, present

    await ledger.read(present.require_open)
    given = await ledger.read(approval.latest_approval)
    if given is None:
        raise SendRefused(
            "nobody has approved this campaign yet",
            hint="`repermit preview`, then `repermit approve --by NAME --informed NAME`",
        )
    if trial := left_from_trial(runtime):
        raise SendRefused(trial, hint=FROM_TRIAL)
    if void := await why_void(runtime, ledger, given):
        raise void
    return given


async def why_void(runtime: Runtime, ledger: Ledger, given: Approval) -> SendRefused | None:
    """Return why *given* is not an approval of what there is now; None if it is.

    Nothing is fetched: a privacy notice on the web counts as it was when somebody last looked.
    """
    from repermit.cli.assembly import approval_facts, digest
    from repermit.cli.changes import came_from, changes
    from repermit.ledger.store import approval

    facts = approval_facts(runtime, json.loads(given.facts).get("notice"))
    changed = await _changed_notice(runtime, ledger)
    if digest(facts) != given.digest or changed:
        told = "; ".join([*changes(given, facts), *changed]) or "something"
        return SendRefused(
            f"what was approved has changed since: {told}",
            hint="look at it again with `repermit preview`, then approve it anew",
        )
    if added := await ledger.read(approval.listed_since, given):
        return SendRefused(
            f"{counted(sum(added.values()), 'recipient')} added after the approval"
            f" ({came_from(added)})",
            hint="look at the counts with `repermit screen`, then approve it anew",
        )
    return None


async def _changed_notice(runtime: Runtime, ledger: Ledger) -> list[str]:
    """Return in words that the file of the privacy notice is not the text that counts."""
    from repermit.cli.notice import text_of_file
    from repermit.files import shown
    from repermit.ledger.store.notices import current_notice

    file = runtime.config.controller.privacy_file
    if file is None:
        return []
    kept = await ledger.read(current_notice)
    is_kept = kept is not None and kept.content == text_of_file(file)
    return [] if is_kept else [f"the privacy notice ({shown(file.name)})"]
