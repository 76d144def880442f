"""The most memory that each command needs beside a large ledger, and how long it takes there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bench.campaign import HERE, Campaign, keeping, made_once
from bench.figures import Record
from bench.measure import Ran, peak_bytes, python
from bench.pages import running
from bench.ports import LOOPBACK, free_port
from repermit.domain.clock import SystemClock
from repermit.domain.token import Scope
from repermit.runtime import Runtime

_SENT = 1_000  # mails; what a campaign needs, it needs from the first
_PERSON = "lid0@postbus0.example\n"
_PEOPLE = "lid1@postbus1.example\n"


@dataclass(frozen=True)
class Bench:
    """One campaign, on which each command is run in turn."""

    campaign: Campaign
    record: Record
    people: int

    def before(self) -> None:
        """Measure what is done before the last day to answer."""
        folder = self.campaign.folder
        people = folder / "people.txt"
        people.write_text(_PEOPLE, "utf-8")
        (folder / "box" / "new").mkdir(parents=True)
        for name in ("cur", "tmp"):
            (folder / "box" / name).mkdir()
        self._run("suppress", people)
        self._run("screen")
        self._run("preview", "--out", folder / "shown")
        self._run("approve", "--by", "An Peeters", "--informed", "Jan Claes")
        with keeping() as (_, port):
            self.campaign.set("relay", url=f'"smtp://{LOOPBACK}:{port}"')
            self._run("send", "--limit", str(min(_SENT, self.people // 2)))
        self._run("doubt list")
        self._run("inbound", "--maildir", folder / "box")

    def after(self) -> None:
        """Measure what is done once everybody had a mail and a fifth said yes."""
        folder = self.campaign.folder
        config = folder / "config.toml"
        python("-m", "bench.purges", "asked", config, str(self.people), cwd=HERE)
        self._serve()
        self._run("status", "--json")
        self._run("person", "--json", said=_PERSON)
        self._run("withdraw", folder / "people.txt")
        self._run("export", "--out", folder / "opted-in.csv")
        self._run("handover", folder / "handed")
        self._run("papers register", "--out", folder / "register.html")
        self._run("report", "--out", folder / "report.html")
        self._run("proof verify")
        for name in ("copies", "copied-keys"):
            (folder / name).mkdir()
        self._run("backup", folder / "copies", "--keys", folder / "copied-keys")
        entries = self.campaign.status()["log"]["size"]
        self._run("restore", folder / "copies", "--instead", str(entries))

    def _run(self, name: str, *words: str | Path, said: str = "") -> None:
        """Note what one command costs; say so when it cannot be run."""
        try:
            self._note(name, self.campaign.run(*name.split(), *words, said=said))
        except RuntimeError as failure:
            print(f"commands, {name}: left out, {failure}", flush=True)

    def _note(self, name: str, cost: Ran) -> None:
        megabytes = cost.peak_bytes / 1e6
        print(f"commands, {name}: {megabytes:,.0f} MB, {cost.seconds:.1f} s", flush=True)
        said = f"{self.people:,} people, {cost.seconds:.1f} s"
        self.record.note(f"memory {name}", megabytes, said)

    def _serve(self) -> None:
        """Note what `serve` needs by the time that it has shown a page."""
        port = free_port()
        self.campaign.set("web", bind=f'"{LOOPBACK}:{port}"')
        config = self.campaign.folder / "config.toml"
        token = Runtime.of(config, SystemClock()).tokens.issue(Scope.ANSWER, 1)
        with running("repermit", "--config", config, "serve", port=port) as pid:
            urlopen(f"http://{LOOPBACK}:{port}/yes/{token}").close()
            megabytes = peak_bytes(pid) / 1e6
        print(f"commands, serve: {megabytes:,.0f} MB", flush=True)
        self.record.note("memory serve", megabytes, f"{self.people:,} people, one page shown")


def run(folder: Path, record: Record, people: int) -> None:
    """Note the figures of every command beside a ledger of *people*."""
    bench = Bench(made_once(folder.parent, people).copied(folder / "commands"), record, people)
    bench.before()
    bench.after()
