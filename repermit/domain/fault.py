"""What is wrong in a campaign, and what to do about each: a decision, no I/O."""

from __future__ import annotations

from typing import Final, NamedTuple

from repermit.domain.situation import Approval, Situation


class Fault(NamedTuple):
    """One thing that a person should look at: in a word or two, in a sentence, and the cure."""

    short: str
    what: str
    do: str


_LOOK: Final = "look at it again with `repermit preview` and `repermit screen`"


def faults(now: Situation) -> list[Fault]:
    """Return everything that is wrong."""
    return [*_with_sending(now), *_cut_off(now), *_with_what_came_back(now)]


def _with_sending(now: Situation) -> list[Fault]:
    found = []
    if now.is_paused:
        found.append(Fault("paused", "the campaign is paused", "`repermit resume` lets it go on"))
    if now.why_stopped:
        do = f"{now.look_at}; then `repermit send --continue`"
        found.append(
            Fault("stopped by itself", f"sending has stopped by itself: {now.why_stopped}", do)
        )
    if now.approval is Approval.VOID:
        do = f"{_LOOK}, then approve it anew"
        found.append(Fault("approval void", now.why_void, do))
    if now.has_asked and now.open and not now.is_page_up:
        failed = f"the answer page did not work: {now.why_page}"
        what = failed if now.why_page else "nobody is seen to serve the answer pages"
        found.append(Fault("page not seen", what, "`repermit serve`, then `repermit probe`"))
    return found


def _cut_off(now: Situation) -> list[Fault]:
    found = []
    if now.is_purge_cut_off:
        what = "a purge was cut off, or is running"
        found.append(Fault("purge cut off", what, "`repermit purge` finishes it"))
    if now.is_importing:
        do = "wait for it, or run the same one again"
        found.append(Fault("import cut off", "an import was cut off, or is running", do))
    return found


def _with_what_came_back(now: Situation) -> list[Fault]:
    found = []
    if now.doubtful:
        count = "1 mail" if now.doubtful == 1 else f"{now.doubtful:,} mails"
        what = f"{count} may or may not be out"
        found.append(Fault(f"{now.doubtful:,} doubtful", what, "`repermit doubt list`"))
    if now.is_unread:
        what = "what came back was not read for a day"
        found.append(Fault("bounces not read", what, "`repermit inbound`"))
    if now.replies:
        what = "1 reply waits" if now.replies == 1 else f"{now.replies:,} replies wait"
        do = "`repermit inbound review`"
        found.append(Fault(f"{now.replies:,} to read", f"{what} for a person", do))
    if now.bad_trial:
        what = "the mail that tried whether bounces come back went wrong"
        found.append(Fault("bounces unproven", what, now.bad_trial))
    return found
