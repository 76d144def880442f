"""What a relay of the tests is told to do, instead of the polite thing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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

    _GONE = (HANGS_UP, RESETS, says_and_hangs_up("421 4.3.2 closing"))
    _LOST = (
        *(HANGS_UP, RESETS, raw(b"25", hang_up=True), raw(b"hello\r\n"), raw(b"\xff\x00\r\n")),
        *(raw(b"250-a\r\n251 b\r\n"), raw(b"250-a\r\n", hang_up=True)),
    )
    _IN_BODY = tuple(replace(act, after_bytes=size) for act in _LOST[:2] for size in (1, 3000))
    _NO = (
        *(says("450 4.2.1 later"), says("452 4.2.2 full"), says("421 4.3.2 closing")),
        *(says("550-5.1.1 nobody\n550 5.1.1 of that name"), says("552 5.2.2 full")),
        *(says_and_hangs_up("421 4.3.2 closing"), says_and_hangs_up("550 5.1.1 nobody")),
    )
    _YES = (
        *(says("250-2.0.0 fine\n250 2.0.0 fine"), says("250 2.0.0 fine", wait=0.1)),
        says("250 2.0.0 fine", drip=0.003),
    )
    _ACTS: ClassVar[Mapping[Phase, tuple[Act, ...]]] = {
        Phase.CONNECT: (*_GONE, says("450 4.3.2 later"), raw(b"22", hang_up=True), raw(b"hi\r\n")),
        Phase.EHLO: (*_GONE, says("450 4.3.2 later"), raw(b"250-a\r\n", hang_up=True)),
        Phase.MAIL: (*_LOST, *_NO[:3], *_YES),
        Phase.RCPT: (*_LOST, *_NO, *_YES),
        Phase.DATA: (
            *(*_LOST, *_NO, raw(b"354 go on\r\n250 2.0.0 taken\r\n")),
            *(says("354-go\n354 on"), says("354 go on", wait=0.1), says("354 go on", drip=0.003)),
        ),
        Phase.IN_BODY: (*_IN_BODY, *_NO[:5], Act(wait=0.1)),
        Phase.BODY: (*_LOST, *_NO, *_YES, says("250 2.0.0 ok\n421 4.4.2 idle")),
        Phase.RSET: (*_GONE, says("450 4.3.0 later"), says("500 5.5.1 what"), raw(b"hello\r\n")),
        Phase.QUIT: (*_GONE, says("500 5.5.1 what"), raw(b"2", hang_up=True)),
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
        self.doubts += act in (self._IN_BODY if phase is Phase.IN_BODY else self._LOST) and (
            phase in {Phase.IN_BODY, Phase.BODY}
        )
        return act
