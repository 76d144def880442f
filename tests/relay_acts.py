"""What a relay of the tests is told to do, instead of the polite thing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Phase(StrEnum):
    """Where in the dialogue the relay is about to say something."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    IN_BODY = "in_body"  # some of the body has come, the end has not
    BODY = "body"  # the whole body has come
    RSET = "rset"
    QUIT = "quit"


@dataclass(frozen=True)
class Act:
    """What the relay does instead of the polite thing: says something, or hangs up, or neither."""

    say: bytes = b""
    wait: float = 0.0  # seconds before it says it
    drip: float = 0.0  # seconds before each byte of it
    hang_up: bool = False
    reset: bool = False  # hangs up without a goodbye: the other side gets a reset
    noise: bytes = b""  # what it writes beneath TLS, before all else
    after_bytes: int = 1  # how much of the body comes first, for IN_BODY
    then: Act | None = None  # what it does next, before it reads on


def says(reply: str, *, wait: float = 0.0, drip: float = 0.0) -> Act:
    """Answer *reply*, whose lines are parted by a newline."""
    lines = "".join(f"{line}\r\n" for line in reply.split("\n"))
    return Act(say=lines.encode(), wait=wait, drip=drip)


def raw(data: bytes, *, hang_up: bool = False) -> Act:
    """Write *data* as it is: half a line, garbage, whatever."""
    return Act(say=data, hang_up=hang_up)


def says_and_hangs_up(reply: str) -> Act:
    """Answer *reply* and close the connection."""
    return Act(say=f"{reply}\r\n".encode(), hang_up=True)


HANGS_UP = Act(hang_up=True)
RESETS = Act(reset=True)
SAYS_NOTHING = Act(wait=3600.0)


# What to do in a phase, for a recipient where there is one by then; None: the polite thing.
Script = Callable[[Phase, str | None], Act | None]


def polite(_phase: Phase, _mailbox: str | None) -> Act | None:
    """Do everything by the book."""
    return None


def at(acts: Mapping[Phase, Act], *, only: str | None = None) -> Script:
    """Misbehave in these phases; with *only*, towards that recipient alone."""

    def script(phase: Phase, mailbox: str | None) -> Act | None:
        return acts.get(phase) if only is None or mailbox == only else None

    return script


def in_turn(phase: Phase, *acts: Act | None) -> Script:
    """Go through *acts*, one each time that *phase* is reached, then be polite."""
    left = iter(acts)
    return lambda now, _mailbox: next(left, None) if now is phase else None


class Faults:
    """A script that misbehaves in a *share* of all replies, each time in another way."""

    _LOST = (
        *(HANGS_UP, RESETS, raw(b"25", hang_up=True), raw(b"hello\r\n")),
        *(raw(b"250-a\r\n251 b\r\n"), raw(b"250-a\r\n", hang_up=True)),
    )
    _ACTS: ClassVar[Mapping[Phase, tuple[Act, ...]]] = {
        Phase.CONNECT: (HANGS_UP, says_and_hangs_up("421 4.3.2 later")),
        Phase.EHLO: (HANGS_UP,),
        Phase.MAIL: (*_LOST, says("450 4.3.0 later"), says_and_hangs_up("421 4.3.2 closing")),
        Phase.RCPT: (
            *(*_LOST, says("450 4.2.1 later"), says("550 5.1.1 nobody of that name")),
            *(says_and_hangs_up("550 5.1.1 nobody"), says("421 4.3.2 closing")),
        ),
        Phase.DATA: (
            *(*_LOST, says("451 4.3.0 later"), says("554 5.0.0 no")),
            *(says_and_hangs_up("421 4.3.2 closing"), raw(b"354 go on\r\n250 2.0.0 taken\r\n")),
        ),
        Phase.IN_BODY: (HANGS_UP, RESETS),
        Phase.BODY: (
            *(*_LOST, says("450 4.2.0 later"), says("550 5.0.0 no")),
            *(says_and_hangs_up("421 4.3.2 closing"), says("250 2.0.0 ok\n421 4.4.2 idle")),
        ),
        Phase.RSET: (HANGS_UP, RESETS),
    }
    _RARE = frozenset({Phase.CONNECT, Phase.EHLO})  # too many of those end a run

    def __init__(self, seed: int, *, share: float) -> None:
        self._chance, self._share = random.Random(seed), share
        self.doubts = 0  # the mails of which nobody can know whether they are out

    def __call__(self, phase: Phase, _mailbox: str | None) -> Act | None:
        """Return what goes wrong now, or None."""
        share = self._share / 5 if phase in self._RARE else self._share
        if phase not in self._ACTS or self._chance.random() >= share:
            return None
        act = self._chance.choice(self._ACTS[phase])
        self.doubts += phase is Phase.IN_BODY or (phase is Phase.BODY and act in self._LOST)
        return act
