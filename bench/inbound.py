"""Inbound: how fast what comes back is read and settled, and how often it is read right."""

from __future__ import annotations

import email
import json
import logging
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from flufl.bounce import all_failures

from bench.campaign import HERE, Campaign, made
from bench.figures import Record
from bench.measure import Spread, python
from repermit.domain.clock import SystemClock
from repermit.domain.envelope import Of, SignedNames
from repermit.domain.token import Tokens
from repermit.inbound.maildir import Maildir
from repermit.inbound.reading import Kind, Reading, read
from repermit.runtime import Runtime
from tests.inbound.corpus import NAMES, TOKENS, Letter, letters

_DOMAIN = "bounces.example.org"
_KINDS = (Kind.HARD, Kind.TEMPORARY)  # of somebody's own collection
_SHOWN = 150  # of the messages that are read otherwise


def run(folder: Path, record: Record, *, messages: int, runs: int, bounces: str) -> None:
    """Note the figures of a maildir of *messages*, how often our own are read right, and those of
    the collection in the folder *bounces* when there is one."""
    logging.disable(logging.ERROR)  # flufl.bounce tells of each of its detectors that fails
    _speed(folder / "inbound", record, messages, runs)
    _accuracy()
    if bounces:
        _collection(Path(bounces))


def _speed(folder: Path, record: Record, messages: int, runs: int) -> None:
    campaign = made(folder, messages)
    campaign.set("relay", envelope_domain=f'"{_DOMAIN}"')
    python("-m", "bench.proofs", "asked", folder / "config.toml", str(messages), cwd=HERE)
    runtime = Runtime.of(folder / "config.toml", SystemClock())
    names, tokens = SignedNames(runtime.keys.message, _DOMAIN), Tokens(runtime.keys.tokens)
    box = folder / "box"
    _fill(box, names, tokens, messages)
    paths = Maildir(box).waiting()
    bare, ours = [], []
    for _ in range(runs):
        bare.append(_per_second(paths, email.message_from_bytes))
        ours.append(_per_second(paths, lambda content: read(content, names, tokens)))
    ratio = Spread.of([one / other for one, other in zip(ours, bare, strict=True)])
    print(
        f"inbound, {messages:,} messages, read: {Spread.of(ours):,.0f}/s;"
        f" bare email.message_from_bytes: {Spread.of(bare):,.0f}/s; ratio {ratio:.2f}",
        flush=True,
    )
    beside = f"{statistics.median(ours):,.0f}/s against {statistics.median(bare):,.0f}"
    record.note("read", ratio.median, f"{messages:,} messages, {beside}")
    _settled(campaign, record, box, messages, bare=statistics.median(bare))


def _settled(campaign: Campaign, record: Record, box: Path, messages: int, *, bare: float) -> None:
    done = campaign.run("inbound", "--maildir", box, "--json")
    empty = campaign.run("inbound", "--maildir", box, "--json")
    told = json.loads(done.out)
    if told["read"] != messages or json.loads(empty.out)["read"]:
        raise RuntimeError(f"{messages} messages were not handled once: {done.out} {empty.out}")
    rate = messages / (done.seconds - empty.seconds)
    print(
        f"inbound, read and settled by `repermit inbound`: {rate:,.0f}/s once started,"
        f" {(done.cpu_seconds - empty.cpu_seconds) / messages * 1e3:.2f} ms CPU a message,"
        f" {done.peak_bytes / 1e6:.0f} MB; ratio {rate / bare:.2f}",
        flush=True,
    )
    record.note("settle", rate / bare, f"{rate:,.0f}/s against {bare:,.0f}")


def _fill(box: Path, names: SignedNames, tokens: Tokens, messages: int) -> None:
    """Put so many messages into a maildir: those of the tests over and over, each about another
    recipient."""
    Maildir(box).make()
    forms = [letter for letter in letters() if _is_about_a_question(letter)]
    for number in range(messages):
        content = forms[number % len(forms)].about(number + 1, names, tokens)
        (box / "new" / f"1795000000.{number:06}.bench").write_bytes(content)


def _is_about_a_question(letter: Letter) -> bool:
    """Return whether it can be about any recipient, and is of a size that mails have."""
    of = letter.whose.of if letter.whose else None
    return of in (Of.QUESTION, Of.UNSUBSCRIBE) and letter.kind != "unreadable"


def _per_second(paths: Sequence[Path], parse: Callable[[bytes], object]) -> float:
    started = time.perf_counter()
    for path in paths:
        parse(path.read_bytes())
    return len(paths) / (time.perf_counter() - started)


def _accuracy() -> None:
    """Print how many of our own messages are read right, by class, beside flufl.bounce's word."""
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    second: Counter[str] = Counter()
    wrong, other = [], []
    for letter in letters():
        total[letter.kind] += 1
        kind = _kind(letter.content)
        right[letter.kind] += kind == letter.kind
        if kind != letter.kind:
            wrong.append(f"{letter.name}: {kind}")
        agrees = _agrees(letter)
        second[letter.kind] += agrees
        if not agrees:
            other.append(letter.name)
    _shares("read right", right, total)
    _list("read otherwise", wrong)
    _shares("flufl.bounce beside it", second, total)
    _list("flufl.bounce says otherwise", other)


def _shares(what: str, right: Counter[str], total: Counter[str]) -> None:
    told = ", ".join(f"{kind} {right[kind]}/{total[kind]}" for kind in total)
    print(f"inbound, {what}: {right.total()} of {total.total()}: {told}", flush=True)


def _agrees(letter: Letter) -> bool:
    """Return whether flufl.bounce says of a hard or temporary bounce what its folder does, and
    of anything else that nobody is dead."""
    temporary, permanent = all_failures(email.message_from_bytes(letter.content))
    match letter.kind:
        case Kind.HARD:
            return bool(permanent)
        case Kind.TEMPORARY:
            return bool(temporary) and not permanent
        case _:
            return not permanent


def _collection(folder: Path) -> None:
    """Print how the messages of somebody's own collection are read, and which otherwise."""
    for wanted in _KINDS:
        paths = sorted(path for path in (folder / wanted).rglob("*") if path.is_file())
        kinds = {path: _kind(path.read_bytes()) for path in paths}
        told = ", ".join(f"{kind} {times}" for kind, times in Counter(kinds.values()).most_common())
        share = (
            f" ({sum(kind == wanted for kind in kinds.values()) / len(paths):.1%})" if paths else ""
        )
        print(f"inbound, {folder.name}/{wanted}, {len(paths)} messages: {told}{share}", flush=True)
        _list(
            "read otherwise",
            [
                f"{path.relative_to(folder)}: {kind}"
                for path, kind in kinds.items()
                if kind != wanted
            ],
        )


def _kind(content: bytes) -> str:
    reading = read(content, NAMES, TOKENS)
    return str(reading.kind) if isinstance(reading, Reading) else "unreadable"


def _list(what: str, names: Sequence[str]) -> None:
    """Print some of *names*, and how many more there are."""
    if names:
        more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        print(f"  {what} ({len(names)}): {'; '.join(names[:_SHOWN])}{more}", flush=True)
