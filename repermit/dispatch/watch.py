"""What the relay's words, one after the other, say of us and of the list."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from repermit.dispatch import refusals
from repermit.dispatch.objection import Objection
from repermit.dispatch.plan import Sent
from repermit.dispatch.verdict import Accepted, Delayed, Lost, Refused, SenderRefused, Verdict
from repermit.dispatch.waves import REFUSED_IN_A_ROW, WINDOW_MAILS, Terms, has_too_many_bounces
from repermit.domain.refusal import is_about_address
from repermit.errors import SendRefused
from repermit.ledger.store.sending import Reserved
from repermit.ledger.store.stretches import Outcome
from repermit.ledger.store.waves import State

_POLICY_REFUSALS = 3  # of different recipients in a row: it is about us
_LEAST_LOST = 3  # in a row, and none taken; always more than there are connections
_LEAST_ENOUGH = 5  # likewise: the relay wants less of us
_LOOK_SECONDS = 60.0  # between two looks at what other processes have heard


@dataclass(frozen=True)
class AboutUs:
    """The relay refuses us: the run ends, and *ids* are listed again."""

    refusal: SendRefused
    ids: list[int]


@dataclass(frozen=True)
class Enough:
    """The relay wants less of us: the run ends well, and goes on with the next try."""


Word = AboutUs | Objection | Enough


class Watcher:
    """Follows one run over so many *connections*.

    What may happen once to every connection, as when the relay begins anew or takes so many mails
    over each, says nothing yet; so what comes in a row must come oftener than that.
    """

    def __init__(self, terms: Terms, connections: int) -> None:
        self._terms = terms
        self._too_many_lost = max(_LEAST_LOST, connections + 1)
        self._enough = max(_LEAST_ENOUGH, connections + 1)
        self._lost, self._wants_less = 0, 0  # in a row, none taken since
        self._refused: list[int] = []  # in a row, none taken since
        self._by_policy: list[int] = []
        self._delays: deque[bool] = deque(maxlen=WINDOW_MAILS)
        self._wave = 0
        self._others = Outcome()  # of other senders and earlier runs, since a person last looked
        self._mails, self._bounces, self._judged = 0, 0, 0  # of this run; bounces that were judged
        self._looked_at: float | None = None

    def enter(self, state: State) -> None:
        """Judge from here on what comes on top of *state*."""
        wave = state.wave
        if wave is not None:
            self._wave = wave.number
            known = state.outcomes.since_look
            self._others = Outcome(known.mails - self._mails, known.bounces - self._bounces)
        self._judged = self._bounces

    def is_due_to_look(self, time: float) -> bool:
        """Return whether it is time to look at the figures of all processes again."""
        if self._looked_at is None:
            self._looked_at = time
        if time - self._looked_at < _LOOK_SECONDS:
            return False
        self._looked_at = time
        return True

    def judge(self, reserved: Reserved, verdict: Verdict, sent: Sent) -> Word | None:
        """Return what one more word of the relay, counted in *sent*, means for the run."""
        self._mails += reserved.first_try_at is None
        match verdict:
            case Accepted():
                return self._taken()
            case SenderRefused(reply):
                return AboutUs(refusals.sender_refused(reply), [])
            case Refused():
                return self._no(reserved, verdict, sent)
            case Delayed():
                return self._put_off(verdict)
            case Lost():
                return self._broken_off()

    def _taken(self) -> Objection | None:
        """Only now are bounces judged: while everybody is refused it may be about us."""
        self._refused.clear()
        self._by_policy.clear()
        self._delays.append(False)
        self._lost = self._wants_less = 0
        if self._bounces == self._judged:
            return None
        self._judged = self._bounces
        mails, bounces = self._others.mails + self._mails, self._others.bounces + self._bounces
        if has_too_many_bounces(Outcome(mails, bounces), self._terms.stop_bounce_percent):
            return Objection("bounces", self._wave, mails, bounces)
        return None

    def _no(self, reserved: Reserved, verdict: Refused, sent: Sent) -> AboutUs | None:
        self._delays.append(False)
        self._wants_less = 0
        self._bounces += is_about_address(verdict.reply)
        if reserved.was_returned and sent.asked:
            return None  # others were taken, and this one is refused again: it is about them
        self._refused.append(reserved.id)
        if verdict.policy:
            self._by_policy.append(reserved.id)
        else:
            self._by_policy.clear()
        if len(self._by_policy) >= _POLICY_REFUSALS:
            return AboutUs(
                refusals.refused_by_policy(len(self._by_policy), verdict.reply), self._by_policy
            )
        if len(self._refused) >= REFUSED_IN_A_ROW:
            return AboutUs(refusals.refused_all(len(self._refused), verdict.reply), self._refused)
        return None

    def _put_off(self, verdict: Delayed) -> Objection | Enough | None:
        """A no to one recipient counts in the window only: greylisting puts off everybody once."""
        self._by_policy.clear()
        self._wants_less = self._wants_less + 1 if verdict.wants_less else 0
        if objection := self._not_taken():
            return objection
        return Enough() if self._wants_less >= self._enough else None

    def _broken_off(self) -> Objection | None:
        self._lost += 1
        if self._lost >= self._too_many_lost:
            return Objection("lost", self._wave, self._lost, self._lost)
        return self._not_taken()

    def _not_taken(self) -> Objection | None:
        self._delays.append(True)
        count = sum(self._delays)
        if len(self._delays) < WINDOW_MAILS or count * 2 < WINDOW_MAILS:
            return None
        return Objection("delays", self._wave, WINDOW_MAILS, count)
