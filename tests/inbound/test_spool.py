"""What an MTA hands over is kept first, whole, with whom it came to in front."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from repermit.inbound.maildir import Maildir, content
from repermit.inbound.spool import keep, recipients, without_envelope
from tests.inbound.desks import NAMES, a_bounce

_ADDRESS = NAMES.address(7)
_LOCAL, _, _DOMAIN = _ADDRESS.partition("@")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, []),
        ({"ORIGINAL_RECIPIENT": _ADDRESS, "RECIPIENT": "mail@host"}, [_ADDRESS, "mail@host"]),
        ({"ORIGINAL_RECIPIENT": _ADDRESS, "RECIPIENT": _ADDRESS}, [_ADDRESS]),
        ({"LOCAL_PART": _LOCAL, "DOMAIN": _DOMAIN, "RECIPIENT": "|repermit"}, [_ADDRESS]),
        (
            {"LOCAL_PART": "b", "LOCAL_PART_SUFFIX": _LOCAL[1:], "DOMAIN": _DOMAIN},
            [_ADDRESS],
        ),
        ({"RECIPIENT": "a@b\nTo: c@d"}, []),
        ({"RECIPIENT": "é@b"}, []),
        ({"LOCAL_PART": "b", "DOMAIN": ""}, []),
    ],
)
def test_whom_it_came_to_is_what_the_mta_says(
    environment: dict[str, str], expected: list[str]
) -> None:
    assert list(recipients(environment)) == expected


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"Subject: x\n\nbody", b"Subject: x\n\nbody"),
        (b"From MAILER-DAEMON Sun Nov 22\nSubject: x\n\nbody", b"Subject: x\n\nbody"),
        (b"From " + b"x" * 5000 + b"\nSubject: x\n", b"Subject: x\n"),
        (b"From nobody", b""),
        (b"", b""),
        (b"x" * 5000, b"x" * 5000),
    ],
)
def test_a_message_is_kept_whole_without_the_line_before_it(
    tmp_path: Path, given: bytes, kept: bytes
) -> None:
    spool = Maildir(tmp_path / "inbound")

    keep(spool, io.BytesIO(given), {"RECIPIENT": _ADDRESS})

    (path,) = spool.waiting()
    assert content(path) == f"Delivered-To: {_ADDRESS}\n".encode() + kept
    assert without_envelope(given) == kept
    assert path.stat().st_mode & 0o777 == 0o600
    assert {each.stat().st_mode & 0o777 for each in (tmp_path / "inbound", path.parent)} == {0o700}


def test_a_spool_that_is_open_to_others_is_shut(tmp_path: Path) -> None:
    spool = Maildir(tmp_path / "inbound")
    spool.folder.mkdir(mode=0o755)

    keep(spool, io.BytesIO(a_bounce(1)), {})

    assert spool.folder.stat().st_mode & 0o777 == 0o700


def test_what_cannot_be_kept_leaves_nothing(tmp_path: Path) -> None:
    """As when the MTA is killed, or the disk is full, in the middle of it."""

    class Breaks(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(28, "No space left on device")

    spool = Maildir(tmp_path / "inbound")

    with pytest.raises(OSError, match="No space left"):
        keep(spool, Breaks(a_bounce(1)), {})

    assert [path for path in spool.folder.rglob("*") if path.is_file()] == []


def test_what_a_killed_delivery_left_goes_after_a_day_and_a_half(tmp_path: Path) -> None:
    spool = Maildir(tmp_path / "inbound")
    spool.tidy()
    spool.make()
    old, new = spool.folder / "tmp" / "old", spool.folder / "tmp" / "new"
    for path, hours in ((old, 37), (new, 35)):
        path.write_bytes(b"half a mess")
        os.utime(path, (time.time() - hours * 3600,) * 2)

    spool.tidy()

    assert (old.exists(), new.exists()) == (False, True)
