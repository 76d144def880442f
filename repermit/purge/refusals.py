"""What stands against a purge: every reason at once, in words, with its figures and its date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from repermit.domain.deadline import last_day
from repermit.purge.plan import Order, Readings, Refusal, Watch
from repermit.purge.window import Seen

_CLOCKS_AGREE = timedelta(minutes=10)
_WHO_MUST_KNOW = 2  # so many people are told before a purge that nobody types
_UP = "if the page stays up from now on"
_PERSON = "a person may go on with `repermit purge --accept-outage REASON`"


@dataclass(frozen=True)
class Judged:
    """Why a purge is refused; what a person should think of first; what a person accepted."""

    refused: tuple[Refusal, ...]
    warnings: tuple[str, ...] = ()
    accepted: tuple[Refusal, ...] = ()


def judged(readings: Readings, order: Order, watch: Watch) -> Judged:
    """Return every reason against the purge of *order*, not only the first.

    One that goes on where it was cut off is not judged again for what it was judged for when it
    began: who may be erased by it has been written down since.
    """
    always = [*_always(readings), *_at_most(readings, order)]
    if readings.resumes:
        return Judged((*always, *(_paused(readings) if order.is_scheduled else ())))
    always += readings.against_all
    answerable = [*page(readings.seen, watch, now=readings.now), *_links(readings)]
    put_off = tuple(_put_off(readings, watch))
    doubted = [*_gap(readings, order, watch), *_elsewhere(readings), *_unread(readings)]
    clock = [*_outside(readings, watch)]
    if order.is_scheduled:
        unattended = [*_paused(readings), *_unordered(order), *_untold(readings, watch)]
        return Judged((*always, *clock, *answerable, *doubted, *unattended), put_off)
    accepted = tuple(answerable) if order.accepts else ()
    return Judged(
        refused=(*always, *clock, *(() if order.accepts else answerable)),
        warnings=(*put_off, *(each.text for each in (*accepted, *doubted))),
        accepted=accepted,
    )


def _always(readings: Readings) -> Iterator[Refusal]:
    if readings.superseded:
        yield Refusal("older_copy", f"{readings.superseded}: {readings.superseded.hint}")
    elif readings.older_copy:
        yield Refusal("older_copy", "this ledger is an older copy: run `repermit doubt restored`")
    if readings.other_purge:
        yield Refusal("running", "another purge is running: wait for its end")
    if readings.unfinished_import:
        text = "an import is running, or was cut off: run it again, or take it back"
        yield Refusal("import", text)
    if readings.claimed:
        mails = _counted(readings.claimed, "mail is", "mails are")
        text = f"{mails} still leaving: wait for the end of `repermit send`, or start it"
        yield Refusal("leaving", text)
    if readings.log_faults and not readings.superseded:  # nobody in it can be read
        text = (
            f"the log does not verify ({readings.log_faults} faults): see `repermit proof verify`"
        )
        yield Refusal("log", text)
    if readings.latest_entry > readings.now:
        text = "the clock is behind the log: set it right"
        yield Refusal("clock", text, readings.latest_entry)


def _at_most(readings: Readings, order: Order) -> Iterator[Refusal]:
    if order.at_most is not None and readings.due > order.at_most:
        due = _counted(readings.due, "recipient is", "recipients are")
        text = f"{due} due, but at most {order.at_most} may go"
        yield Refusal("at_most", text)


def page(seen: Sequence[Seen], watch: Watch, *, now: datetime) -> Iterator[Refusal]:
    """Yield what keeps people from having been able to answer, of the date that it keeps longest
    from being right."""

    def worst(goes: Callable[[Seen], datetime]) -> Seen | None:
        found = max(seen, key=goes, default=None)
        return found if found is not None and goes(found) > now else None

    if found := worst(lambda each: max(each.moved, each.down_goes)):
        until = max(found.moved, found.down_goes)
        yield Refusal("outage", _outage(found, watch, now=now), until)
    if found := worst(lambda each: each.down_last_goes):
        text = (
            f"the answer page was out of reach within {_long(watch.last_hours)} before the end of"
            f" {_day(found, watch.zone)}, the last day of {_people(found.window.people)}, and has"
            " not been up for as long since"
        )
        yield Refusal("last_hours", text, found.down_last_goes)
    if found := worst(lambda each: max(each.unknown_goes, each.unknown_last_goes)):
        until = max(found.unknown_goes, found.unknown_last_goes)
        yield Refusal("unknown", _unknown(found, watch, now=now), until)


def _put_off(readings: Readings, watch: Watch) -> Iterator[str]:
    """Yield who does not go yet because of that, and why."""
    put_off = [each.seen for each in readings.postponed]
    if not put_off:
        return
    people = sum(each.window.people for each in put_off)
    until = max(each.goes for each in put_off)
    yield (
        f"{_people(people)} of {_counted(len(put_off), 'date', 'dates')} may have been unable to"
        f" answer, and {'stays' if people == 1 else 'stay'} for now: the last of them until"
        f" {_instant(until, watch.zone)} at least, {_UP}"
    )
    for each in page(put_off, watch, now=readings.now):
        yield f"of the date that is put off longest for it: {each.text}"


def _outage(found: Seen, watch: Watch, *, now: datetime) -> str:
    text = f"the answer page was out of reach for {_part(found, found.down, watch)}"
    if found.down_goes > now:
        return f"{text}, and at most {watch.outage_percent:g} % is accepted"
    return f"{text}: their date moves by as much"


def _unknown(found: Seen, watch: Watch, *, now: datetime) -> str:
    if found.unknown_goes > now:
        part = _part(found, found.unknown, watch)
        text = f"nothing on record says whether the answer page was up for {part}"
    else:
        text = (
            "nothing on record says whether the answer page was up in all of the last"
            f" {_long(watch.last_hours)} before the end of {_day(found, watch.zone)}, the last day"
            f" of {_people(found.window.people)}"
        )
    return f"{text}; let `repermit serve` or a monitor look at it; {_PERSON}"


def _links(readings: Readings) -> Iterator[Refusal]:
    if readings.cut_off:
        text = (
            f"the links in the mails of {_people(readings.cut_off)} who are due work no more: the"
            f" key folder has lost their key; put it back from a backup of keys/keep; {_PERSON}"
        )
        yield Refusal("links", text)
    if readings.cut_short:
        text = (
            f"the links in the mails of {_people(readings.cut_short)} who are due were revoked"
            " before their time was over: ask them in another way whether they agree, or in a new"
            f" campaign; {_PERSON}, who says how these people could answer"
        )
        yield Refusal("revoked", text)


def _gap(readings: Readings, order: Order, watch: Watch) -> Iterator[Refusal]:
    newest = readings.newest(watch)
    since = readings.now - newest
    if order.terms.by_date and since > order.terms.window:
        text = (
            f"the newest entry of the log is of {_instant(newest, watch.zone)}, and"
            f" this machine's clock says {_instant(readings.now, watch.zone)}: {_long(since)}"
            f" without an entry, while people have {_long(order.terms.window)} to answer; is the"
            " clock right? A purge that a person types goes on"
        )
        yield Refusal("gap", text)


def _outside(readings: Readings, watch: Watch) -> Iterator[Refusal]:
    if watch.outside is not None and abs(watch.outside) > _CLOCKS_AGREE:
        text = (
            f"this machine's clock says {_instant(readings.now, watch.zone)}, a clock outside"
            f" {_instant(readings.now + watch.outside, watch.zone)}: set it right"
        )
        yield Refusal("outside_clock", text)


def _elsewhere(readings: Readings) -> Iterator[Refusal]:
    if readings.unlisted_places:
        text = (
            f"in {_counted(readings.unlisted_places, 'place', 'places')} elsewhere the list lives"
            " on, and no hand-over names those who are due now: run `repermit handover` first,"
            " because once they are erased nobody can say whom to remove there"
        )
        yield Refusal("elsewhere", text)


def _unread(readings: Readings) -> Iterator[Refusal]:
    if readings.unread:
        who = _counted(readings.unread, "person who is", "people who are")
        text = (
            f"{who} due wrote something that nobody has read, perhaps a no or a wish to see their"
            " data: `repermit inbound review` first, because it goes with them"
        )
        yield Refusal("replies", text)


def _paused(readings: Readings) -> Iterator[Refusal]:
    if readings.is_paused:
        text = "the campaign is paused: `repermit resume` lets a scheduled purge go on"
        yield Refusal("paused", text)


def _unordered(order: Order) -> Iterator[Refusal]:
    if not order.terms.reasons:
        text = "the config lets nobody be erased without a person: see `scheduled` under [purge]"
        yield Refusal("not_scheduled", text)


def _untold(readings: Readings, watch: Watch) -> Iterator[Refusal]:
    days = _long(watch.notice)
    if len(readings.told) < _WHO_MUST_KNOW:
        notices = _counted(readings.queued, "notice waits", "notices wait")
        to_do = (
            f"{notices} for `repermit send`, which delivers them"
            if readings.queued
            else "name them under [notices], and let `repermit send` deliver their notices"
        )
        text = (
            f"two people must know {days} before the first scheduled purge, and"
            f" {len(readings.told)} were told: {to_do}"
        )
        yield Refusal("untold", text)
    elif (until := readings.told[_WHO_MUST_KNOW - 1] + watch.notice) > readings.now:
        text = f"two people were told of the first scheduled purge, but not {days} ago"
        yield Refusal("untold", text, until)


def _part(found: Seen, lost: timedelta, watch: Watch) -> str:
    share = lost / found.window.length
    return (
        f"{_long(lost)} ({share:.1%}) of the {_long(found.window.length)} that"
        f" {_people(found.window.people)} had to the end of {_day(found, watch.zone)}"
    ).replace("%", " %")


def _day(found: Seen, zone: tzinfo) -> str:
    return str(last_day(found.window.end, zone=zone))


def _instant(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _people(count: int) -> str:
    return _counted(count, "person", "people")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _long(span: timedelta) -> str:
    """Return *span* in the unit that says it best."""
    if span < timedelta(hours=2):
        return _counted(-(-span // timedelta(minutes=1)), "minute", "minutes")
    if span < timedelta(days=3):
        return f"{span / timedelta(hours=1):.3g} hours"
    return f"{span / timedelta(days=1):.3g} days"
