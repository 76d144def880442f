"""A campaign of made-up people, made and sent by the commands, as an operator does."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bench.measure import Ran, python
from bench.ports import LOOPBACK, free_port

HERE = Path(__file__).parent.parent
_AS_FAST_AS_IT_GOES = 1_000_000  # mails a second
SAMPLED = 20  # so that every language is among them


@dataclass(frozen=True)
class Campaign:
    """A campaign on disk."""

    folder: Path

    def run(self, *words: str | Path, said: str = "") -> Ran:
        """Run a command that must succeed; *said* is what it hears on standard input."""
        config = self.folder / "config.toml"
        return python("-m", "repermit", "--config", config, *words, cwd=HERE, said=said)

    def set(self, table: str, **settings: str) -> None:
        """Write settings into a table of the config, where it has them, also those that are off."""
        path = self.folder / "config.toml"
        before, head, rest = path.read_text("utf-8").partition(f"\n[{table}]\n")
        end = rest.find("\n[")
        own, after = rest[:end], rest[end:]
        for key, value in settings.items():
            own = re.sub(rf"^#?{key} = .*$", f"{key} = {value}", own, flags=re.MULTILINE)
        path.write_text(before + head + own + after, "utf-8")

    def copied(self, folder: Path) -> Campaign:
        """Return a fresh copy."""
        shutil.copytree(self.folder, folder)
        return Campaign(folder)

    def sending(self, folder: Path, *, port: int, connections: int) -> Campaign:
        """Return a fresh copy that sends to the relay at *port*."""
        copy = self.copied(folder)
        copy.set("relay", url=f'"smtp://{LOOPBACK}:{port}"', connections=str(connections))
        return copy

    def status(self) -> dict[str, Any]:
        """Return what `status` says."""
        told: dict[str, Any] = json.loads(self.run("status", "--json").out)
        return told

    def standings(self) -> dict[str, int]:
        """Return how many recipients stand where."""
        told: dict[str, int] = self.status()["standings"]
        return told

    def send(self, *, mails: int, limit: int | None = None) -> Ran:
        """Send, which must be *mails* mails that the relay takes, and return what it cost."""
        done = self.run("send", "--json", *(("--limit", str(limit)) if limit else ()))
        if (asked := json.loads(done.out)["asked"]) != mails:
            raise RuntimeError(f"{asked} of {mails} mails left: {done.out}")
        return done


def made(folder: Path, people: int) -> Campaign:
    """Return an approved campaign of so many people, each of whom may be asked."""
    python("-m", "repermit", "init", folder, "--yes", cwd=HERE)
    campaign = Campaign(folder)
    campaign.set("policy", accepted_by='"An Peeters"')
    campaign.set("relay", per_second=str(_AS_FAST_AS_IT_GOES), waves="[]")
    listed = folder / "list.csv"
    with listed.open("w", encoding="utf-8") as file:
        file.write("E-mailadres,Taal\n")
        for number in range(people):
            file.write(
                f"lid{number}@postbus{number % 200}.example,{'nl' if number % 2 else 'fr'}\n"
            )
    done = campaign.run(
        *("import", listed, "--relationship", "signed_up_no_proof", "--country", "BE"),
        *("--source", "tuindagen", "--collected", "2025-03-01", "--json"),
    )
    if (may_be_asked := json.loads(done.out)["listed"]) != people:
        raise RuntimeError(f"{may_be_asked} of {people} people may be asked: {done.out}")
    campaign.run("suppress", "--none", "nobody ever opted out")
    campaign.run("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    return campaign


def made_once(folder: Path, people: int) -> Campaign:
    """Return such a campaign, made in *folder* unless another benchmark has; it is for copying."""
    ready, making = folder / f"people-{people}", folder / f"making-{people}"
    if not ready.exists():
        shutil.rmtree(making, ignore_errors=True)
        made(making, people)
        making.rename(ready)
    return Campaign(ready)


class _Keeps:
    """What an SMTP server does with its mails: it keeps them."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - aiosmtpd's
        """Keep one mail."""
        assert isinstance(envelope.content, bytes)  # noqa: S101 - not decoded unless asked to
        self.mails.append(envelope.content)
        return "250 2.0.0 ok"


def sample(campaign: Campaign, folder: Path) -> bytes:
    """Return the bytes of one mail of *campaign*, as a relay gets it: the shortest of a few."""
    with keeping() as (kept, port):
        few = campaign.sending(folder, port=port, connections=1)
        few.send(mails=SAMPLED, limit=SAMPLED)
    return min(kept.mails, key=len)


def ask_all(campaign: Campaign, mails: int) -> None:
    """Send everybody of *campaign* their mail, to a relay that forgets them."""
    with keeping() as (_, port):
        campaign.set("relay", url=f'"smtp://{LOOPBACK}:{port}"')
        campaign.send(mails=mails)


@contextmanager
def keeping() -> Iterator[tuple[_Keeps, int]]:
    """Run a server that keeps its mails, for the length of a block; yield it and its port."""
    kept, port = _Keeps(), free_port()
    server = Controller(kept, hostname=LOOPBACK, port=port)
    server.start()
    try:
        yield kept, port
    finally:
        server.stop()
