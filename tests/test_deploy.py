"""What `deploy/` ships is what systemd takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_DEPLOY = Path(__file__).parents[1] / "deploy"
_PROGRAM = "/usr/local/bin/repermit"  # where the units expect it


def _verified(folder: Path) -> str:
    """Return what systemd has to say of the units in *folder*; empty when nothing."""
    program = shutil.which("systemd-analyze")
    if program is None:
        reason = "systemd-analyze is not there: the units of deploy/ were NOT verified"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    ended = subprocess.run(
        [program, "verify", "--man=no", *map(str, sorted(folder.iterdir()))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.stdout + ended.stderr + ("" if ended.returncode == 0 else f"({ended.returncode})")


def _units(folder: Path) -> Path:
    """Return a copy of the units whose program is one that is there."""
    folder.mkdir()
    for unit in (*_DEPLOY.glob("*.service"), *_DEPLOY.glob("*.timer")):
        text = unit.read_text("utf-8")
        (folder / unit.name).write_text(text.replace(_PROGRAM, "/bin/true"), "utf-8")
    return folder


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = _units(tmp_path / "units")

    assert len(list(units.iterdir())) == 3
    assert _verified(units) == ""


def test_systemd_would_say_if_it_did_not(tmp_path: Path) -> None:
    units = _units(tmp_path / "units")
    for unit in units.iterdir():
        unit.write_text(
            re.sub(
                r"^\[(Service|Timer)\]$", r"[\1]\nNoSuchKey=1", unit.read_text(), flags=re.MULTILINE
            )
        )

    assert _verified(units).count("NoSuchKey") == 3


def test_the_service_of_a_campaign_runs_it_and_takes_both_passwords(tmp_path: Path) -> None:
    text = (_DEPLOY / "repermit@.service").read_text("utf-8")
    loaded = "LoadCredential="

    assert re.findall(r"^(Exec\w+)=(.*)$", text, re.MULTILINE) == [("ExecStart", f"{_PROGRAM} run")]
    named = re.findall(rf"^#{loaded}(\w+):/", text, re.MULTILINE)
    assert named == ["REPERMIT_RELAY_PASSWORD", "REPERMIT_IMAP_PASSWORD"]
    unit = _units(tmp_path / "units") / "repermit@.service"
    unit.write_text(unit.read_text("utf-8").replace(f"#{loaded}", loaded), "utf-8")
    assert _verified(unit.parent) == ""


def test_the_service_purges_and_then_delivers_also_after_a_refusal() -> None:
    text = (_DEPLOY / "repermit-purge@.service").read_text("utf-8")
    timer = (_DEPLOY / "repermit-purge@.timer").read_text("utf-8")

    assert re.findall(r"^(Exec\w+)=(.*)$", text, re.MULTILINE) == [
        ("ExecStart", f"{_PROGRAM} purge --due"),
        ("ExecStopPost", f"{_PROGRAM} send --limit 0"),
    ]
    assert "Persistent=true" in timer
