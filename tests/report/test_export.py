from __future__ import annotations

import asyncio
import csv
import json
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import pytest

from repermit.domain.address import parse
from repermit.domain.clock import iso
from repermit.domain.standing import Answer
from repermit.errors import FileRefused, KeysUnusable, ProofBroken
from repermit.ledger.engine import Ledger
from repermit.ledger.instants import to_micros
from repermit.ledger.store import erasing, suppression
from repermit.ledger.store.elsewhere import Changes
from repermit.ledger.transaction import Transaction
from repermit.report.export import Done, export_opt_ins, export_opt_outs, new_file
from repermit.report.formats import FORMATS
from tests.builders import FakeClock, a_newcomer, ask, asked, press, take_in, verified
from tests.databases import another

P = ParamSpec("P")
T = TypeVar("T")
COLUMNS = ["email", "confirmed_on", "purposes", "language", "proof", "withdraw"]


async def fill(ledger: Ledger, clock: FakeClock) -> None:
    """Ask six: three say yes to this or that, one no, one nothing; one takes a yes back."""
    await ledger.write(take_in, [a_newcomer("marié@voorbeeld.example", language=None)])
    await ask(ledger, 1)
    ids = await asked(ledger, *(f"r{number}@voorbeeld.example" for number in range(2, 7)))
    await press(ledger, 1, Answer.YES, purposes=("newsletter", "fair"))
    clock.advance(timedelta(days=1))
    await press(ledger, ids[0], Answer.YES, purposes=("fair",))
    await press(ledger, ids[1], Answer.YES)
    await press(ledger, ids[2], Answer.NO)
    await press(ledger, ids[3], Answer.YES)
    clock.advance(timedelta(minutes=1))
    await press(ledger, ids[3], Answer.NO)


def link(recipient_id: int) -> str:
    """Return what stands in for a link."""
    return f"https://mail.example.org/u/{recipient_id}"


async def exported(
    ledger: Ledger, path: Path, *, purpose: str | None = None, form: str = "csv"
) -> Done:
    """Export the opt-ins to *path*."""
    return await export_opt_ins(ledger, path, form=form, purpose=purpose, link=link)


