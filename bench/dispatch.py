"""Send: mails per second with durable intents, beside senders that put nothing on file."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bench.campaign import HERE, SAMPLED, Campaign, made, sample
from bench.figures import Record
from bench.measure import Ran, Spread, python
from bench.postfix import Postfix, PostfixMissing, postfix
from bench.proxy import away

_CONNECTIONS = 10
_ONE_WAY_SECONDS = 0.010
_SHARE_ALONE = 4  # over one connection, and far away, fewer mails say as much
_SHARE_AWAY = 10
_SHARE_PLAIN = 20


@dataclass(frozen=True)
class Pair:
    """A run of `repermit send`, one of it with nothing left to send, and the other side's."""

    mails: int
    sent: Ran
    idle: Ran
    beside_per_second: float

    @property
    def per_second(self) -> float:
        """Return mails per second of the whole command."""
        return self.mails / self.sent.seconds

    @property
    def running_per_second(self) -> float:
        """Return mails per second without what the command takes when nothing is to be sent."""
        return self.mails / (self.sent.seconds - self.idle.seconds)

    @property
    def cpu_ms(self) -> float:
        """Return milliseconds of CPU for each mail, without those of a command with none."""
        return (self.sent.cpu_seconds - self.idle.cpu_seconds) / self.mails * 1e3


@dataclass(frozen=True)
class Bench:
    """What the figures of one run of the benchmarks share."""

    folder: Path
    record: Record
    postfix: Postfix
    runs: int

    def send(self, mails: int, *, connections: int) -> None:
        """Print the figure of `repermit send` beside smtp-source, to the same smtp-sink."""
        campaign = made(self.folder / f"send-{connections}", mails)
        content, size = self._content(campaign)
        pairs = []
        with self.postfix.sinking() as port:
            for _ in range(self.runs):
                beside = mails / self.postfix.source_seconds(
                    port, content, mails=mails, connections=connections
                )
                sent, idle = self._sent(campaign, port, connections=connections, mails=mails)
                pairs.append(Pair(mails, sent, idle, beside))
        ours = Spread.of([each.per_second for each in pairs])
        theirs = Spread.of([each.beside_per_second for each in pairs])
        ratio = Spread.of([e.per_second / e.beside_per_second for e in pairs])
        started = Spread.of([e.running_per_second / e.beside_per_second for e in pairs])
        print(
            f"send, {mails:,} mails of {size:,} bytes, connections {connections}:"
            f" {ours:,.0f} mails/s,"
            f" {Spread.of([each.running_per_second for each in pairs]):,.0f} once started,"
            f" {_costs(pairs)}; smtp-source: {theirs:,.0f};"
            f" ratio {ratio:.2f}, {started:.2f} once started",
            flush=True,
        )
        self.record.note(
            "send" if connections == _CONNECTIONS else "send alone",
            ratio.median,
            f"{mails:,} mails of {size:,} bytes, {ours.median:,.0f} mails/s against"
            f" {theirs.median:,.0f}; {started.median:.2f} once started",
        )

    def distance(self, mails: int, plain_mails: int, *, connections: int) -> None:
        """Print the figure of `repermit send` beside plain aiosmtplib, to a relay far away."""
        campaign = made(self.folder / f"distance-{connections}", mails)
        content, size = self._content(campaign)
        pairs, round_trips = [], []
        with self.postfix.sinking() as sink, away(sink, seconds=_ONE_WAY_SECONDS) as port:
            for _ in range(self.runs):
                words = (str(port), str(connections), str(plain_mails), content)
                told = json.loads(python("-m", "bench.plain", *words, cwd=HERE).out)
                round_trips.append(told["round_trip"])
                sent, idle = self._sent(campaign, port, connections=connections, mails=mails)
                pairs.append(Pair(mails, sent, idle, told["mails"] / told["seconds"]))
        ours = Spread.of([each.running_per_second / connections for each in pairs])
        theirs = Spread.of([each.beside_per_second / connections for each in pairs])
        ratio = Spread.of([each.running_per_second / each.beside_per_second for each in pairs])
        print(
            f"send, {mails:,} mails of {size:,} bytes, connections {connections}, round trip"
            f" {Spread.of(round_trips).median * 1e3:.1f} ms: {ours:.1f} mails/s per connection"
            f" once started; plain aiosmtplib: {theirs:.1f}; ratio {ratio:.2f}",
            flush=True,
        )
        self.record.note(
            "away" if connections == _CONNECTIONS else "away alone",
            ratio.median,
            f"{ours.median:.1f} mails/s against {theirs.median:.1f}, {ratio.least:.2f} to"
            f" {ratio.most:.2f}",
        )

    def memory(self, recipients: int) -> None:
        """Print what `repermit send` needs for so many recipients, all of them sent to, once."""
        campaign = made(self.folder / "memory", recipients)
        with self.postfix.sinking() as port:
            sent, _ = self._sent(campaign, port, connections=_CONNECTIONS, mails=recipients)
        print(
            f"send, {recipients:,} mails, connections {_CONNECTIONS}:"
            f" {recipients / sent.seconds:,.0f} mails/s, {sent.peak_bytes / 1e6:,.0f} MB",
            flush=True,
        )

    def _content(self, campaign: Campaign) -> tuple[Path, int]:
        """Return a file with a mail of *campaign* in lines of this system, and its size as sent."""
        mail, path = sample(campaign, self.folder / "sample"), self.folder / "mail.eml"
        shutil.rmtree(self.folder / "sample")
        path.write_bytes(mail.replace(b"\r\n", b"\n"))
        return path, len(mail)

    def _sent(
        self, campaign: Campaign, port: int, *, connections: int, mails: int
    ) -> tuple[Ran, Ran]:
        """Send a fresh copy of *campaign*, then send it again, when there is nothing to send."""
        folder = self.folder / "copy"
        copy = campaign.sending(folder, port=port, connections=connections)
        os.sync()  # what the making of the campaign left to write is not its sending
        done = copy.send(mails=mails), copy.send(mails=0)
        shutil.rmtree(folder)
        return done


def run(
    folder: Path,
    record: Record,
    names: Collection[str],
    *,
    mails: int,
    runs: int,
    recipients: int,
) -> None:
    """Note the figures of sending that are among *names*; say so when they cannot be had."""
    try:
        bench = Bench(folder, record, postfix(folder), runs)
    except PostfixMissing as missing:
        print(f"send: left out, {missing}")
        return
    if "send" in names:
        bench.send(mails, connections=_CONNECTIONS)
        bench.send(mails // _SHARE_ALONE, connections=1)
    if "distance" in names:
        for connections in (_CONNECTIONS, 1):
            share = _CONNECTIONS // connections
            bench.distance(
                max(mails // _SHARE_AWAY // share, SAMPLED),
                max(mails // _SHARE_PLAIN // share, connections),
                connections=connections,
            )
    if recipients:
        bench.memory(recipients)


def _costs(pairs: list[Pair]) -> str:
    cpu = Spread.of([each.cpu_ms for each in pairs])
    peak = max(each.sent.peak_bytes for each in pairs)
    start = Spread.of([each.idle.seconds for each in pairs])
    return f"start {start.median:.1f} s, {cpu:.2f} ms CPU a mail, {peak / 1e6:,.0f} MB"
