"""What a check found, as a table of 80 columns that needs no colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import wrap

from repermit.cli.finding import Finding, Group, State
from repermit.cli.session import counted

_WIDTH = 80
_STATE, _NAME = 6, 23  # columns
_BEGIN = 2 + _STATE + _NAME  # of what was found


def table(found: Iterable[Finding]) -> Iterator[str]:
    """Yield the lines: each group under its name, and the cure under what does not hold."""
    order = list(Group)
    known = sorted(found, key=lambda each: order.index(each.group))
    for group, several in groupby(known, key=lambda each: each.group):
        yield str(group)
        for each in several:
            yield from _lines(each)


def verdict(found: Iterable[Finding]) -> str:
    """Return the last line: how many things fail, and of how many nobody can be sure."""
    states = [each.state for each in found]
    fail, warn = states.count(State.FAIL), states.count(State.WARN)
    looked = counted(len(states), "thing")
    if not fail and not warn:
        return f"{looked} looked at, and everything holds"
    return f"{looked} looked at: {fail} fail, {warn} warn"


def _lines(each: Finding) -> Iterator[str]:
    head = f"  {each.state:<{_STATE}}{each.name:<{_NAME}}"
    body = wrapped(each.says or "it holds")
    cure = [] if each.state is State.OK or not each.do else wrapped(f"what to do: {each.do}")
    if len(each.name) >= _NAME:
        yield head.rstrip()
        head = " " * _BEGIN
    for at, line in enumerate([*body, *cure]):
        yield (head if at == 0 else " " * _BEGIN) + line


def wrapped(text: str) -> list[str]:
    """Return *text* in lines that fit beside the names; what has no space in it stays whole, so
    that it can be copied."""
    lines = wrap(text, _WIDTH - _BEGIN, break_long_words=False, break_on_hyphens=False)
    return lines or [""]
