"""repermit as others get it: built, installed into an empty environment, run from elsewhere.

The environment is filled from the package index that pip is configured for. Where there is none
those tests say loudly that they did not run; under CI they fail.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from repermit import __version__

pytestmark = pytest.mark.journey

SOURCES = Path(__file__).parents[2]
_SECONDS = 600
_RELEASED = "1795305600"  # 2026-11-22, for SOURCE_DATE_EPOCH
_NOT_SHIPPED = {"tests", "bench", "docs", "deploy"}
_CONSUMER = """
from datetime import timedelta
from repermit import __version__
from repermit.domain.standing import Standing
from repermit.errors import RepermitError

def said(error: RepermitError, standing: Standing, /) -> str:
    return f"{__version__} {error.hint} {standing.value}"
"""
_MISTAKEN = """
from repermit.errors import RepermitError

def said(error: RepermitError) -> int:
    return error.hint
"""


@dataclass(frozen=True)
class Built:
    """What is given away: the sources, and the wheel that is installed."""

    sdist: Path
    wheel: Path


@dataclass(frozen=True)
class Installed:
    """An environment of its own, with the wheel and what it asks for, and nothing else."""

    folder: Path

    @property
    def python(self) -> Path:
        """Return its Python."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Return where its packages are."""
        return next(self.folder.glob("lib/python*/site-packages"))

    def contents(self) -> dict[Path, str]:
        """Return every file of its packages, with a hash of what is in it."""
        files = (path for path in self.packages.rglob("*") if path.is_file())
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _run(*words: str | Path, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command that knows nothing of these sources, and return how it ended."""
    own = {"PYTHONPATH", "VIRTUAL_ENV", "REPERMIT_CONFIG"}
    around = {name: value for name, value in os.environ.items() if name not in own}
    return subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env=around | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def _build(sources: Path, out: Path, kind: str) -> Path:
    """Build *kind* of *sources* into *out*, and return the file."""
    command = (sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", out)
    ended = _run(*command, cwd=sources, SOURCE_DATE_EPOCH=_RELEASED)
    assert ended.returncode == 0, ended.stderr
    (built,) = out.iterdir()
    return built


def _unpacked(sdist: Path, folder: Path) -> Path:
    with tarfile.open(sdist) as packed:
        packed.extractall(folder, filter="data")
    return folder / f"repermit-{__version__}"


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as packed:
        return set(packed.namelist())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both archives, built from the sources as they are here."""
    out = tmp_path_factory.mktemp("built")
    return Built(_build(SOURCES, out / "s", "sdist"), _build(SOURCES, out / "w", "wheel"))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel in an empty environment, with what it asks for, in the versions of the pins."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=True)
    made = Installed(folder / "env")
    pins = folder / "pins.txt"
    pins.write_text(_pins(), "utf-8")
    install = (made.python, "-m", "pip", "install", "--quiet", "--constraint", pins)
    ended = _run(*install, f"{built.wheel}[demo]", cwd=folder)
    if "Could not find a version" in ended.stderr:
        reason = "no package index: the wheel was NOT installed and tried"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}: {ended.stderr}")
        pytest.skip(reason)
    assert ended.returncode == 0, ended.stderr
    folders = [path for path in made.packages.rglob("*") if path.is_dir()]
    _allow([made.packages, *folders], 0o555)
    yield made
    _allow([made.packages, *folders], 0o755)


def _pins() -> str:
    """Return the pinned versions without their hashes, which pip wants of the wheel too."""
    told = (SOURCES / "requirements.txt").read_text("utf-8")
    return "\n".join(re.findall(r"^[a-z0-9].*?(?= \\$)", told, re.MULTILINE))


def _allow(folders: list[Path], mode: int) -> None:
    for folder in folders:
        folder.chmod(mode)


def test_the_wheel_holds_all_that_runs_and_nothing_else(built: Built) -> None:
    code = {str(path.relative_to(SOURCES)) for path in (SOURCES / "repermit").rglob("*.py")}
    templates = {
        f"repermit/{path.relative_to(SOURCES)}"
        for path in (SOURCES / "templates").rglob("*")
        if path.is_file()
    }
    names = _names(built.wheel)

    assert code | templates <= names
    assert {"repermit/py.typed", "repermit/config.example.toml"} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert {name.partition("/")[0] for name in names} == {
        "repermit",
        f"repermit-{__version__}.dist-info",
    }
    assert not {name for name in names if _NOT_SHIPPED & set(Path(name).parts[:2])}


