"""Texts on which a pattern would take longest, made of its own pieces: what precedes each of its
repetitions, and then what is repeated there, again and again.

Run as a programme, it gives them to every pattern of the package, each in a process of its own,
which is killed when it takes out of proportion.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
import signal
from collections.abc import Callable, Iterator
from re import _constants, _parser  # type: ignore[attr-defined]  # private
from types import ModuleType
from typing import Any

import repermit.inbound

SHORT, LONG = 200, 30_000  # characters
SECONDS = 0.5  # of work on one text: ten times what the slowest takes
_END = "\1"  # which nothing takes
_REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}
_OF_CLASSES = {
    _constants.CATEGORY_DIGIT: "1",
    _constants.CATEGORY_SPACE: " ",
    _constants.CATEGORY_WORD: "a",
}
_ANYTHING = "a1 -.@<=\t~"


def patterns() -> Iterator[tuple[str, re.Pattern[Any], str]]:
    """Yield every pattern of the package: its name, itself, and the method that it is used by."""
    for found in pkgutil.iter_modules(repermit.inbound.__path__, "repermit.inbound."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            for each, way in _held(value):
                if way or not hasattr(value, "pattern"):
                    yield f"{found.name}.{name}", each, way or "search"
                else:
                    for used in _ways(module, name):
                        yield f"{found.name}.{name}", each, used


def _held(value: object) -> Iterator[tuple[re.Pattern[Any], str]]:
    """Yield the patterns that a name of a module holds, by whatever means."""
    bound = getattr(value, "__self__", None)
    if isinstance(value, re.Pattern):
        yield value, ""
    elif isinstance(bound, re.Pattern):
        yield bound, getattr(value, "__name__", "")
    elif hasattr(value, "cache_info") and not inspect.signature(value).parameters:  # type: ignore[arg-type]  # a function
        made = value()  # type: ignore[operator]  # a cached function is called
        yield from ((each, way) for way in ("fullmatch", "match") for each, _ in _held(made))
    elif isinstance(value, dict):
        for one in value.values():
            yield from _held(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _held(one)


def _ways(module: ModuleType, name: str) -> set[str]:
    """Return the methods by which a pattern is used; `search` where the source does not tell."""
    found = set(re.findall(rf"\b{name}\.(\w+)", inspect.getsource(module)))
    ways = {way if way in ("match", "fullmatch") else "search" for way in found}
    return ways or {"search"}


def attacks(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, bool]]:
    """Yield what a text begins with, what is repeated after it, and whether the pattern has no
    bound for that."""
    source, flags = pattern.pattern, pattern.flags
    if isinstance(source, bytes):
        source = source.decode("latin-1")
        flags |= re.UNICODE
    yield from dict.fromkeys(_attacks(_parser.parse(source, flags), ""))


def _attacks(tree: Any, before: str) -> Iterator[tuple[str, str, bool]]:
    done = ""
    for kind, value in tree:
        here = before + done
        if kind is _constants.BRANCH:
            for branch in value[1]:
                yield from _attacks(branch, here)
        elif kind in _REPEATS:
            _, most, body = value
            endless = most is _constants.MAXREPEAT
            for piece in _pieces(body):
                if most > 1:
                    yield here, piece, endless
                    yield "", here + piece, endless
                    yield "", done + piece, endless
            yield from _attacks(body, here)
        elif kind is _constants.SUBPATTERN:
            yield from _attacks(value[3], here)
        elif kind is _constants.ATOMIC_GROUP:
            yield from _attacks(value, here)
        done += _least([(kind, value)])
    if done:
        yield "", done, False


def _pieces(body: Any) -> Iterator[str]:
    """Yield what a repetition may repeat: each of its branches, and every kind of character."""
    items = list(body)
    if len(items) == 1 and items[0][0] is _constants.SUBPATTERN:
        items = list(items[0][1][3])
    if len(items) == 1 and items[0][0] is _constants.BRANCH:
        yield from filter(None, map(_least, items[0][1][1]))
    elif len(items) == 1 and items[0][0] in (
        _constants.ANY,
        _constants.IN,
        _constants.NOT_LITERAL,
    ):
        one = re.compile(r"[\s\S]")
        yield from (letter for letter in _ANYTHING if one.match(letter))
        yield _least(items)
    elif least := _least(items):
        yield least


def _least(tree: Any) -> str:
    """Return a short text that a piece of a pattern takes."""
    return "".join(_of_one(kind, value) for kind, value in tree)


def _of_one(kind: Any, value: Any) -> Any:
    if kind is _constants.LITERAL:
        return chr(value)
    if kind is _constants.NOT_LITERAL:
        return "b" if value == ord("a") else "a"
    if kind is _constants.ANY:
        return "a"
    if kind is _constants.IN:
        return _of_set(value)
    if kind is _constants.BRANCH:
        return _least(value[1][0])
    if kind is _constants.SUBPATTERN:
        return _least(value[3])
    if kind in _REPEATS:
        least, _, body = value
        return _least(body) * max(least, 1 if least else 0)
    return ""


def _of_set(members: Any) -> str:
    if members[0][0] is _constants.NEGATE:
        pattern = {chr(value) for kind, value in members if kind is _constants.LITERAL}
        return next(letter for letter in "az5 -" if letter not in pattern)
    kind, value = members[0]
    if kind is _constants.RANGE:
        return chr(value[0])
    return chr(value) if kind is _constants.LITERAL else _OF_CLASSES.get(value, "~")


def main() -> None:
    """Print, of each pattern that takes out of proportion, its name and the text that does it."""
    for name, pattern, way in patterns():
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            _look(pattern, way, writer)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as told:
            *_, last = told.read().splitlines() or [""]
        if os.waitpid(child, 0)[1]:
            print(f"{name}.{way}: {last}", flush=True)


def _look(pattern: re.Pattern[Any], way: str, told: int) -> None:
    look: Callable[[Any], object] = getattr(pattern, way)
    for begin, piece, endless in attacks(pattern):
        os.write(told, f"{begin!r} and then {piece!r} again and again\n".encode())
        for length in (SHORT, LONG) if endless else (SHORT,):
            text = begin + piece * (length // len(piece)) + _END
            is_bytes = isinstance(pattern.pattern, bytes)
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            look(text.encode("latin-1", "replace") if is_bytes else text)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)


if __name__ == "__main__":
    main()
