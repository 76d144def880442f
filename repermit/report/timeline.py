"""One person in words for the operator: who they are to us, what happened, what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from repermit.domain.clock import iso
from repermit.domain.deadline import last_day
from repermit.domain.standing import Standing
from repermit.ledger.log import Kind
from repermit.ledger.store.reading import OnFile, SuppressedOnFile
from repermit.ledger.store.timeline import Event
from repermit.report.life import Life, outcome_of
from repermit.report.outlook import MAILS, At, Step, next_steps

_CAME_TO: Final[Mapping[str, str]] = {
    "listed": "back among those whose mail is still to leave",
    "withheld": "withheld: nothing is asked",
    "exempt": "exempt: needs no question",
    "deferred": "the relay said later, and took nothing",
    "doubtful": "the mail may or may not have left: the sender was lost",
    "asked": "the relay took the mail",
    "undeliverable": "the mail could not be delivered",
}
_SCREENED: Final[Mapping[str, str]] = {
    "listed": "the policy lets them be asked",
    "withheld": "the policy forbids to ask them",
    "exempt": "the policy needs no question",
}
_HOLDS: Final[Mapping[str, str]] = {
    "opted_in": "who said yes",
    "opted_out": "who must stop: so they were named to whoever reads it",
    "exempt": "who needs no question",
}
_CODE: Final[Mapping[str, str]] = {
    "erased": "they were erased on their own wish",
    "answer": "they said no",
    "complaint": "they complained",
    "elsewhere": "they unsubscribed elsewhere",
    "reply": "they wrote no",
    "unsubscribe": "they unsubscribed by mail",
}


def says(event: Event, zone: ZoneInfo) -> str:
    """Return what happened, in one line without anybody's name."""
    facts = event.facts
    match event.kind:
        case Kind.ADMITTED:
            return f"admitted from import {facts['import']}: {_SCREENED[facts['to']]}"
        case Kind.SCREENED:
            again = f"import {facts['import']} says more" if "import" in facts else "screened again"
            return f"{again}: {_SCREENED[facts['to']]}"
        case Kind.ANSWERED:
            return _answer(facts)
        case Kind.OPTED_OUT:
            return f"opted out ({facts['source']}): never mailed again"
        case Kind.CORRECTED:
            return f"corrected on their own word: {', '.join(facts['fields'])}"
        case Kind.EXTENDED:
            last = last_day(datetime.fromisoformat(facts["until"]), zone=zone)
            return (
                f"last day to answer moved to {last:%Y-%m-%d} by {facts['by']}, approval"
                f" {facts['approval']}: {facts['reason']}"
            )
        case Kind.HELD:
            last = last_day(datetime.fromisoformat(facts["until"]), zone=zone)
            return (
                f"held to the end of {last:%Y-%m-%d} because of a {facts['kind']}, by"
                f" {facts['by']}: {facts['reason']}"
            )
        case Kind.RELEASED:
            return f"released by {facts['by']}: {facts['reason']}"
        case Kind.REQUESTED:
            return "asked, from their link, for everything that is held about them"
        case Kind.MAILED:
            taken = "is taken to have left" if facts.get("assumed") else "was taken by the relay"
            return f"{MAILS[facts['mail']]} {taken}"
        case Kind.EXPORTED:
            purpose = f", purpose {facts['purpose']}" if facts["purpose"] else ""
            what = f"export {facts['number']} ({facts['format']}{purpose})"
            return f"named in {what} of {_HOLDS[facts['standing']]}"
    return _move(facts, zone)


def _move(facts: Mapping[str, Any], zone: ZoneInfo) -> str:
    if facts["to"] != Standing.CLAIMED:
        return _CAME_TO.get(facts["to"], f"now {facts['to']}")
    told = ["their mail is about to leave"]
    if facts.get("language"):
        told.append(f"in {facts['language']}")
    if "mail" in facts:
        told.append(f"words {_short(facts['mail'])}")
    if "due" in facts:
        last = last_day(datetime.fromisoformat(facts["due"]), zone=zone)
        told.append(f"last day to answer {last:%Y-%m-%d}")
    return ", ".join(told)


def _short(hashed: str) -> str:
    return f"{hashed[:12]}…"


def _answer(facts: Mapping[str, Any]) -> str:
    if facts["way"] == "one_click":
        how = "unsubscribed with the button of their mail program (RFC 8058)"
    else:
        page = f" {_short(facts['page'])} in {facts['language']}" if facts["page"] else ""
        how = f"pressed “{facts['button']}” on the answer page{page}"
    ticked = f", for {', '.join(facts['purposes'])}" if facts["purposes"] else ""
    if facts["suspect"]:
        return f"{how}: a {facts['answer']} that contradicts another press, so both are void"
    return f"{how}: a {facts['answer']}{ticked}"


def lines(told: Life, at: At) -> list[str]:
    """Return everything as lines to read, their own address in the first one."""
    zone = at.zone
    head = _who(told.found, told) if told.found else ["no row on file"]
    if told.never is not None and told.never.source == "asked":
        asked = f"asked once, purged on {_when(told.never.since, zone)}"
        head.append(f"{asked}: an unreadable code only, kept to {_kept(told.never, at)} at least")
    elif told.never is not None:
        why = _CODE.get(told.never.source, f"a list or command ({told.never.source})")
        reason = f", {told.never.reason}" if told.never.reason else ""
        only = "" if told.found else ": an unreadable code only"
        head.append(f"never mailed since {_when(told.never.since, zone)}{only}; {why}{reason}")
    if told.events:
        head += ["", f"What happened ({zone}; # is the entry in the log)"]
        head += [
            f"  {_when(each.at, zone)}  #{each.entry:<6} {says(each, zone)}" for each in told.events
        ]
    return [*head, "", "What comes next", *_coming(next_steps(told, at), zone)]


def _kept(never: SuppressedOnFile, at: At) -> str:
    until = at.code_until(never)
    return f"{until.astimezone(at.zone):%Y-%m-%d}" if until else ""


def _coming(steps: Sequence[Step], zone: ZoneInfo) -> list[str]:
    return [f"  {_when(each.at, zone) + '  ' if each.at else ''}{each.says}" for each in steps] or [
        "  nothing"
    ]


def _who(found: OnFile, told: Life) -> list[str]:
    known = found.person.evidence
    named: list[tuple[str, object]] = [
        ("number", found.id),
        ("standing", f"{found.standing}{' (suspect)' if found.suspect else ''}"),
        ("purposes", ", ".join(found.purposes)),
        ("language", found.language),
        ("policy", f"{found.cell}: {outcome_of(found)}, {found.reason}"),
        ("reason to ask", told.reason),
        *((name.replace("_", " "), value) for name, value in vars(known).items() if value),
        *(
            ("list", f"import {each['import']} of {each['at']}, SHA-256 {each['sha256'][:16]}…")
            for each in told.lists
        ),
        ("relay said", found.relay_reply),
        *(
            ("yes came from", f"{each.network} {each.agent}, kept until {iso(each.keep_until)}")
            for each in found.origins
        ),
        *(
            ("wrote", f"reply {each.id} of {iso(each.at)}, not read yet: `repermit inbound review`")
            for each in found.replies
        ),
    ]
    rows = [f"  {name}: {value}" for name, value in named if value not in (None, "")]
    return [found.person.address.mailbox, *rows]


def _when(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
