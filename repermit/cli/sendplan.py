"""`send --plan`: what would leave when, what to expect, and what to do about it first."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from repermit.cli.deadtrial import still_open
from repermit.cli.session import counted, show, show_json
from repermit.domain.clock import iso

if TYPE_CHECKING:
    from repermit.dispatch.forecast import Forecast, People
    from repermit.dispatch.plan import Plan
    from repermit.ledger.store.waves import State
    from repermit.runtime import Runtime


async def plan_ahead(runtime: Runtime, plan: Plan) -> dict[str, Any]:
    """Return what `send --plan` tells; no mail leaves, and nobody's row changes."""
    from repermit.cli.probe import prober
    from repermit.cli.ready import require_approval, require_sound
    from repermit.cli.sending import why_blind
    from repermit.dispatch.forecast import forecast
    from repermit.dispatch.waves import ages
    from repermit.domain.decay import expected_dead
    from repermit.errors import SendRefused
    from repermit.ledger.store import campaign, caps, checking, waiting, waves

    now = runtime.clock.now()
    async with runtime.ledger(acts=False) as ledger:
        state, figures = await ledger.read(waves.state), await ledger.read(campaign.figures)
        try:
            await require_sound(runtime, ledger)
            await require_approval(runtime, ledger)
            refused = None
        except SendRefused as refusal:
            refused = {"why": str(refusal), "way_out": refusal.hint}
        people = await ledger.read(waiting.listed_by)
        sent = await ledger.read(caps.sent_by_hour, plan.caps)
        page = await prober(runtime, ledger).look()
        tried = await ledger.read(checking.tried)
    blind = await why_blind(runtime, plan, state)
    ahead = forecast(state, people, plan, sent=sent, now=now)
    months: dict[int, int] = {}
    for _, month, count in people:
        months[month] = months.get(month, 0) + count
    low, high = expected_dead(ages(months, runtime.today()))
    last = ahead.last_mail
    dues = [runtime.question.due_at(last) if last else None, figures.last_due]
    return {
        "may_leave": state.listed,
        "limit": plan.limit,
        "refused": refused,
        "deferred": {
            "count": figures.standings["deferred"],
            "next_try": iso(figures.next_try),
        },
        "waves": _waves(ahead),
        "last_mail": iso(last),
        "last_deadline": iso(max(filter(None, dues), default=None)),
        "expected_dead": {"of": state.listed, "at_least": low, "at_most": high},
        "caps": {name: _cap(plan, name) for name in ahead.capped},
        "stopped": _stopped(state),
        "watch": _watch(plan, state),
        "answer_page": {"answers": not page.code, "why": page.why or None},
        "first": [
            *([f"{refused['why']}: {refused['way_out']}"] if refused else []),
            *([f"let the answer page answer: {page.hint}"] if page.code else []),
            *_advice(plan, people, state, low, ahead, blind, runtime.today()),
            *([still_open(tried)] if plan.terms.has_inbound and still_open(tried) else []),
        ],
    }


def _waves(ahead: Forecast) -> list[dict[str, Any]]:
    return [
        {
            "number": wave.number,
            "mails": wave.count,
            "at_random": wave.is_pilot,
            "begins": iso(wave.begins),
            "ends": iso(wave.ends),
        }
        for wave in ahead.waves
    ]


def _cap(plan: Plan, name: str) -> str:
    spans = {1: "hour", 24: "day"}
    return ", ".join(f"{cap.mails}/{spans[cap.hours]}" for cap in plan.caps[name])


def _stopped(state: State) -> str | None:
    from repermit.dispatch.objection import Objection

    return str(Objection(**state.stopped_for)) if state.stopped_for else None


