"""What `deploy/` has for systemd is what systemd takes, and no more than what repermit needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_DEPLOY = _ROOT / "deploy"
_PROGRAM = "/usr/local/bin/repermit"  # where the units expect it
_SERVICES = sorted(path.name for path in _DEPLOY.glob("*.service"))
_MOST_EXPOSURE = 20  # tenths; of 10 for no fences at all, and 5 for what systemd still calls OK


def _said_by_systemd(*words: str | Path) -> str:
    """Return what `systemd-analyze` says, with its exit code when that is not 0."""
    program = shutil.which("systemd-analyze")
    if program is None:
        reason = "systemd-analyze is not there: the units of deploy/ were NOT verified"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    ended = subprocess.run(
        [program, *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )
    return ended.stdout + ended.stderr + ("" if ended.returncode == 0 else f"({ended.returncode})")


def _verified(folder: Path) -> str:
    """Return what systemd has to say of the units in *folder*; empty when nothing."""
    return _said_by_systemd("verify", "--man=no", *sorted(folder.iterdir()))


def _units(folder: Path) -> Path:
    """Return a copy of the units whose program is one that is there."""
    folder.mkdir()
    for unit in (*_DEPLOY.glob("*.service"), *_DEPLOY.glob("*.timer")):
        text = unit.read_text("utf-8")
        (folder / unit.name).write_text(text.replace(_PROGRAM, "/bin/true"), "utf-8")
    return folder


def _text(name: str) -> str:
    return (_DEPLOY / name).read_text("utf-8")


def _run(name: str) -> list[tuple[str, str]]:
    """Return what a unit runs, with the key that says when."""
    return re.findall(r"^(Exec\w+)=(.*)$", _text(name), re.MULTILINE)


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = _units(tmp_path / "units")

    assert len(list(units.iterdir())) == 5
    assert _verified(units) == ""


def test_systemd_would_say_if_it_did_not(tmp_path: Path) -> None:
    units = _units(tmp_path / "units")
    for unit in units.iterdir():
        unit.write_text(
            re.sub(
                r"^\[(Service|Timer)\]$", r"[\1]\nNoSuchKey=1", unit.read_text(), flags=re.MULTILINE
            )
        )

    assert _verified(units).count("NoSuchKey") == 5


@pytest.mark.parametrize("name", _SERVICES)
def test_a_service_exposes_as_little_as_systemd_asks_for(name: str) -> None:
    """Nobody's service could go below about 1: it talks to a network, and keeps files."""
    said = _said_by_systemd(
        "security", "--offline=true", "--no-pager", f"--threshold={_MOST_EXPOSURE}", _DEPLOY / name
    )

    assert "Overall exposure level" in said
    assert not said.endswith("(1)"), said


def test_a_service_without_its_fences_would_be_told(tmp_path: Path) -> None:
    unit = tmp_path / "repermit@.service"
    unit.write_text(_text(unit.name).replace("ProtectSystem=strict\n", ""), "utf-8")
    most = f"--threshold={_MOST_EXPOSURE // 2}"

    assert _said_by_systemd("security", "--offline=true", "--no-pager", most, unit).endswith("(1)")


def test_the_fences_of_all_services_are_the_same() -> None:
    fences = {
        re.sub(
            r"\n\[Install\].*", "", _text(name).partition("# What it may do,")[2], flags=re.DOTALL
        )
        for name in _SERVICES
    }

    assert len(fences) == 1
    assert "ProtectSystem=strict" in fences.pop()


@pytest.mark.parametrize("name", _SERVICES)
def test_a_service_takes_its_secrets_from_files_and_repermit_reads_each(
    name: str, tmp_path: Path
) -> None:
    """By `LoadCredential=`, which gives them to no ExecStopPost=: so there is none."""
    loaded = "LoadCredential="
    named = set(re.findall(rf"^#{loaded}(\w+):/", _text(name), re.MULTILINE))
    code = "".join(path.read_text("utf-8") for path in (_ROOT / "repermit").rglob("*.py"))

    assert {secret for secret in named if f'"{secret}"' not in code} == set()
    assert [when for when, _ in _run(name)] == ["ExecStart"]
    unit = _units(tmp_path / "units") / name
    unit.write_text(unit.read_text("utf-8").replace(f"#{loaded}", loaded), "utf-8")
    assert _verified(unit.parent) == ""


def test_the_service_of_a_campaign_runs_it_and_takes_every_password() -> None:
    text = _text("repermit@.service")

    assert _run("repermit@.service") == [("ExecStart", f"{_PROGRAM} run")]
    assert re.findall(r"^#LoadCredential=REPERMIT_(\w+)_PASSWORD:/", text, re.MULTILINE) == [
        *("RELAY", "IMAP", "DATABASE")
    ]


@pytest.mark.parametrize(
    ("purge", "send", "ends"), [(0, 0, 0), (1, 0, 1), (2, 2, 2), (0, 1, 1), (1, 1, 1)]
)
def test_the_service_purges_and_then_delivers_also_after_a_refusal(
    tmp_path: Path, purge: int, send: int, ends: int
) -> None:
    """What systemd runs, by the shell that it names: it fails when either of both does."""
    program = tmp_path / "repermit"
    program.write_text(
        f'#!/bin/sh\necho "$@"\ncase $1 in purge) exit {purge};; *) exit {send};; esac\n', "utf-8"
    )
    program.chmod(0o755)
    ((when, line),) = _run("repermit-purge@.service")
    shell, option, script = line.split(" ", 2)
    script = script.strip("'").replace("$$", "$").replace(_PROGRAM, str(program))

    ended = subprocess.run(
        [shell, option, script], capture_output=True, text=True, timeout=30, check=False
    )

    assert when == "ExecStart"
    assert ended.stdout.splitlines() == ["purge --due", "send --limit 0"]
    assert ended.returncode == ends


def test_the_backup_goes_into_two_folders_and_a_purge_reaches_the_first() -> None:
    """The keys beside a ledger's copy must die with a purge; those that are kept lie apart."""
    copies, keys = "/var/backups/repermit/%i", "/var/backups/repermit-keys/%i"

    assert _run("repermit-backup@.service") == [
        ("ExecStart", f"{_PROGRAM} backup {copies} --keys {keys}")
    ]
    assert f"\nReadWritePaths={copies} {keys}\n" in _text("repermit-backup@.service")
    for name in ("repermit@.service", "repermit-purge@.service"):
        assert f"\nReadWritePaths=-{copies}\n" in _text(name)
        assert keys not in _text(name)


@pytest.mark.parametrize("name", sorted(path.name for path in _DEPLOY.glob("*.timer")))
def test_a_timer_makes_up_for_a_machine_that_was_off(name: str) -> None:
    assert "\nPersistent=true\n" in _text(name)
    assert (_DEPLOY / name.replace(".timer", ".service")).exists()