def rows_of(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


async def log_payloads(ledger: Ledger, kind: str) -> list[dict[str, Any]]:
    """Return what the log says of that kind."""
    sql = 'SELECT payload FROM log WHERE kind = ? ORDER BY "index"'
    return [json.loads(row[0]) for row in await ledger.read(lambda tx: tx.rows(sql, kind))]


async def test_who_said_yes_as_csv(a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path) -> None:
    await fill(a_ledger, a_clock)

    done = await exported(a_ledger, tmp_path / "yes.csv")

    head, *rows = rows_of(tmp_path / "yes.csv")
    assert head == COLUMNS
    assert [row[:4] for row in rows] == [
        ["marié@voorbeeld.example", "2026-11-21T09:30:00Z", "newsletter fair", ""],
        ["r2@voorbeeld.example", "2026-11-22T09:30:00Z", "fair", "nl"],
        ["r3@voorbeeld.example", "2026-11-22T09:30:00Z", "newsletter", "nl"],
    ]
    assert [row[5] for row in rows] == [link(1), link(2), link(3)]
    assert done == Done(rows=len(rows))


async def test_who_said_yes_as_json_lines(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    await fill(a_ledger, a_clock)

    done = await exported(a_ledger, tmp_path / "yes.jsonl", form="jsonl")

    lines = (tmp_path / "yes.jsonl").read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    assert list(first) == COLUMNS
    assert first | {"proof": 0} == {
        "email": "marié@voorbeeld.example",
        "confirmed_on": "2026-11-21T09:30:00Z",
        "purposes": ["newsletter", "fair"],
        "language": None,
        "proof": 0,
        "withdraw": link(1),
    }
    assert done.rows == len(lines) == 3


async def test_each_row_names_its_entry_in_the_log(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    await fill(a_ledger, a_clock)
    await exported(a_ledger, tmp_path / "yes.csv")

    for row in rows_of(tmp_path / "yes.csv")[1:]:
        kind, payload = await a_ledger.read(entry, int(row[4]))
        assert (kind, json.loads(payload)["answer"]) == ("answered", "yes")


def entry(tx: Transaction, index: int) -> tuple[str, bytes]:
    """Return kind and payload of one entry of the log."""
    kind, payload = tx.one('SELECT kind, payload FROM log WHERE "index" = ?', index)
    return kind, payload


@pytest.mark.parametrize(
    ("purpose", "count"), [("newsletter", 2), ("fair", 2), ("parties", 0), (None, 3)]
)
@pytest.mark.parametrize("form", FORMATS)
async def test_only_those_whose_yes_covers_the_purpose(
    a_ledger: Ledger,
    a_clock: FakeClock,
    tmp_path: Path,
    purpose: str | None,
    count: int,
    form: str,
) -> None:
    await fill(a_ledger, a_clock)
    path = tmp_path / "out"

    assert (await exported(a_ledger, path, purpose=purpose, form=form)).rows == count
    assert len(path.read_text("utf-8").splitlines()) == count + (form != "jsonl")


async def test_who_must_stop(a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path) -> None:
    """Who said no, took a yes back, or stood on a list of opt-outs."""
    await fill(a_ledger, a_clock)
    listed = parse("r6@voorbeeld.example")
    await a_ledger.write(suppression.suppress, [listed], source="list", reason="")

    await export_opt_outs(a_ledger, tmp_path / "no.csv", form="csv")

    assert [row[:3] for row in rows_of(tmp_path / "no.csv")[1:]] == [
        ["r4@voorbeeld.example", "2026-11-22T09:30:00Z", ""],
        ["r5@voorbeeld.example", "2026-11-22T09:31:00Z", ""],
        ["r6@voorbeeld.example", "", ""],
    ]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_who_was_erased_after_an_export_must_be_removed_by_its_proof(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path, form: str
) -> None:
    """No address of theirs is left to write; the file that was made before has it."""
    await fill(a_ledger, a_clock)
    await exported(a_ledger, tmp_path / "yes.csv")
    proof = rows_of(tmp_path / "yes.csv")[1][4]
    a_clock.advance(timedelta(minutes=1))
    await a_ledger.write(erasing.erase_person, 1)

    done = await export_opt_outs(a_ledger, tmp_path / "no", form=form)

    assert done == Done(rows=3, erased=1)
    if form == "jsonl":
        last = json.loads((tmp_path / "no").read_text("utf-8").splitlines()[-1])
        gone = [last["email"], last["confirmed_on"], str(last["proof"])]
    else:
        email, erased_at, *_, said, _ = rows_of(tmp_path / "no")[-1]
        gone = [email, erased_at, said]
    assert gone == ["", "2026-11-22T09:32:00Z", proof]


@pytest.mark.parametrize("form", FORMATS)
async def test_who_agrees_to_less_than_before_is_named_to_the_list_of_that_purpose(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path, form: str
) -> None:
    """With what they agree to still; after who must stop, before who is erased."""
    await fill(a_ledger, a_clock)
    await exported(a_ledger, tmp_path / "fair.csv", purpose="fair")
    await press(a_ledger, 1, Answer.YES)
    await a_ledger.write(erasing.erase_person, 2)

    later = await exported(a_ledger, tmp_path / "later.csv", purpose="fair")
    done = await export_opt_outs(a_ledger, tmp_path / "no", form=form, purpose="fair")
    others = await export_opt_outs(a_ledger, tmp_path / "others", form=form, purpose="newsletter")
    of_all = await export_opt_outs(a_ledger, tmp_path / "all", form=form)

    assert later.changes is not None
    assert later.changes.gone == 2
    assert done == Done(rows=4, erased=1, narrowed=1)
    assert of_all == others == Done(rows=3, erased=1)
    named, last = (tmp_path / "no").read_text("utf-8").splitlines()[-2:]
    assert "marié@" in named
    assert "newsletter" in named
    assert "@" not in last
    assert [each["purpose"] for each in await log_payloads(a_ledger, "exported")] == [
        *("fair", "fair", "fair", "newsletter", None)
    ]
    assert (await verified(a_ledger)).holds


class Erasing(Ledger):
    """A ledger that erases a person while a file is written."""

    async def read(
        self, part: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Read, before the erasure."""
        found = await super().read(part, *args, **kwargs)
        await self.write(erasing.erase_person, 1)
        return found


async def test_promise_8_an_export_that_holds_somebody_who_was_just_erased_is_not_left(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    await fill(a_ledger, a_clock)
    other = Erasing.open(another(a_ledger.database), a_ledger.vault, a_clock)

    with pytest.raises(FileRefused, match="was erased"):
        await exported(other, tmp_path / "yes.csv")
    await other.close()

    assert not (tmp_path / "yes.csv").exists()
    assert await log_payloads(a_ledger, "exported") == []


class Stopping(Ledger):
    """A ledger whose caller is interrupted while it notes an export: before the entry is there, or
    after; it sees which files are there then."""

    there: tuple[set[str], set[str]] | None = None
    folder: Path
    after: bool

    async def write(
        self, part: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write, or do not, and stop."""
        before = {path.name for path in self.folder.rglob("*")}
        if self.after:
            await super().write(part, *args, **kwargs)
        self.there = before, {path.name for path in self.folder.rglob("*")}
        raise asyncio.CancelledError


@contextmanager
def stopping(ledger: Ledger, clock: FakeClock, folder: Path, *, after: bool) -> Iterator[Stopping]:
    """Yield *ledger* as one that stops while it notes what was written to *folder*."""
    other = Stopping.open(another(ledger.database), ledger.vault, clock)
    assert isinstance(other, Stopping)
    other.folder, other.after = folder, after
    with pytest.raises(asyncio.CancelledError):
        yield other


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("opt_outs", [False, True])
async def test_promise_8_a_file_has_its_name_only_once_the_log_has_its_entry(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path, *, after: bool, opt_outs: bool
) -> None:
    """Killed before, it is a hidden part; an interrupt leaves not even that."""
    await fill(a_ledger, a_clock)
    folder = tmp_path / "out"
    folder.mkdir()

    with stopping(a_ledger, a_clock, folder, after=after) as other:
        if opt_outs:
            await export_opt_outs(other, folder / "no.csv", form="csv")
        else:
            await exported(other, folder / "no.csv")
    await other.close()

    assert other.there is not None
    for names in other.there:
        assert [name.endswith(".part") for name in names] == [True]
    assert list(folder.iterdir()) == []
    assert len(await log_payloads(a_ledger, "exported")) == after


async def test_an_interrupt_while_it_is_written_leaves_no_file(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    """The thread that writes it is in the midst of it."""
    await fill(a_ledger, a_clock)
    folder = tmp_path / "out"
    folder.mkdir()
    other = Ledger.open(another(a_ledger.database), a_ledger.vault, a_clock)
    began, ended = threading.Event(), threading.Event()

    def slow(recipient_id: int) -> str:
        began.set()
        assert ended.wait(60)
        return link(recipient_id)

    work = asyncio.create_task(
        export_opt_ins(other, folder / "yes.csv", form="csv", purpose=None, link=slow)
    )
    assert await asyncio.to_thread(began.wait, 60)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    ended.set()
    await other.close()

    assert list(folder.iterdir()) == []
    assert await log_payloads(a_ledger, "exported") == []


async def test_promise_2_a_suppressed_address_is_never_exported_as_a_yes(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    """Whatever its row says: it was suppressed by its keyed hash alone."""
    await fill(a_ledger, a_clock)
    hashed = a_ledger.vault.suppression("r3@voorbeeld.example")
    await a_ledger.write(suppression.suppress_hashes, [hashed], source="list", reason="")

    await exported(a_ledger, tmp_path / "yes.csv")

    written = (tmp_path / "yes.csv").read_text("utf-8")
    assert "r2@" in written
    assert "r3@" not in written


async def test_the_log_and_the_ledger_know_what_was_exported_and_not_to_which_file(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    await fill(a_ledger, a_clock)
    size = await a_ledger.read(lambda tx: tx.value("SELECT size FROM log_head"))

    await exported(a_ledger, tmp_path / "yes.csv", purpose="fair")

    (said,) = await log_payloads(a_ledger, "exported")
    assert said == {
        "number": 1,
        "seen": to_micros(a_clock.now()),
        "standing": "opted_in",
        "purpose": "fair",
        "log_size": size,
        "format": "csv",
        "rows": 2,
        "content": sha256((tmp_path / "yes.csv").read_bytes()).hexdigest(),
    }
    assert (await verified(a_ledger)).holds


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE recipient SET standing = 'opted_in', purposes = '[\"newsletter\"]' WHERE id = 4",
        'UPDATE recipient SET purposes = \'["newsletter","fair"]\' WHERE id = 2',
        "DELETE FROM answer WHERE recipient_id = 5",
        "UPDATE export SET log_size = 1",
    ],
)
async def test_a_ledger_that_does_not_verify_exports_no_yes_and_names_the_fault(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path, statement: str
) -> None:
    """Who must stop is written all the same: to stop needs no proof."""
    await fill(a_ledger, a_clock)
    await exported(a_ledger, tmp_path / "before.csv")
    with closing(a_ledger.database.connect()) as raw:
        raw.execute(statement)

    with pytest.raises(
        ProofBroken, match=r"the log does not verify: (recipient|the answer|export)"
    ):
        await exported(a_ledger, tmp_path / "yes.csv")
    done = await export_opt_outs(a_ledger, tmp_path / "no.csv", form="csv")

    assert not (tmp_path / "yes.csv").exists()
    assert done.rows in (1, 2)


async def test_a_yes_that_void_presses_left_in_force_has_the_proof_of_when_it_was_given(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    (an,) = await asked(a_ledger, "an@voorbeeld.example")
    await press(a_ledger, an, Answer.YES, purposes=("fair",))
    given = a_clock.now()
    a_clock.advance(timedelta(minutes=1))
    await press(a_ledger, an, Answer.NO)
    await press(a_ledger, an, Answer.YES)

    await exported(a_ledger, tmp_path / "yes.csv")

    (row,) = rows_of(tmp_path / "yes.csv")[1:]
    assert row[1:3] == [iso(given), "fair"]
    assert json.loads((await a_ledger.read(entry, int(row[4])))[1])["suspect"] is False


async def test_a_later_export_tells_what_changed(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    await fill(a_ledger, a_clock)
    assert (await exported(a_ledger, tmp_path / "1.csv")).changes is None
    since = a_clock.now()
    a_clock.advance(timedelta(days=1))
    await press(a_ledger, 1, Answer.NO)
    await press(a_ledger, 6, Answer.YES)

    done = await exported(a_ledger, tmp_path / "2.csv", form="brevo")

    assert done.changes == Changes(since, added=1, gone=1)


async def test_only_its_owner_may_read_the_file(a_ledger: Ledger, tmp_path: Path) -> None:
    await exported(a_ledger, tmp_path / "yes.csv")

    assert (tmp_path / "yes.csv").stat().st_mode & 0o777 == 0o600
    assert rows_of(tmp_path / "yes.csv") == [COLUMNS]


async def test_a_file_that_exists_is_left_alone(a_ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "yes.csv"
    path.write_text("mine")

    with pytest.raises(FileRefused, match="exists already"):
        await exported(a_ledger, path)

    assert path.read_text() == "mine"
    assert await log_payloads(a_ledger, "exported") == []


async def test_a_link_to_a_file_is_not_followed(a_ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "yes.csv").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FileRefused):
        await exported(a_ledger, tmp_path / "yes.csv")

    assert not (tmp_path / "elsewhere").exists()


async def test_a_folder_that_is_not_there_is_refused(a_ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be written"):
        await exported(a_ledger, tmp_path / "nowhere" / "yes.csv")


async def test_an_export_that_fails_midway_leaves_no_file(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    """The second of three has no link."""
    await fill(a_ledger, a_clock)

    def broken(recipient_id: int) -> str:
        if recipient_id == 2:
            raise KeysUnusable("no key signs the links", hint="none")
        return link(recipient_id)

    with pytest.raises(KeysUnusable):
        await export_opt_ins(a_ledger, tmp_path / "yes.csv", form="csv", purpose=None, link=broken)

    assert not (tmp_path / "yes.csv").exists()
    assert await log_payloads(a_ledger, "exported") == []


@contextmanager
def a_small_disk() -> Iterator[None]:
    """Let no file of this process grow beyond a thousand bytes for the length of a block."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [1_001, 1_000_000])
def test_a_file_that_cannot_be_written_to_its_end_is_not_there(tmp_path: Path, size: int) -> None:
    """At the last flush, or while it is written."""
    path = tmp_path / "yes.csv"

    with (
        a_small_disk(),
        pytest.raises(FileRefused, match="cannot be written"),
        new_file(path) as file,
    ):
        file.write("x" * size)

    assert not path.exists()


async def test_an_export_that_finds_no_room_names_the_file_not_the_ledger(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    await fill(a_ledger, a_clock)
    path = tmp_path / "yes.csv"

    with a_small_disk(), pytest.raises(FileRefused, match=r"yes\.csv cannot be written"):
        await export_opt_ins(
            a_ledger, path, form="csv", purpose=None, link=lambda _: "x" * 1_000_000
        )

    assert not path.exists()


async def test_promise_12_a_name_that_holds_an_address_is_not_repeated(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / "an@voorbeeld.example.csv"
    path.touch()

    with pytest.raises(FileRefused) as refused:
        await exported(a_ledger, path)
    assert "voorbeeld" not in f"{refused.value} {refused.value.hint}"