def _watch(plan: Plan, state: State) -> dict[str, Any]:
    """Return what stops the sending by itself, and whether what comes back is seen."""
    from repermit.dispatch.waves import (
        LEAST_BOUNCES,
        PROVIDER_COMPLAINT_PERCENT,
        PROVIDER_FACTOR,
        sees_bounces,
    )

    return {
        "is_read": sees_bounces(state, plan.terms),
        "last_read": iso(state.inbound_at),
        "least_bounces": LEAST_BOUNCES,
        "bounce_percent": plan.terms.stop_bounce_percent,
        "provider_bounce_percent": PROVIDER_FACTOR * plan.terms.stop_bounce_percent,
        "complaints": plan.terms.stop_complaints,
        "provider_complaint_percent": PROVIDER_COMPLAINT_PERCENT,
    }


def _advice(
    plan: Plan,
    people: People,
    state: State,
    low: int,
    ahead: Forecast,
    blind: str | None,
    today: date,
) -> list[str]:
    """Return what to do first, the most pressing first."""
    from repermit.dispatch.gate import way_out
    from repermit.dispatch.waves import LEAST_BOUNCES, sees_bounces

    found = []
    if state.stopped_for:
        found.append("look at why it stopped, then `repermit send --continue`")
    if low >= LEAST_BOUNCES and 100 * low >= plan.terms.stop_bounce_percent * state.listed:
        found.append(
            f"sending will probably stop at {plan.terms.stop_bounce_percent:g} % dead addresses"
        )
        found += way_out(people, today)
    if blind and (state.listed or sees_bounces(state, plan.terms)):
        found.append(blind)
        if not plan.terms.has_inbound:
            found.append("to look for yourself what bounces, `repermit send --limit 200`")
    if ahead.capped:
        names = ", ".join(ahead.capped)
        found.append(f"the caps of {names} make it last longer; each deadline counts from its mail")
    return found


def show_plan(content: dict[str, Any], *, as_json: bool) -> None:
    """Print the plan."""
    if as_json:
        show_json(content)
        return
    is_held = content["refused"] or content["stopped"]
    may = "would leave, but for what is said below" if is_held else "may leave"
    show(f"{counted(content['may_leave'], 'mail')} {may}; nothing has left now")
    if content["limit"]:
        show(f"--limit: a run ends after {counted(content['limit'], 'mail')}; below, all of them")
    for wave in content["waves"]:
        how = "drawn at random" if wave["at_random"] else "the newest contacts first"
        span = f"{_minute(wave['begins'])} to {_minute(wave['ends'])}"
        show(f"  wave {wave['number']}: {wave['mails']:>9,}  {span} UTC  ({how})")
    if content["last_mail"]:
        show(
            f"the last mail leaves about {_minute(content['last_mail'])} UTC, if the relay keeps up"
        )
        dead = content["expected_dead"]
        show(
            f"dead addresses to expect: {dead['at_least']:,} to {dead['at_most']:,}"
            f" of {dead['of']:,}, by the age of the last contact"
        )
    if content["last_deadline"]:
        show(f"the last deadline falls at {content['last_deadline']}")
    if put_off := content["deferred"]["count"]:
        show(
            f"{counted(put_off, 'mail')} put off by the relay on top, the first due again at"
            f" {content['deferred']['next_try']}"
        )
    for name, cap in content["caps"].items():
        show(f"the cap of {name} binds: {cap}")
    show(_watched(content["watch"]))
    if content["answer_page"]["answers"]:
        show("the answer page answers")
    else:
        show(f"the answer page does not answer: {content['answer_page']['why']}")
    if content["stopped"]:
        show(f"sending has stopped: {content['stopped']}")
    for line in content["first"]:
        show(f"first: {line}")


def _watched(watch: dict[str, Any]) -> str:
    if not watch["is_read"]:
        return f"it stops by itself at {watch['bounce_percent']:g} % that the relay itself refuses"
    return (
        f"it stops by itself at {watch['bounce_percent']:g} % dead addresses"
        f" ({watch['provider_bounce_percent']:g} % at one provider: those of a day, of its mails"
        f" within 7 days; never below {watch['least_bounces']}), at {watch['complaints']}"
        f" complaints that are 0.1 % ({watch['provider_complaint_percent']:g} % at one provider),"
        " and at once when a mail comes back because of us; what comes back was last read"
        f" {watch['last_read']}"
    )


def _minute(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M}"
