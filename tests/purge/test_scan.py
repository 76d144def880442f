from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import quopri
import signal
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from repermit.domain.address import parse
from repermit.errors import AddressRejected, LedgerUnusable
from repermit.ledger.engine import Ledger
from repermit.ledger.postgres.engine import PostgreSQL
from repermit.ledger.store import erasing, written
from repermit.ledger.transaction import Transaction
from repermit.purge import looking
from repermit.purge.guard import Watch
from repermit.purge.run import purge
from repermit.purge.scan import scan
from repermit.purge.spellings import Occurrence, occurrences, readings
from tests.builders import FakeClock
from tests.ledger.postgres.way import Cut, Way
from tests.purge.builders import DUE, STAY, bytes_in, fill, mailbox, ordered, signed

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda text: text.encode(),
    "UTF-16 LE": lambda text: text.encode("utf-16-le"),
    "UTF-16 BE": lambda text: text.encode("utf-16-be"),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 of a mail": lambda text: base64.encodebytes(text.encode()),
    "base64 of a URL": lambda text: base64.urlsafe_b64encode(text.encode()).rstrip(b"="),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")),
    "base64 of a link": lambda text: base64.b64encode(quote(text, safe="").encode()),
    "base64 of base64": lambda text: base64.b64encode(base64.encodebytes(text.encode())),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()),
    "quoted-printable, at sign too": lambda text: quopri.encodestring(text.encode()).replace(
        b"@", b"=40"
    ),
    "percent": lambda text: quote(text, safe="").encode(),
    "JSON": lambda text: json.dumps(text).encode(),
    "JSON, at sign too": lambda text: json.dumps(text).replace("@", "\\u0040").encode(),
    "HTML": lambda text: text.replace("&", "&amp;").replace("'", "&#39;").encode(),
    "HTML, at sign too": lambda text: (
        text.replace("&", "&amp;").replace("'", "&#39;").replace("@", "&#64;").encode()
    ),
}
PACKED: dict[str, Callable[[str], bytes]] = {
    "zip": lambda text: zipped(text.encode()),
    "gzip": lambda text: gzip.compress(text.encode()),
    "zip of a zip": lambda text: zipped(zipped(text.encode())),
}


_NOBODY = Watch()


async def purged(ledger: Ledger, clock: FakeClock) -> None:
    """Purge those of a campaign who are due."""
    await fill(ledger, clock)
    await purge(ledger, ordered(ledger, DUE), Watch(), sign=signed, tell=lambda _: None)


async def wrote(ledger: Ledger, path: Path, content: bytes, kind: str = "export") -> Path:
    """Let a command write a file with addresses."""
    path.write_bytes(content)  # noqa: ASYNC240 - nothing else is under way
    await ledger.write(written.note_file, path, kind)
    return path


