from __future__ import annotations

import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from repermit.domain.standing import Standing
from repermit.errors import ListKept
from repermit.ledger.engine import Ledger
from repermit.ledger.store import admission, elsewhere, originals
from repermit.ledger.store.admission import Tally
from repermit.ledger.store.elsewhere import Written
from repermit.ledger.transaction import Transaction
from repermit.report.original import destroy, look
from tests.builders import FakeClock, verified
from tests.purge.builders import Killed, dying
from tests.report.test_export import log_payloads

CONTENT = b"email;land\nan@voorbeeld.example;BE\n" * 50_000  # more than is written at once


async def imported(ledger: Ledger, content: bytes = CONTENT) -> None:
    """Note the import of a list of that content."""

    def part(tx: Transaction) -> None:
        intake_id, _ = admission.begin_intake(tx, sha256(content).hexdigest())
        admission.finish_intake(tx, intake_id, Tally(read=50_000), {})

    await ledger.write(part)


async def hand_over(ledger: Ledger) -> None:
    """Note a hand-over of nobody."""
    sight = await ledger.read(elsewhere.seen)
    written = [Written(Standing.EXEMPT, None, "csv", 0, "a" * 64)]
    await ledger.write(elsewhere.note_export, sight, written)


def read(path: Path) -> bytes | None:
    """Return what lies at *path*, or None."""
    return path.read_bytes() if path.exists() else None


def write(path: Path, content: bytes) -> None:
    """Put *content* there."""
    path.write_bytes(content)


@pytest.fixture
async def a_list(a_ledger: Ledger, tmp_path: Path) -> Path:
    """A list that was taken in and handed over."""
    await imported(a_ledger)
    await hand_over(a_ledger)
    path = tmp_path / "outside" / "old [list].csv"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


async def test_a_list_is_overwritten_and_removed_and_the_log_says_so(
    a_ledger: Ledger, a_list: Path
) -> None:
    assert await a_ledger.read(originals.count_left) == 1
    held = os.open(a_list, os.O_RDONLY)  # what is left of it on the disk

    original = await look(a_ledger, a_list)
    await destroy(a_ledger, original)

    assert (original.name, original.size, original.of.rows) == (
        a_list.name,
        len(CONTENT),
        50_000,
    )
    assert os.pread(held, len(CONTENT) + 1, 0) == bytes(len(CONTENT))
    os.close(held)
    assert list(a_list.parent.iterdir()) == []
    (said,) = await log_payloads(a_ledger, "destroyed")
    assert said == {"import": 1, "sha256": sha256(CONTENT).hexdigest()}
    assert await a_ledger.read(originals.count_left) == 0
    assert (await verified(a_ledger)).holds


async def test_nothing_is_destroyed_before_the_hand_over_or_of_a_list_that_came_after_it(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(CONTENT)
    await imported(a_ledger)
    with pytest.raises(ListKept, match="was not handed over yet") as kept:
        await look(a_ledger, path)
    assert kept.value.hint.startswith("`repermit handover DIR`")

    await hand_over(a_ledger)
    a_clock.advance(timedelta(minutes=1))
    await imported(a_ledger)

    with pytest.raises(ListKept, match="it was imported since"):
        await look(a_ledger, path)
    assert path.read_bytes() == CONTENT


async def test_only_a_list_of_this_campaign_is_destroyed(a_ledger: Ledger, a_list: Path) -> None:
    write(a_list, CONTENT + b"\n")

    with pytest.raises(ListKept, match="no list that was imported here"):
        await look(a_ledger, a_list)

    assert read(a_list) == CONTENT + b"\n"


async def test_a_list_that_changed_after_it_was_looked_at_is_kept(
    a_ledger: Ledger, a_list: Path
) -> None:
    original = await look(a_ledger, a_list)
    write(a_list, b"something else")

    with pytest.raises(ListKept, match="has changed meanwhile"):
        await destroy(a_ledger, original)

    assert read(a_list) == b"something else"


async def test_what_is_no_plain_file_of_one_name_is_left_alone(
    a_ledger: Ledger, a_list: Path
) -> None:
    link, pipe = a_list.with_name("link.csv"), a_list.with_name("pipe.csv")
    link.symlink_to(a_list)
    os.mkfifo(pipe)
    for path, why in ((link, "it is a link"), (pipe, "is no file"), (a_list.parent, "directory")):
        with pytest.raises(ListKept, match=why):
            await look(a_ledger, path)
    with pytest.raises(ListKept, match="No such file"):
        await look(a_ledger, a_list.with_name("nothing.csv"))
    a_list.with_name("other.csv").hardlink_to(a_list)

    with pytest.raises(ListKept, match="has another name too"):
        await look(a_ledger, a_list)

    assert read(a_list) == CONTENT


@pytest.mark.parametrize("after", [False, True])
async def test_a_destruction_that_was_killed_goes_on(
    a_ledger: Ledger, a_clock: FakeClock, a_list: Path, *, after: bool
) -> None:
    """At its write: the file lies overwritten under a hidden name, and nothing is said twice."""
    original = await look(a_ledger, a_list)
    other = dying(a_ledger, a_clock, writes=1, after=after)
    with pytest.raises(Killed):
        await destroy(other, original)
    await other.close()
    assert read(a_list) is None
    (hidden,) = a_list.parent.iterdir()
    assert hidden.read_bytes() == bytes(len(CONTENT))

    again = await look(a_ledger, a_list)
    await destroy(a_ledger, again)

    assert list(a_list.parent.iterdir()) == []
    assert len(await log_payloads(a_ledger, "destroyed")) == 1
