"""What comes next of a campaign's waves, and what speaks against it: decisions, no I/O.

The first wave is a pilot, drawn at random over all providers and ages, so that it stands for the
whole list; after it the newest contacts come first, because the oldest addresses do most harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from repermit.dispatch.objection import Objection
from repermit.domain.count import people
from repermit.domain.decay import years_between
from repermit.ledger.store.stretches import Outcome
from repermit.ledger.store.waves import State, Wave

SMALL_LIST = 500  # recipients; below, a pilot would be half of the list
LEAST_BOUNCES = 10  # below, no share is computed: 1 of 3 stops nothing
LEAST_EXPECTED = 5  # bounces at the least: none at all then has a chance below 1 %
WINDOW_MAILS = 100  # the last ones, of which half may be deferred
STRETCH_FACTOR = 2  # of the share that stops it, in a stretch: smaller numbers vary more
REFUSED_IN_A_ROW = 20  # for good, and none taken: it is about us
PROVIDER_FACTOR = 2  # of the share that stops it, at one provider alone
PROVIDER_COMPLAINT_PERCENT = 0.3  # Google's and Yahoo's limit
_COMPLAINTS_PER_MAIL = 0.001  # 0.1 %, Google's and Yahoo's target for senders


@dataclass(frozen=True)
class Terms:
    """How the campaign is cut into waves, and what stops it.

    `watch` is how long to wait after a wave, where what bounces is seen; see `sees_bounces`.
    """

    sizes: tuple[int, ...]
    watch: timedelta
    stop_bounce_percent: float
    stop_complaints: int
    has_inbound: bool  # the config says where bounces and complaints come in


def sees_bounces(state: State, terms: Terms) -> bool:
    """Return whether what bounces is seen: the config says where it comes in, and that was read.

    Otherwise no wave is waited for, since nobody would learn anything meanwhile, and that none
    came back means nothing.
    """
    return terms.has_inbound and state.inbound_at is not None


@dataclass(frozen=True)
class Go:
    """Mails may leave."""


@dataclass(frozen=True)
class End:
    """The last mail of this wave has left; decide again."""

    number: int


@dataclass(frozen=True)
class Begin:
    """The next wave may begin."""

    number: int
    step: int
    size: int | None

    @property
    def is_pilot(self) -> bool:
        """Return whether it is drawn at random, to learn how the rest will go."""
        return self.step == 0 and self.size is not None

    def __str__(self) -> str:
        if self.is_pilot:
            return (
                f"wave {self.number}: {people(self.size or 0)} drawn at random over the whole list"
            )
        who = "everybody who is left" if self.size is None else people(self.size)
        return f"wave {self.number}: {who}, the newest contacts first"


@dataclass(frozen=True)
class Watch:
    """The next wave is due at *until*; only retries may leave before."""

    until: datetime
    number: int  # of the next wave


@dataclass(frozen=True)
class Stop:
    """Nothing may leave until a person has looked."""

    objection: Objection


Step = Go | End | Begin | Watch | Stop


def next_step(state: State, terms: Terms, *, now: datetime) -> Step:
    """Return what comes next. Each step but `Go`, `Watch` and `Stop` changes the state."""
    if state.stopped_for is not None:
        return Stop(Objection(**state.stopped_for))
    wave = state.wave
    if wave is None:
        return _begin(1, 0, state.listed, terms) if state.listed else Go()
    if wave.ended_at is None and _is_over(state, wave):
        return End(wave.number)
    if objection := objection_to(state, terms, now=now):
        return Stop(objection)
    if wave.ended_at is None or not state.listed:
        return Go()
    until = wave.ended_at + terms.watch
    is_watched = sees_bounces(state, terms) and wave.size is not None and not _looked_at_end(wave)
    if is_watched and now < until:
        return Watch(until, wave.number + 1)
    return _begin(wave.number + 1, 0 if wave.size is None else wave.step + 1, state.listed, terms)


def _begin(number: int, step: int, listed: int, terms: Terms) -> Begin:
    """Return the wave that *step* stands for."""
    return Begin(number, step, size_of(step, listed, terms))


def size_of(step: int, listed: int, terms: Terms) -> int | None:
    """Return how many people the wave of *step* has; None: everybody who is left."""
    is_small = step == 0 and listed < SMALL_LIST
    size = terms.sizes[step] if step < len(terms.sizes) and not is_small else None
    return None if size is None or size >= listed else size


def _is_over(state: State, wave: Wave) -> bool:
    if wave.is_drawn or wave.size is None:
        return state.waiting == 0
    return wave.mails >= wave.size or state.listed == 0


def _looked_at_end(wave: Wave) -> bool:
    """Return whether a person let it go on after the last mail of *wave*."""
    return bool(wave.looked_at and wave.ended_at and wave.looked_at >= wave.ended_at)


def objection_to(state: State, terms: Terms, *, now: datetime) -> Objection | None:
    """Return what speaks against sending on, or None: the figures since a person last looked."""
    wave, outcomes = state.wave, state.outcomes
    if wave is None:
        return None
    for outcome in (outcomes.since_look, outcomes.before_look):
        if has_too_many_bounces(outcome, terms.stop_bounce_percent):
            return Objection("bounces", wave.number, outcome.mails, outcome.bounces)
    if has_too_many_bounces(outcomes.worst, STRETCH_FACTOR * terms.stop_bounce_percent):
        return Objection("bounces", wave.number, outcomes.worst.mails, outcomes.worst.bounces)
    complaints = state.complaints - wave.seen_complaints
    if complaints >= terms.stop_complaints and (
        complaints >= _COMPLAINTS_PER_MAIL * outcomes.mails
    ):
        return Objection("complaints", wave.number, outcomes.mails, complaints)
    if objection := _of_providers(state, terms, wave.number):
        return objection
    is_watched = wave.ended_at is not None and now >= wave.ended_at + terms.watch
    if (
        sees_bounces(state, terms)
        and wave.is_pilot
        and is_watched
        and wave.looked_at is None
        and outcomes.undeliverable == 0
        and wave.expected_bounces >= LEAST_EXPECTED
    ):
        return Objection("no_bounces", wave.number, wave.mails, 0, wave.expected_bounces)
    return None


def _of_providers(state: State, terms: Terms, wave: int) -> Objection | None:
    """Return what speaks against going on at one provider alone: what came back within the last 24
    hours and since a person last looked, as a share of what left for it within the last 7 days."""
    for name, day in state.providers.items():
        mails = day.week_mails
        if not name or not mails:  # many others, judged with all; and late stragglers
            continue
        hard = Outcome(mails, day.new_hard)
        if has_too_many_bounces(hard, PROVIDER_FACTOR * terms.stop_bounce_percent):
            return Objection("provider_bounces", wave, mails, day.new_hard, provider=name)
        if (
            day.new_complaints >= terms.stop_complaints
            and 100 * day.new_complaints >= PROVIDER_COMPLAINT_PERCENT * mails
        ):
            return Objection("provider_complaints", wave, mails, day.new_complaints, provider=name)
    return None


def has_too_many_bounces(outcome: Outcome, percent: float) -> bool:
    """Return whether so many bounces of so many mails stop the sending."""
    return outcome.bounces >= LEAST_BOUNCES and 100 * outcome.bounces >= percent * outcome.mails


def ages(months: Mapping[int, int], today: date) -> dict[int, int]:
    """Return counts by whole years from counts by month (year * 100 + month; 0: not known)."""
    found: dict[int, int] = {}
    for month, count in months.items():
        day = date(month // 100, month % 100, 1) if month else today
        years = years_between(day, today)
        found[years] = found.get(years, 0) + count
    return found