def zipped(content: bytes) -> bytes:
    """Return an archive with one file."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("members.csv", content)
    return file.getvalue()


def meant(octets: bytes, *, exhaustive: bool = False) -> set[str]:
    """Return every address that *octets* may mean."""
    found = set()
    for one in occurrences(octets):
        for reading_of_it in readings(one, exhaustive=exhaustive):
            try:
                found.add(parse(reading_of_it).canonical)
            except AddressRejected:
                continue
    return found


async def test_promise_8_after_a_purge_no_file_of_the_campaign_tells_of_anybody_who_is_gone(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await purged(a_ledger, a_clock)

    found = await scan(a_ledger)

    assert (found.traces, found.missing, found.unread, found.names) == ((), 0, 0, ())
    copy = a_ledger.path.parent / "backup" / "ledger.db"
    assert found.files >= 4  # the ledger, the backup, two keys
    assert found.bytes > copy.stat().st_size


async def test_a_file_that_was_handed_over_still_tells_of_a_purged_person(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    rows = "email\n" + "".join(f"{mailbox(name)}\n" for name in ("silent1", "said-no", "said-yes"))
    await purged(a_ledger, a_clock)
    await wrote(a_ledger, tmp_path / "members.csv", rows.encode() * 2)

    found = await scan(a_ledger)

    assert found.traces == ((str(tmp_path / "members.csv"), 2),)
    assert sum(count for _, count in found.traces) == 2


async def test_what_names_people_who_must_be_removed_elsewhere_is_told_apart(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    await purged(a_ledger, a_clock)
    path = await wrote(a_ledger, tmp_path / "stop.csv", mailbox("said-no").encode(), "removal")

    found = await scan(a_ledger)

    assert (found.traces, found.removal) == ((), ((str(path), 1),))


async def test_a_purge_looks_again_at_the_traces_that_the_last_one_found(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    """Also when nobody is due any more; the controller's own address is nobody's trace."""
    await fill(a_ledger, a_clock)
    path = await wrote(a_ledger, tmp_path / "members.csv", mailbox("silent1").encode())

    async def purge_again(watch: Watch = _NOBODY) -> dict[str, int]:
        order = ordered(a_ledger, DUE)
        done = await purge(a_ledger, order, watch, sign=signed, tell=lambda _: None)
        assert done.traces == sum(done.traced.values())
        return dict(done.traced)

    assert await purge_again() == {str(path): 1}
    assert await purge_again() == {str(path): 1}
    assert await purge_again(Watch(own=(mailbox("silent1"),))) == {}
    path.unlink()
    assert await purge_again() == {}


async def test_a_file_of_people_who_remain_is_no_trace(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    rows = "".join(f"{mailbox(name)}\n" for name in STAY)
    await purged(a_ledger, a_clock)
    await wrote(a_ledger, tmp_path / "members.csv", rows.encode())

    assert (await scan(a_ledger)).traces == ()


async def test_a_purged_person_is_found_however_they_are_written(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """One file for each way; an archive may be an evidence bundle or a workbook."""
    await purged(a_ledger, a_clock)
    text = f"Beste,\r\n\r\nhet adres {mailbox('silent1').title()} is van ons.\r\n"
    ways = {**ENCODINGS, **PACKED}
    for way, encode in ways.items():
        await wrote(a_ledger, campaign_folder / way, encode(text))

    assert (await scan(a_ledger)).traces == tuple((way, 1) for way in ways)


async def test_an_erased_person_is_a_trace_too(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    people = await fill(a_ledger, a_clock)
    await wrote(a_ledger, tmp_path / "members.csv", mailbox("said-yes").encode())
    assert (await scan(a_ledger)).traces == ()

    await a_ledger.write(erasing.erase_person, people["said-yes"])

    assert [count for _, count in (await scan(a_ledger)).traces] == [1]


async def test_the_controllers_own_address_is_no_trace(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    """It stood on the list, and it stands in every mail and in the sheet of the approval."""
    await purged(a_ledger, a_clock)
    await wrote(a_ledger, tmp_path / "sheet.html", f"from {mailbox('silent1')}".encode())
    shown = f"Write to {mailbox('silent2')}, or press Yes."
    await a_ledger.write(
        lambda tx: tx.run(
            "INSERT INTO snapshot (hash, kind, language, release, content)"
            " VALUES ('1', 'mail', 'nl', '0.1.0', ?)",
            shown,
        )
    )

    assert [count for _, count in (await scan(a_ledger)).traces] == [1]
    assert (await scan(a_ledger, own=[mailbox("silent1")])).traces == ()


def leak(tx: Transaction) -> None:
    """Keep the address of somebody who is gone, between other fields."""
    tx.run(
        "INSERT INTO snapshot (hash, kind, language, release, content)"
        " VALUES ('hash', 'mail', ?, 'nl', 'text')",
        mailbox("silent1"),
    )


@pytest.mark.sqlite
async def test_an_address_between_the_fields_of_a_row_is_found(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """In a database nothing stands between one field and the next."""
    await purged(a_ledger, a_clock)

    await a_ledger.write(leak)
    assert [name for name, _ in (await scan(a_ledger)).traces] == ["ledger.db-wal"]
    await a_ledger.checkpoint()
    assert [name for name, _ in (await scan(a_ledger)).traces] == ["ledger.db"]


@pytest.mark.postgres
async def test_every_row_of_a_database_that_is_no_file_is_looked_through(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await purged(a_ledger, a_clock)
    before = await scan(a_ledger)
    await a_ledger.write(leak)
    rows = [(f"h{n}", "page", "nl", "1", "x" * 50_000) for n in range(20)]  # more than a pipe holds
    columns = ("hash", "kind", "language", "release", "content")
    await a_ledger.write(lambda tx: tx.fill("snapshot", columns, rows))

    found = await scan(a_ledger)

    assert (before.traces, found.traces) == ((), (("database", 1),))
    assert found.files == before.files
    assert found.bytes - before.bytes > 1_000_000


@pytest.mark.postgres
async def test_a_database_that_is_lost_meanwhile_ends_the_scan(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    await purged(a_ledger, a_clock)
    assert isinstance(a_ledger.database, PostgreSQL)
    way = Way(a_ledger.database.url, Cut(b"SELECT * FROM snapshot"))
    a_ledger.database = PostgreSQL(way.through, a_ledger.path)

    with pytest.raises(LedgerUnusable, match="the way to it is cut"):
        await scan(a_ledger)
    way.end()


@pytest.mark.parametrize(
    "name",
    [
        *("approval-1.html", ".members.csv.17.part", ".rehearsal-x/ledger.db", "backup/old.db"),
        *("inbound/new/1.mx", "inbound/quarantine/20261122T101500Z.0123456789ab.forged.eml"),
    ],
)
async def test_what_the_tool_makes_beside_the_ledger_is_read(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path, name: str
) -> None:
    await purged(a_ledger, a_clock)
    path = campaign_folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(mailbox("silent1"))

    assert (await scan(a_ledger)).traces == ((name, 1),)


async def test_what_the_tool_makes_beside_the_config_is_read_wherever_that_is(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    await purged(a_ledger, a_clock)
    folder = tmp_path / "of the config"
    folder.mkdir()
    (folder / "approval-1.html").write_text(mailbox("silent1"))

    assert (await scan(a_ledger)).traces == ()
    assert (await scan(a_ledger, (), (folder,))).traces == (("approval-1.html", 1),)


async def test_the_list_itself_is_not_ours_to_read(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await purged(a_ledger, a_clock)
    (campaign_folder / "list.csv").write_text(mailbox("silent1"))

    assert (await scan(a_ledger)).traces == ()


# What cannot be read ends no purge


async def told_of(ledger: Ledger) -> tuple[int, int, tuple[str, ...]]:
    """Return what a scan says of what it could not read."""
    found = await scan(ledger)
    assert found.traces == ()
    return found.missing, found.unread, found.names


async def test_a_file_that_is_gone_is_told(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await purged(a_ledger, a_clock)
    (await wrote(a_ledger, campaign_folder / "members.csv", b"")).unlink()

    assert await told_of(a_ledger) == (1, 0, ("members.csv",))


async def test_what_is_no_file_is_told_and_nothing_waits_for_it(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """A pipe, a folder, a link to somewhere else."""
    await purged(a_ledger, a_clock)
    names = ("folder", "link", "pipe")
    for name in names:
        (await wrote(a_ledger, campaign_folder / name, b"")).unlink()
    os.mkfifo(campaign_folder / "pipe")
    (campaign_folder / "folder").mkdir()
    (campaign_folder / "link").symlink_to("/dev/zero")

    assert await told_of(a_ledger) == (0, 3, names)


async def test_an_archive_that_cannot_be_read_is_told(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    damaged = {
        "damaged": zipped(b"a text")[:40] + zipped(b"a text")[41:],
        "unknown packing": zipped(b"a" * 100).replace(b"\x08\x00", b"\x63\x00"),
        "cut off": gzip.compress(b"a text")[:-4],
        "too deep": zipped(zipped(zipped(zipped(zipped(b"a text"))))),
    }
    await purged(a_ledger, a_clock)
    for name, content in damaged.items():
        await wrote(a_ledger, campaign_folder / name, content)

    assert await told_of(a_ledger) == (0, 4, tuple(damaged))


def test_an_archive_is_unpacked_up_to_a_limit() -> None:
    found: list[looking.Found] = []
    content = gzip.compress(b"an@telenet.be " + bytes(10 * looking.CHUNK_BYTES))

    with pytest.raises(ValueError, match="too much"):
        looking.Look(found.extend, 9 * looking.CHUNK_BYTES).through(BytesIO(content))
    looking.Look(found.extend, 11 * looking.CHUNK_BYTES).through(BytesIO(content))


@pytest.mark.sqlite
async def test_a_path_that_somebody_wrote_by_hand_is_told(
    a_ledger: Ledger, a_clock: FakeClock
) -> None:
    """Bytes that are no text, a zero byte, and an instant that is none."""
    await purged(a_ledger, a_clock)
    for path in ("x'ff2e637376'", "'a' || char(0) || '.csv'", "CAST(x'fe2e637376' AS TEXT)"):
        by_hand = f"INSERT INTO written (at, kind, path) VALUES ('then', x'ff', {path})"
        await a_ledger.write(lambda tx, statement: tx.run(statement), by_hand)

    missing, unread, names = await told_of(a_ledger)
    assert missing + unread == len(names) == 3


async def test_the_holes_of_a_file_are_not_read(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """A log that seems to have a tebibyte; what stands behind the hole is found."""
    await purged(a_ledger, a_clock)
    text = mailbox("silent1").encode()
    with (campaign_folder / "cron.log").open("wb") as file:
        file.seek(1 << 40)
        file.write(text)

    found = await scan(a_ledger)
    assert (found.traces, found.unread) == ((("cron.log", 1),), 0)
    assert found.bytes < 1 << 30


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(3 * looking.CHUNK_BYTES))

    with path.open("rb") as file:
        whole = looking.Dense(file.fileno(), 3 * looking.CHUNK_BYTES)
        parts = [whole.read(looking.CHUNK_BYTES) for _ in range(4)]
        assert [len(part) for part in parts] == [looking.CHUNK_BYTES] * 3 + [0]
        cut = looking.Dense(file.fileno(), looking.CHUNK_BYTES)
        cut.read(looking.CHUNK_BYTES)
        with pytest.raises(ValueError, match="more than is read"):
            cut.read(1)


def test_an_archive_that_seems_larger_than_is_read_is_not_unpacked(tmp_path: Path) -> None:
    path, found = tmp_path / "large.gz", list[looking.Found]()
    path.write_bytes(gzip.compress(b"an@telenet.be"))
    os.truncate(path, 1 << 40)

    told = looking.look(str(path), found.extend)
    assert told is not None
    assert told[1] is False


async def test_when_the_reader_ends_another_reads_the_files_that_are_left(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    """The system may end it, for the memory that a hostile file makes it take."""
    await purged(a_ledger, a_clock)
    os.truncate(await wrote(a_ledger, campaign_folder / "long", b""), 1 << 26)
    await wrote(a_ledger, campaign_folder / "members.csv", mailbox("silent1").encode())

    scanning = asyncio.create_task(scan(a_ledger))
    while not (readers := children()):  # noqa: ASYNC110 - no event tells of a process
        await asyncio.sleep(0.01)
    os.kill(readers[0], signal.SIGKILL)
    found = await scanning

    assert found.traces == (("members.csv", 1),)
    assert found.unread == 1


def children() -> list[int]:
    """Return the processes that this one has started and that still run."""
    told = [path.read_text().split() for path in Path("/proc/self/task").glob("*/children")]
    return [int(number) for numbers in told for number in numbers]


async def test_nothing_that_a_scan_returns_names_anyone(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await purged(a_ledger, a_clock)
    path = campaign_folder / f"approval-{mailbox('silent1')}.html"
    path.write_text(mailbox("silent1"))

    found = await scan(a_ledger)

    assert found.traces == (("the list", 1),)


async def test_a_scan_changes_nothing(
    a_ledger: Ledger, a_clock: FakeClock, campaign_folder: Path
) -> None:
    await purged(a_ledger, a_clock)
    before = bytes_in(campaign_folder)

    await scan(a_ledger)

    after = bytes_in(campaign_folder)
    readers = "ledger.db-shm"  # where SQLite notes who reads
    assert {**before, readers: b""} == {**after, readers: b""}


# Any address, in any of the encodings, at any place

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
labels = st.text(LETTERS, min_size=1, max_size=12)
locals_ = st.lists(
    st.text(LETTERS + "éüøß" + "+_-'", min_size=1, max_size=15), min_size=1, max_size=3
).map(".".join)
domains = st.tuples(
    st.lists(labels, min_size=1, max_size=3), st.sampled_from(["be", "nl", "museum"])
).map(lambda parts: ".".join([*parts[0], parts[1]]))


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """Return a canonical address."""
    text = f"{draw(locals_)}@{draw(domains)}"
    try:
        canonical = parse(text).canonical
    except AddressRejected:
        canonical = ""
    if not canonical or canonical.partition("@")[0] != text.partition("@")[0].casefold():
        reject()
    return canonical


@given(
    canonical=addresses(),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    before=st.binary(max_size=40),
    after=st.binary(max_size=40),
)
def test_any_address_in_any_encoding_is_found_in_any_bytes(
    canonical: str, encoding: str, before: bytes, after: bytes
) -> None:
    octets = ENCODINGS[encoding](f" <{canonical}> ")
    lone = octets if "base64" not in encoding else b" " + octets + b" "

    assert canonical in meant(before + b" " + lone + b" " + after)


@settings(max_examples=40)  # of half a megabyte each
@given(
    canonical=addresses(),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    offset=st.integers(-400, 50),
    salt=st.binary(min_size=8, max_size=8),
)
def test_any_address_is_found_across_the_border_of_two_parts(
    canonical: str, encoding: str, offset: int, salt: bytes
) -> None:
    octets = b" " + ENCODINGS[encoding](f"the address {canonical} is ours") + b" "
    filling = (salt * (looking.CHUNK_BYTES // 8 + 1))[: looking.CHUNK_BYTES + offset]
    found: list[looking.Found] = []
    look = looking.Look(found.extend, 0)

    look.through(BytesIO(filling + octets + filling))
    look.end()

    assert canonical in {
        parse(one).canonical
        for local, domain, _ in found
        for one in readings_that_parse(local, domain)
    }


def readings_that_parse(local: str, domain: str) -> list[str]:
    """Return what an occurrence may mean, without what is no address."""
    good = []
    for one in readings(Occurrence(local, domain), exhaustive=False):
        try:
            good.append(parse(one).canonical)
        except AddressRejected:
            continue
    return good


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_are_too_odd(octets: bytes, exhaustive: bool) -> None:
    meant(octets, exhaustive=exhaustive)
    meant(b"a@" + octets + b".be@" + octets, exhaustive=exhaustive)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_around_an_at_sign_is_too_odd(before: str, after: str) -> None:
    meant(f"{before}@{after}.be".encode("utf-8", "surrogatepass"), exhaustive=True)


@pytest.mark.parametrize("depth", range(3))
def test_a_longer_address_is_not_taken_for_a_shorter_one_at_the_border(depth: int) -> None:
    """What touches an edge is left to the part that has all of it."""
    octets = b"jan.peeters@voorbeeld.example"
    for _ in range(depth):
        octets = base64.b64encode(octets)
    for cut in range(1, len(octets)):
        left = list(occurrences(octets[:cut], ends=False))
        right = list(occurrences(octets[cut:], begins=False))
        found = {f"{one.local}@{one.domain}" for one in (*left, *right)}
        assert not found & {"peeters@voorbeeld.example", "jan.peeters@voorbeeld.ex"}


def test_what_stands_around_a_soft_line_break_begins_in_the_middle_of_no_address() -> None:
    """The break itself may be none: a line that ends in an equals sign."""
    row = b"jan.peeters@voorbeeld.example, "
    for cut in range(1, len(row) - 2):
        broken = row[:cut] + b"=\r\n" + row[cut:]

        found = set(occurrences(row * 99 + broken + row * 99))

        assert Occurrence("jan.peeters", "voorbeeld.example") in found
        assert found <= set(occurrences(row + broken + row))
