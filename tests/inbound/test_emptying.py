"""A maildir: each message in it is handled once, and goes where it belongs."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.domain.standing import Standing
from repermit.errors import MailboxUnusable
from repermit.inbound.emptying import FileBox
from repermit.inbound.maildir import Maildir
from repermit.inbound.quarantine import Quarantine, Waiting
from repermit.inbound.tree import MOST_BYTES
from repermit.ledger.engine import Ledger
from tests.builders import FakeClock, admit, asked, claim, settle, standings
from tests.inbound.desks import FORGED, NAMES, a_bounce, a_desk, a_stranger, put


def a_box(ledger: Ledger, folder: Path) -> FileBox:
    """Return what empties the maildir `box` in *folder*."""
    return FileBox(a_desk(ledger), Maildir(folder / "box"), Quarantine(folder / "quarantine"))


def left(folder: Path) -> list[str]:
    """Return what is in the maildir `box` in *folder*."""
    return sorted(path.name for path in (folder / "box").rglob("*") if not path.is_dir())


def quarantined(folder: Path) -> dict[str, str]:
    """Return why each message is in the quarantine, by the word in its name."""
    found = (folder / "quarantine").glob("*.eml")
    return {path.name.split(".")[2]: path.with_suffix(".txt").read_text() for path in found}


async def test_reports_that_differ_in_nothing_but_where_they_were_delivered_are_two(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    """Without a Message-ID, both of one second, and neither names the mail in its text."""
    people = await asked(a_ledger, "a@one.example", "b@one.example")
    put(
        tmp_path / "box",
        *(
            f"Return-Path: <>\nDelivered-To: {NAMES.address(one)}\nFrom: MAILER-DAEMON@mx.example\n"
            "To: undisclosed-recipients:;\nSubject: Undelivered Mail Returned to Sender\n"
            "Date: Sat, 21 Nov 2026 09:30:00 +0000\n\n550 5.1.1 User unknown\n".encode()
            for one in people
        ),
    )

    await a_box(a_ledger, tmp_path).empty()

    assert set((await standings(a_ledger)).values()) == {"undeliverable"}


async def test_what_is_settled_is_removed_and_what_is_not_ours_put_away(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    one, two = await asked(a_ledger, "a@one.example", "b@one.example")
    put(tmp_path / "box", a_bounce(one), a_bounce(two, names=FORGED), a_stranger())
    put(tmp_path / "box", a_bounce(one, status="4.2.2"), folder="cur")
    box = a_box(a_ledger, tmp_path)

    await box.empty()

    assert await standings(a_ledger) == {one: "undeliverable", two: "asked"}
    assert left(tmp_path) == []
    assert quarantined(tmp_path) == {
        "forged": "it names a mail of this campaign, with a signature that is not ours\n",
        "not_ours": "it names no mail of this campaign, or nobody who is on file, or so much of"
        " theirs waits already that it is not listed\n",
    }
    tally = box.desk.tally
    assert (tally.read, tally.quarantined, tally.waiting) == (4, 2, 0)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "quarantine").iterdir()}
    assert modes == {0o600}
    assert (tmp_path / "quarantine").stat().st_mode & 0o777 == 0o700


async def test_what_is_on_its_way_stays_until_it_can_be_settled(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    (one,) = await admit(a_ledger, "a@one.example")
    await claim(a_ledger, one)
    put(tmp_path / "box", a_bounce(one))
    box = a_box(a_ledger, tmp_path)
    await box.empty()
    assert len(left(tmp_path)) == 1
    assert (box.desk.tally.waiting, box.desk.tally.by_outcome) == (1, {"later": 1})

    assert await settle(a_ledger, one, Standing.ASKED)
    await a_box(a_ledger, tmp_path).empty()

    assert left(tmp_path) == []
    assert await standings(a_ledger) == {one: "undeliverable"}


async def test_a_message_that_was_settled_and_not_removed_changes_nothing_and_goes(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    """As after a kill between the two."""
    (one,) = await asked(a_ledger, "a@one.example")
    bounce, forged, strange = a_bounce(one), a_bounce(one, names=FORGED), a_stranger()
    put(tmp_path / "box", bounce, forged, strange)
    await a_box(a_ledger, tmp_path).empty()
    for path in (tmp_path / "quarantine").iterdir():
        path.unlink()

    put(tmp_path / "box", bounce, forged, strange)
    again = a_box(a_ledger, tmp_path)
    await again.empty()

    assert again.desk.tally.by_outcome == {"repeated": 1, "forged": 1, "not_ours": 1}
    assert set(quarantined(tmp_path)) == {"forged", "not_ours"}, "those are not lost either"
    assert left(tmp_path) == []


async def test_two_at_once_settle_each_message_once(a_ledger: Ledger, tmp_path: Path) -> None:
    ids = await asked(a_ledger, *(f"p{number}@one.example" for number in range(150)))
    put(tmp_path / "box", *(a_bounce(each) for each in ids))
    put(tmp_path / "box", *(a_stranger() for _ in range(50)))
    boxes = [a_box(a_ledger, tmp_path) for _ in range(3)]

    await asyncio.gather(*(box.empty() for box in boxes))

    assert set((await standings(a_ledger)).values()) == {"undeliverable"}
    assert left(tmp_path) == []
    assert sum(box.desk.tally.by_outcome["settled"] for box in boxes) == 150
    assert sum(box.desk.tally.quarantined for box in boxes) == 50
    assert len(list((tmp_path / "quarantine").glob("*.eml"))) == 50
    assert len(list((tmp_path / "quarantine").glob("*.txt"))) == 50


async def test_what_is_no_message_is_left_alone(a_ledger: Ledger, tmp_path: Path) -> None:
    """Symlinks, pipes, dot files, folders, and what is still being delivered."""
    (one,) = await asked(a_ledger, "a@one.example")
    (elsewhere,) = put(tmp_path / "elsewhere", a_bounce(one))
    put(tmp_path / "box", a_bounce(one), folder="tmp")
    new = tmp_path / "box" / "new"
    (new / "link").symlink_to(elsewhere)
    (new / ".hidden").write_bytes(a_bounce(one))
    (new / "folder").mkdir()
    os.mkfifo(new / "pipe")
    put(tmp_path / "box" / ".Archive", a_bounce(one))
    box = a_box(a_ledger, tmp_path)

    await box.empty()

    assert box.desk.tally.read == 0
    assert await standings(a_ledger) == {one: "asked"}
    assert elsewhere.exists()


async def test_a_message_that_cannot_be_read_stays_and_is_told_and_the_others_are_handled(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    one, two = await asked(a_ledger, "a@one.example", "b@one.example")
    shut, _ = put(tmp_path / "box", a_bounce(one), a_bounce(two))
    shut.chmod(0)

    with pytest.raises(MailboxUnusable, match=r"^1 of the messages in box cannot be read, or not"):
        await a_box(a_ledger, tmp_path).empty()

    assert left(tmp_path) == [shut.name]
    assert await standings(a_ledger) == {one: "asked", two: "undeliverable"}


async def test_what_cannot_be_put_away_stays(a_ledger: Ledger, tmp_path: Path) -> None:
    """As on a full disk: there is a file where the quarantine would be."""
    (one,) = await asked(a_ledger, "a@one.example")
    (tmp_path / "quarantine").write_bytes(b"")
    put(tmp_path / "box", a_stranger(), a_bounce(one))
    box = a_box(a_ledger, tmp_path)

    with pytest.raises(MailboxUnusable, match="stay there"):
        await box.empty()

    assert len(left(tmp_path)) == 1
    assert (box.desk.tally.waiting, box.desk.tally.quarantined) == (1, 0)
    assert await standings(a_ledger) == {one: "undeliverable"}


async def test_what_is_no_maildir_is_told(a_ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(MailboxUnusable, match=r"^box is no maildir: it has no folders") as refused:
        await a_box(a_ledger, tmp_path).empty()

    assert "inbound.maildir" in refused.value.hint


async def test_a_name_with_an_address_is_told_nowhere(a_ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "an.peeters@telenet.example"
    box = FileBox(a_desk(a_ledger), Maildir(folder), Quarantine(tmp_path / "quarantine"))

    with pytest.raises(MailboxUnusable, match=r"^the list is no maildir"):
        await box.empty()


async def test_a_bounce_of_which_not_all_is_read_settles_nobody(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    (one,) = await asked(a_ledger, "a@one.example")
    put(tmp_path / "box", a_bounce(one, padding=MOST_BYTES))

    await a_box(a_ledger, tmp_path).empty()

    assert await standings(a_ledger) == {one: "asked"}
    assert left(tmp_path) == []


async def test_it_ends_after_what_it_has_in_hand_when_it_is_told_to(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    put(tmp_path / "box", *(a_stranger() for _ in range(200)))
    box = a_box(a_ledger, tmp_path)

    await box.empty(stopped=lambda: box.desk.tally.read > 0)

    assert 0 < box.desk.tally.read < 200
    assert len(left(tmp_path)) == 200 - box.desk.tally.read


async def test_the_quarantine_forgets_after_thirty_days(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    quarantine = Quarantine(tmp_path / "quarantine")
    quarantine.empty(now=a_clock.now())
    put(tmp_path / "box", a_stranger())
    await a_box(a_ledger, tmp_path).empty()
    (tmp_path / "quarantine" / "notes.eml").write_bytes(b"of somebody else")
    (tmp_path / "quarantine" / "20269999T999999Z.0123456789ab.forged.eml").write_bytes(b"hm")

    a_clock.advance(timedelta(days=30))
    quarantine.empty(now=a_clock.now())
    assert len(list((tmp_path / "quarantine").iterdir())) == 4
    a_clock.advance(timedelta(seconds=1))
    quarantine.empty(now=a_clock.now())

    assert sorted(path.name for path in (tmp_path / "quarantine").iterdir()) == [
        "20269999T999999Z.0123456789ab.forged.eml",
        "notes.eml",
    ]


def test_a_message_is_put_away_on_another_disk_too(tmp_path: Path, a_clock: FakeClock) -> None:
    shared = Path("/dev/shm")  # noqa: S108 - a disk in memory, wherever there is one
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk here")
    message = shared / f"repermit-{os.getpid()}"
    message.write_bytes(a_stranger())

    assert Quarantine(tmp_path / "q").take(message, "forged", "why", now=a_clock.now())

    assert not message.exists()
    (kept,) = (tmp_path / "q").glob("*.eml")
    assert kept.read_bytes().startswith(b"From: someone")
    assert not Quarantine(tmp_path / "q").take(message, "forged", "why", now=a_clock.now())
    assert len(list((tmp_path / "q").iterdir())) == 2


def test_a_copy_of_what_cannot_be_removed_does_not_stay(tmp_path: Path, a_clock: FakeClock) -> None:
    """A file on another disk that is read, and removed by nobody."""
    message = Path("/proc/self/limits")
    if not message.exists():
        pytest.skip("there is no such file here")

    with pytest.raises(OSError, match=r"not permitted|denied"):
        Quarantine(tmp_path / "q").take(message, "forged", "why", now=a_clock.now())

    assert list((tmp_path / "q").iterdir()) == []


def test_a_message_that_is_somebody_elses_file_too_is_put_away_as_a_copy(
    tmp_path: Path, a_clock: FakeClock
) -> None:
    theirs, message = tmp_path / "theirs", tmp_path / "message"
    theirs.write_bytes(b"theirs")
    theirs.chmod(0o644)
    message.hardlink_to(theirs)

    assert Quarantine(tmp_path / "q").take(message, "forged", "why", now=a_clock.now())

    (kept,) = (tmp_path / "q").glob("*.eml")
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (b"theirs", 0o600)
    assert (theirs.stat().st_nlink, theirs.stat().st_mode & 0o777) == (1, 0o644)
    assert not message.exists()


async def test_the_quarantine_tells_how_much_lies_there_and_until_when(
    a_ledger: Ledger, a_clock: FakeClock, tmp_path: Path
) -> None:
    quarantine = Quarantine(tmp_path / "quarantine")
    assert quarantine.waiting() == Waiting(0, None)
    put(tmp_path / "box", a_stranger(), b"Subject: x\n" * 6_000)
    came = a_clock.now()
    box = a_box(a_ledger, tmp_path)
    await box.empty()
    a_clock.advance(timedelta(days=1))
    put(tmp_path / "box", a_stranger())
    await box.empty()
    for name in ("notes.eml", "20269999T999999Z.0123456789ab.forged.eml"):
        (tmp_path / "quarantine" / name).write_bytes(b"of somebody else")

    assert quarantine.waiting() == Waiting(3, came.replace(microsecond=0) + timedelta(days=30))


async def test_a_report_because_of_us_is_put_away_to_be_read(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    """Also one that was settled before a kill, and put nowhere."""
    one, two = await asked(a_ledger, "a@one.example", "b@one.example")
    report = a_bounce(one, status="5.7.1").replace(b"no such user", b"blocked")
    put(tmp_path / "box", report, a_bounce(two))
    await a_box(a_ledger, tmp_path).empty()
    why = {"about_us": "it was refused because of us: read what it says\n"}
    assert quarantined(tmp_path) == why
    for path in (tmp_path / "quarantine").iterdir():
        path.unlink()
    put(tmp_path / "box", report)

    await a_box(a_ledger, tmp_path).empty()

    assert (left(tmp_path), quarantined(tmp_path)) == ([], why)
