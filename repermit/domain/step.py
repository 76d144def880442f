"""The one step that comes next in a campaign, and why: a decision, no I/O.

The rules stand in the order in which they count; the first that has something to say decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from typing import Final

from repermit.domain.situation import Approval, Situation


@dataclass(frozen=True)
class Step:
    """What comes next: one command, and why. `stands` says in a few words where the campaign is."""

    code: str
    stands: str
    command: str
    why: str
    first: str = ""  # what a person does before it
    then: str = ""  # the command after it
    after: datetime | None = None  # not before
    meanwhile: tuple[str, ...] = ()  # commands, while that is waited for


_Rule = Callable[[Situation], Step | None]


def next_step(situation: Situation) -> Step:
    """Return the one step that comes next."""
    for rule in _RULES:
        if step := rule(situation):
            return step
    return _end(situation)


def _begin(now: Situation) -> Step | None:
    if now.has_config:
        return None
    return Step(
        "init",
        "not begun",
        "repermit init",
        "there is no config here yet: it asks a few questions, and mails nobody",
        meanwhile=("repermit demo",),
    )


def _cut_off(now: Situation) -> Step | None:
    if now.is_purge_cut_off:
        why = "a purge was cut off: it finishes that one, for those whom it was for"
        return Step("purge_cut_off", "purge cut off", "repermit purge", why)
    if now.is_importing:
        why = "an import is running, or was cut off: wait for it, or run the same one again"
        return Step("import_cut_off", "import cut off", "repermit import LIST", why)
    return None


def _closed(now: Situation) -> Step | None:
    if not now.is_closed:
        return None
    if now.due:
        return _let_go(now)
    if now.owed:
        return _paused(now) or _deliver(now)
    return _clean_place(now, "closed") or _keep(now)


def _keep(now: Situation) -> Step:
    if now.yes:
        why = "the campaign is closed, and only the proof is left; people who said yes may withdraw"
        meanwhile = ("repermit serve",)
        return Step("proof", "closed", "repermit proof verify", why, meanwhile=meanwhile)
    why = "the campaign is closed: nothing is left to do but to keep the papers"
    if now.may_certify:
        certify = "repermit papers certificate --out certificate.html"
        return Step("certificate", "closed", certify, why)
    return Step("proof", "closed", "repermit proof verify", why)


def _take_in(now: Situation) -> Step | None:
    if not now.admitted:
        why = "nobody is on file yet; nobody is mailed by it, and --dry-run keeps nothing"
        return Step(
            "import", "no list yet", "repermit import LIST", why, first=now.unfinished_config
        )
    if not now.knows_opt_outs:
        why = 'nobody has said who opted out before; if nobody did: `repermit suppress --none "…"`'
        return Step("suppress", "being prepared", "repermit suppress LIST", why)
    if not now.to_ask and not now.has_asked and now.withheld:
        why = f"nobody may be asked: {_people(now.withheld)} withheld; it names why, and the cure"
        return Step("screen", "all withheld", "repermit screen", why)
    return None


def _prepare(now: Situation) -> Step | None:
    if not now.to_ask:
        return None
    if now.unfinished_config:
        why = "it shows what else must hold before the first mail"
        return Step("config", "being prepared", "repermit check", why, first=now.unfinished_config)
    if now.approval is Approval.GIVEN:
        return None
    approve = "repermit approve --by NAME --informed NAME"
    if now.approval is Approval.VOID:
        look = "look at it again with `repermit preview` and `repermit screen`"
        return Step("approve_again", "approval void", approve, now.why_void, first=look)
    if not now.is_tried:
        why = "it looks at everything that must hold before the first mail"
        return Step("check", "being prepared", "repermit check", why)
    if not now.is_previewed:
        why = "look at every mail and page before anybody else does; then send one to yourself"
        return Step("preview", "being prepared", "repermit preview", why, then="repermit test-mail")
    why = f"{_people(now.listed)} may be asked once two people answer for exactly this"
    return Step("approve", "to be approved", approve, why)


def _hold(now: Situation) -> Step | None:
    if step := _paused(now):
        return step
    if now.to_ask and now.why_stopped:
        why = f"sending has stopped by itself: {now.why_stopped}"
        go_on = "repermit send --continue"
        return Step("look", "stopped by itself", go_on, why, first=now.look_at)
    if (now.to_ask or now.open) and not now.is_page_up:
        why = "nobody is seen to serve the answer pages; leave it running, or `repermit run`"
        stands = "ready to ask" if not now.has_asked else "nobody can answer"
        return Step("serve", stands, "repermit serve", why, then="repermit probe")
    return None


def _paused(now: Situation) -> Step | None:
    if not now.is_paused:
        return None
    why = "the campaign is paused: until then no mail leaves, and nobody is erased by schedule"
    return Step("resume", "paused", "repermit resume", why)


def _ask(now: Situation) -> Step | None:
    if not now.to_ask or now.is_sending or not _is_now(now):
        return None
    if not now.has_asked:
        first = "see what would leave when, with `repermit send --plan`"
        why = f"the one mail may leave to {_people(now.to_ask)}"
        return Step("send", "ready to ask", "repermit send", why, first=first)
    why = f"the one mail may leave to {_people(now.to_ask)} more"
    return Step("send", "asking", "repermit send", why)


def _due(now: Situation) -> Step | None:
    return _let_go(now) if now.due else None


def _let_go(now: Situation) -> Step:
    if now.replies:  # what somebody who is due wrote goes with them
        return _review(now, "time is over")
    if now.must_hand_over:
        why = (
            f"{_people(now.due)} said no or nothing in time, and must be removed elsewhere, too:"
            " after the purge nobody can be named any more"
        )
        then = "repermit purge --dry-run"
        return Step("hand_over_due", "time is over", "repermit handover DIR", why, then=then)
    why = f"{_people(now.due)} said no or nothing in time; it erases nobody, and says who is due"
    # How many: its guard may put some off, so it asks for the number itself.
    then = "repermit purge"
    return Step("purge", "time is over", "repermit purge --dry-run", why, then=then)


def _look_after(now: Situation) -> Step | None:
    if now.is_sending and (now.to_ask or now.in_hand):
        return Step("sending", "asking", "repermit status", "mails are leaving just now")
    stands = "asking" if now.to_ask else "waiting for answers" if now.open else "ending"
    if count := now.doubtful + now.in_hand:
        why = f"{_mails(count)} may or may not be out: only a person can find out"
        return Step("doubt", stands, "repermit doubt list", why)
    if now.replies:
        return _review(now, stands)
    if now.is_unread:
        return Step("inbound", stands, "repermit inbound", "what came back was not read for a day")
    if now.owed:
        return _deliver(now, stands)
    return None


def _review(now: Situation, stands: str) -> Step:
    why = f"{_people(now.replies)} wrote something that a person must read"
    return Step("review", stands, "repermit inbound review", why)


def _deliver(now: Situation, stands: str = "closed") -> Step:
    why = f"{_mails(now.owed)} owed to people, or to you; nobody is asked by it"
    return Step("deliver", stands, "repermit send --limit 0", why)


def _wait(now: Situation) -> Step | None:
    reads = ("repermit inbound",) * now.has_inbound
    meanwhile = ("repermit serve", *reads, "repermit status")
    if now.to_ask:
        why = f"{_people(now.to_ask)} still to be asked; the next mail waits for {now.why_later}"
        return Step(
            *("send_later", "asking", "repermit send", why),
            after=now.next_mail,
            meanwhile=meanwhile,
        )
    if now.open:
        why = f"{_people(now.open)} can still answer"
        return Step(
            *("wait", "waiting for answers", "repermit purge --dry-run", why),
            after=now.first_due,
            meanwhile=meanwhile,
        )
    return None


def _finish(now: Situation) -> Step | None:
    if now.yes and not now.is_exported:
        why = f"{_people(now.yes)} said yes, and nobody has taken them out yet"
        return Step("export", "ending", "repermit export --out opted-in.csv", why)
    if now.why_hand_over:
        return Step("hand_over", "ending", "repermit handover DIR", now.why_hand_over)
    return _clean_place(now, "ending")


def _clean_place(now: Situation, stands: str) -> Step | None:
    if not now.undone_place:
        return None
    done = f"repermit handover --done {quote(now.undone_place)} --by NAME"
    why = "nobody has noted that those who must go are removed there, too"
    first = f"remove in {now.undone_place} who stands in must-be-removed.csv"
    return Step("clean_place", stands, done, why, first=first)


def _end(now: Situation) -> Step:
    left = f"; it asks what becomes of {_people(now.withheld)} withheld" if now.withheld else ""
    why = f"nobody is left to ask, to wait for or to erase{left}"
    return Step("close", "ending", "repermit close --by NAME", why)


def _is_now(now: Situation) -> bool:
    return now.next_mail is None or now.next_mail <= now.now


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _mails(count: int) -> str:
    return "1 mail" if count == 1 else f"{count:,} mails"


_RULES: Final[tuple[_Rule, ...]] = (
    *(_begin, _cut_off, _closed, _take_in, _prepare, _hold),
    *(_ask, _due, _look_after, _wait, _finish),
)