def test_the_sources_hold_what_is_needed_to_check_and_to_change_them(
    built: Built, tmp_path: Path
) -> None:
    sources = _unpacked(built.sdist, tmp_path)

    for name in (
        *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "Makefile"),
        *("pyproject.toml", "requirements.txt", "requirements-dev.txt", "config.example.toml"),
        *("docs", "deploy", "templates", "bench/__main__.py", "tests/journeys/test_package.py"),
    ):
        assert (sources / name).exists(), name


def test_the_same_sources_give_the_same_bytes(built: Built, tmp_path: Path) -> None:
    """Also when the wheel is made of the sdist, in another folder."""
    again = _unpacked(_build(SOURCES, tmp_path / "s", "sdist"), tmp_path)

    assert (next((tmp_path / "s").iterdir())).read_bytes() == built.sdist.read_bytes()
    assert _build(again, tmp_path / "w", "wheel").read_bytes() == built.wheel.read_bytes()


def test_the_metadata_says_what_an_index_wants_to_know(built: Built, tmp_path: Path) -> None:
    name = f"repermit-{__version__}.dist-info"
    with zipfile.ZipFile(built.wheel) as packed:
        packed.extract(f"{name}/METADATA", tmp_path)
    told = PathDistribution(tmp_path / name).metadata

    assert told["Version"] == __version__
    assert told["Requires-Python"] == ">=3.11"
    assert told["License-Expression"] == "MIT"
    assert told["Description-Content-Type"] == "text/markdown"
    assert "Typing :: Typed" in told.get_all("Classifier", [])
    assert set(told.get_all("Provides-Extra", [])) >= {"demo", "postgres"}
    assert "://" not in "".join(told.get_all("Project-URL", []))  # it has no public home yet


def test_what_the_code_imports_is_asked_for(installed: Installed) -> None:
    """Only what the wheel names was installed; every module loads but those of an extra."""
    script = """
import importlib, pkgutil, sys
sys.modules["asyncpg"] = type(sys)("asyncpg")
import repermit
skipped = ("repermit.ledger.postgres", "repermit.__main__", "repermit.ledger.migrations")
for each in pkgutil.walk_packages(repermit.__path__, "repermit."):
    if not each.name.startswith(skipped):
        importlib.import_module(each.name)
"""
    loaded = _run(installed.python, "-B", "-c", script, cwd=installed.folder)
    assert loaded.returncode == 0, loaded.stderr
    checked = _run(installed.python, "-m", "pip", "check", cwd=installed.folder)
    assert checked.returncode == 0, checked.stdout


def test_the_wheel_passes_the_demonstration_from_another_folder(
    installed: Installed, tmp_path: Path
) -> None:
    """Nobody may write where packages lie, and nothing is written there."""
    before = installed.contents()

    ended = _run(installed.folder / "bin" / "repermit", "demo", cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert "traces left: 0" in ended.stdout + ended.stderr
    assert [path.name[:5] for path in tmp_path.iterdir()] == ["demo-"]
    assert installed.contents() == before


def test_without_the_mail_catcher_the_demonstration_says_what_to_install(
    installed: Installed, tmp_path: Path
) -> None:
    script = "import sys; sys.modules['aiosmtpd'] = None; from repermit.cli import main; main()"

    ended = _run(installed.python, "-B", "-c", script, "demo", cwd=tmp_path)

    assert "what to do: install" in ended.stderr
    assert "repermit[demo]" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("code", "wrong"), [(_CONSUMER, ""), (_MISTAKEN, "return-value")])
def test_the_types_reach_whoever_imports_it(
    installed: Installed, tmp_path: Path, code: str, wrong: str
) -> None:
    (tmp_path / "consumer.py").write_text(code, "utf-8")
    words = ("--strict", "--cache-dir", tmp_path / "cache", "--python-executable", installed.python)

    ended = _run(sys.executable, "-m", "mypy", *words, "consumer.py", cwd=tmp_path)

    assert ended.returncode == bool(wrong), ended.stdout
    assert wrong in ended.stdout
