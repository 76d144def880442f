"""Empties a mailbox: every message in it is handled, and goes where it belongs.

Nothing breaks when two processes do so at once: a message that another has taken is gone, or
settled already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from repermit.errors import MailboxUnusable
from repermit.files import shown
from repermit.inbound import maildir
from repermit.inbound.digest import place_digest
from repermit.inbound.handling import BATCH, Desk, Handled, Looked
from repermit.inbound.imap import HANDLED, QUARANTINE, Imap, ImapAt
from repermit.inbound.maildir import Maildir
from repermit.inbound.quarantine import Quarantine
from repermit.inbound.reading import Reading, Unreadable
from repermit.inbound.settle import Outcome
from repermit.ledger.store import handled

T = TypeVar("T")
Stopped = Callable[[], bool]
Told = Callable[[int], None]


def never() -> bool:
    """Say that nobody wants it to end."""
    return False


@dataclass
class FileBox:
    """Empties a maildir; what is nobody's here goes into the quarantine."""

    desk: Desk
    box: Maildir
    quarantine: Quarantine
    _stay: set[str] = field(default_factory=set)  # names of messages that stay
    _failed: list[OSError] = field(default_factory=list)

    async def empty(self, *, stopped: Stopped = never, told: Told = lambda _: None) -> bool:
        """Handle what waits, and what comes in meanwhile; *told* is given how many wait. Returns
        whether it was read to its end.

        Raises: MailboxUnusable when it is no maildir, or when messages in it could not be read or
        put away: all others are handled then. Crash: what was settled is handled again, which
        changes nothing.
        """
        first = True
        while found := await asyncio.to_thread(self._waiting):
            if first:
                told(len(found))
            first = False
            for batch in slices(found, BATCH):
                if stopped():
                    return False
                await self._handle(batch)
        if self._failed:
            raise self._unusable()
        return True

    async def is_waiting(self) -> bool:
        """Return whether there is a message that was not handled, or tried, yet."""
        return bool(await asyncio.to_thread(self._waiting))

    async def look(self) -> list[Reading | Unreadable]:
        """Return how each message that waits would be read; nothing is changed."""

        def look() -> list[Reading | Unreadable]:
            contents = (self._content(path) for path in self._waiting())
            return [self.desk.look(each)[1] for each in contents if each is not None]

        return await asyncio.to_thread(look)

    def _waiting(self) -> list[Path]:
        return [path for path in self.box.waiting() if _name(path) not in self._stay]

    async def _handle(self, batch: Sequence[Path]) -> None:
        found = await asyncio.to_thread(self._look, batch)
        done = await self.desk.settle([looked for _, looked in found])
        await asyncio.to_thread(self._put_away, [path for path, _ in found], done)

    def _look(self, batch: Sequence[Path]) -> list[tuple[Path, Looked]]:
        contents = ((path, self._content(path)) for path in batch)
        return [(path, self.desk.look(each)) for path, each in contents if each is not None]

    def _content(self, path: Path) -> bytes | None:
        try:
            return maildir.content(path)
        except OSError as failure:
            self._keep(path, failure)
            return None

    def _put_away(self, paths: Sequence[Path], done: Sequence[Handled]) -> None:
        for path, each in zip(paths, done, strict=True):
            if each.is_kept:
                self._stay.add(_name(path))
                continue
            try:
                if not each.reason:
                    maildir.remove(path)
                elif self.quarantine.take(path, each.reason, each.why, now=self.desk.now()):
                    self.desk.tally.quarantined += 1
            except OSError as failure:
                self._keep(path, failure)

    def _keep(self, path: Path, failure: OSError) -> None:
        self._stay.add(_name(path))
        self._failed.append(failure)
        self.desk.tally.waiting += 1

    def _unusable(self) -> MailboxUnusable:
        count, why = len(self._failed), self._failed[0].strerror
        return MailboxUnusable(
            f"{count:,} of the messages in {shown(self.box.folder.name)} cannot be read, or not be"
            f" put away ({why}); they stay there",
            hint="let the user who runs this command read and remove what is in it, and make room"
            " beside the ledger; then `repermit inbound`",
        )


@dataclass(frozen=True)
class ImapBox:
    """Empties a folder that is read by IMAP. What is nobody's here stays in it, unseen, and is not
    fetched again."""

    desk: Desk
    at: ImapAt

    async def empty(self, *, stopped: Stopped = never, told: Told = lambda _: None) -> bool:
        """Handle what waits; *told* is given how many wait. Returns whether it was read to its end.

        Raises: MailboxUnusable; what was handled by then is on file. Crash: as of a maildir.
        """
        imap = await asyncio.to_thread(Imap, self.at)
        try:
            new = await self._new(imap)
            if new:
                told(len(new))
            for batch in slices(new, BATCH):
                if stopped():
                    return False
                await self._handle(imap, batch)
            return True
        finally:
            await asyncio.to_thread(imap.close)

    async def look(self) -> list[Reading | Unreadable]:
        """Return how each message that waits would be read; nothing is changed."""
        imap = await asyncio.to_thread(Imap, self.at)
        try:
            new = await self._new(imap)
            return [looked[1] for _, looked in await asyncio.to_thread(self._look, imap, new)]
        finally:
            await asyncio.to_thread(imap.close)

    async def _new(self, imap: Imap) -> list[int]:
        """Return the numbers of the messages that are not known to be others'."""
        uids = await asyncio.to_thread(imap.uids)
        digests = [self._digest(imap, uid) for uid in uids]
        is_new = await self.desk.ledger.read(handled.unknown, digests)
        return [uid for uid, new in zip(uids, is_new, strict=True) if new]

    async def _handle(self, imap: Imap, batch: Sequence[int]) -> None:
        found = await asyncio.to_thread(self._look, imap, batch)
        done = await self.desk.settle([looked for _, looked in found])
        places: dict[str, list[int]] = {"": [], HANDLED: [], QUARANTINE: []}
        for (uid, _), each in zip(found, done, strict=True):
            if not each.is_kept:
                places[_place(each)].append(uid)
        left = [self._digest(imap, uid) for uid in places.pop("")]
        if left:
            await self.desk.ledger.write(handled.leave, left, str(Outcome.NOT_OURS))
        for folder, uids in places.items():
            await asyncio.to_thread(imap.put, uids, folder)
        self.desk.tally.quarantined += len(places[QUARANTINE])
        self.desk.tally.on_server += len(places[QUARANTINE])

    def _look(self, imap: Imap, uids: Sequence[int]) -> list[tuple[int, Looked]]:
        contents = ((uid, imap.content(uid)) for uid in uids)
        return [(uid, self.desk.look(each)) for uid, each in contents if each is not None]

    def _digest(self, imap: Imap, uid: int) -> bytes:
        return place_digest(self.at.identity(imap.validity, uid), self.desk.key)


def _place(done: Handled) -> str:
    """Return the folder for a message; empty for one that stays where it is."""
    if done.outcome is Outcome.NOT_OURS:
        return ""
    return QUARANTINE if done.reason else HANDLED


def _name(path: Path) -> str:
    """Return the name of a message without its flags, which change as it is moved and read."""
    return path.name.partition(":")[0]


def slices(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield *whole* in parts of at most *size*."""
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
