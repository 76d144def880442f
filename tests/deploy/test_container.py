"""The image and the compose file: their steps are done by hand here, where no image can be had."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import typer
import yaml

from repermit.cli import app
from repermit.config.file import read
from repermit.runtime import example_config
from tests.journeys.campaign import wait_until
from tests.journeys.relay import free_port

_ROOT = Path(__file__).parents[2]
_DEPLOY = _ROOT / "deploy"
_INSTALLED = "/opt/repermit"  # where the image has it
_HERE = Path("config.toml")
_SECONDS = 300.0


@dataclass(frozen=True)
class Step:
    """One instruction of the Containerfile."""

    word: str
    text: str

    @property
    def words(self) -> list[str]:
        """Return its words, of the form in brackets or the other."""
        if self.text.startswith("["):
            return cast(list[str], json.loads(self.text))
        return shlex.split(self.text)


def _stages() -> list[list[Step]]:
    """Return the steps of each stage of the Containerfile."""
    text = re.sub(r"^#.*\n", "", (_DEPLOY / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)
    steps = [
        Step(*line.split(" ", 1)) for line in re.sub(r"\\\n\s*", "", text).splitlines() if line
    ]
    starts = [number for number, step in enumerate(steps) if step.word == "FROM"]
    return [steps[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def _one(word: str) -> Step:
    """Return the one step of the last stage that begins so."""
    (step,) = [step for step in _stages()[-1] if step.word == word]
    return step


def _compose() -> dict[str, Any]:
    return cast(dict[str, Any], yaml.safe_load((_DEPLOY / "compose.yaml").read_text("utf-8")))


def _machines() -> dict[str, dict[str, Any]]:
    services = cast(dict[str, dict[str, Any]], _compose()["services"])
    return {name: each for name, each in services.items() if each["image"] == "repermit"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage of the Containerfile makes, in a folder of its own.

    The packages are not fetched: the fresh environment sees those of this one, which were installed
    from the same pins, and pip finds what it wants.
    """
    place = tmp_path_factory.mktemp("image")
    sources, installed = place / "src", place / "opt"
    sources.mkdir()
    for step in _stages()[0]:
        if step.word == "COPY":
            *names, _ = step.words
            for name in names:
                _copy(_ROOT / name, sources / name)
        if step.word == "RUN":
            _do(step.text.replace(_INSTALLED, str(installed)), sources)
            _lend(installed)
    shutil.rmtree(sources)
    return installed


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _do(line: str, folder: Path) -> None:
    bare = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "HOME": str(folder)}
    ended = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env={**bare, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"


def _lend(installed: Path) -> None:
    """Let the environment see the packages of the one that runs the tests, but not repermit."""
    (packages,) = installed.glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib"), "utf-8")


@pytest.fixture
def environment(image: Path) -> dict[str, str]:
    """What the image has in its environment."""
    text = _one("ENV").text.replace(_INSTALLED, str(image))
    return dict(pair.split("=", 1) for pair in shlex.split(text))


@pytest.mark.journey
def test_the_image_has_the_program_with_all_it_needs(
    image: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Templates, the example config, and no trace of the folder that it was made in."""
    command = [str(image / "bin" / _one("ENTRYPOINT").words[0])]

    subprocess.run(
        [*command, "init", "--yes", tmp_path], cwd=tmp_path, env=environment, check=True, timeout=60
    )
    where = subprocess.run(
        [image / "bin" / "python", "-c", "import repermit; print(repermit.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (tmp_path / "config.toml").read_text("utf-8") == example_config()
    assert Path(where.stdout.strip()).is_relative_to(image)


@pytest.mark.journey
def test_what_looks_after_the_health_of_the_image_tells_the_truth(
    image: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """While it serves, and when it does not."""
    port = free_port()
    entry = [str(image / "bin" / _one("ENTRYPOINT").words[0])]
    here = {**environment, "REPERMIT_CONFIG": str(tmp_path / "config.toml")}
    for words in (["init", "--yes", str(tmp_path)], ["suppress", "--none", "nobody ever did"]):
        subprocess.run([*entry, *words], env=here, check=True, timeout=60, stdin=subprocess.DEVNULL)
        _set_port(tmp_path / "config.toml", port)
    check = _one("HEALTHCHECK").text.partition(" CMD ")[2].replace("8080", str(port))
    program, *words = json.loads(check)

    def is_well() -> bool:
        looked = [str(image / "bin" / program), *words]
        ended = subprocess.run(looked, env=here, timeout=60, check=False, capture_output=True)
        return ended.returncode == 0

    before = is_well()
    running = subprocess.Popen([*entry, *_one("CMD").words], env=here, stderr=subprocess.DEVNULL)
    try:
        wait_until(is_well)
        (tmp_path / "repermit.db").rename(tmp_path / "away.db")
        wait_until(lambda: not is_well())  # a server takes its last look for true for ten seconds
    finally:
        running.terminate()
        running.wait(_SECONDS)

    assert (before, is_well()) == (False, False)


def _set_port(config: Path, port: int) -> None:
    text = config.read_text("utf-8")
    config.write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"), "utf-8")


def test_the_image_runs_as_nobody_and_names_no_server() -> None:
    """Other than the base image, by its official name."""
    text = (_DEPLOY / "Containerfile").read_text("utf-8")
    froms = [step.text for stage in _stages() for step in stage if step.word == "FROM"]

    assert {name.split(" ")[0] for name in froms} == {"python:3.11-slim"}
    assert "://" not in re.sub(r"^#.*", "", text, flags=re.MULTILINE)
    assert _one("USER").text == "10001:10001"
    assert all(
        (_ROOT / name).exists()
        for step in _stages()[0]
        if step.word == "COPY"
        for name in step.words[:-1]
    )


def test_every_package_of_the_image_is_pinned_by_its_hash() -> None:
    installs = [
        step.text for step in _stages()[0] if step.word == "RUN" and "pip install" in step.text
    ]

    assert all(("--require-hashes -r " in line) or ("--no-deps" in line) for line in installs)
    assert len(installs) == 2
    pins = (_ROOT / "requirements.txt").read_text("utf-8")
    assert "\nasyncpg==" in pins


def test_the_machines_run_what_there_is_under_names_that_stay() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    machines = _machines()

    assert {each["hostname"] for each in machines.values()} == set(machines)
    assert len(machines) == 2
    for each in machines.values():
        assert each["command"] == _one("CMD").words
        assert each["command"][0] in commands
        assert each["user"] == _one("USER").text
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
        assert (_DEPLOY / each["build"]["context"] / each["build"]["dockerfile"]).is_file()
        assert [each["volumes"][0].rpartition(":")[2]] == [_one("WORKDIR").text]


def test_no_password_stands_in_the_compose_file_and_repermit_reads_each() -> None:
    compose = _compose()
    code = "".join(path.read_text("utf-8") for path in (_ROOT / "repermit").rglob("*.py"))
    given = {name for each in _machines().values() for name in each["secrets"]}

    assert all(set(each) == {"file"} for each in compose["secrets"].values())
    assert {name for name in given if f'"{name}"' not in code} == set()
    for each in compose["services"].values():
        assert set(each.get("secrets", [])) <= set(compose["secrets"])
        values = each["environment"]
        assert not any("PASSWORD" in name and not name.endswith("_FILE") for name in values)
    for each in _machines().values():
        assert each["environment"] == {"CREDENTIALS_DIRECTORY": "/run/secrets"}


def test_everything_that_only_the_operator_knows_is_asked_for() -> None:
    text = (_DEPLOY / "compose.yaml").read_text("utf-8")
    asked = set(re.findall(r"\$\{(\w+):\?[^}]+\}", text))

    assert asked == {"REPERMIT_CAMPAIGN", "REPERMIT_SECRETS", "REPERMIT_SITE"}
    assert text.count("${") == len(re.findall(r"\$\{\w+:\?", text))
    assert all(re.search(rf"^#   {name} ", text, re.MULTILINE) for name in asked)


def test_the_parts_of_the_compose_file_fit_together() -> None:
    compose = _compose()
    services, networks = compose["services"], compose["networks"]
    caddy = services["caddy"]
    caddyfile = (_DEPLOY / "Caddyfile").read_text("utf-8")

    servers = [f"{each}:8080" for each in _machines()]
    assert caddy["environment"]["REPERMIT_SERVERS"].split() == servers
    assert all(f"{{${name}:" in caddyfile for name in caddy["environment"])
    assert (_DEPLOY / caddy["volumes"][0].split(":")[0]).is_file()
    assert networks["inside"]["internal"] is True
    assert services["database"]["networks"] == ["inside"]
    assert "ports" not in {key for name in services if name != "caddy" for key in services[name]}
    assert "healthcheck" in services["database"]
    for each in services.values():
        mounts = [name.split(":")[0] for name in each["volumes"]]
        assert {name for name in mounts if name.isalpha()} <= set(compose["volumes"])


def test_the_config_that_the_compose_file_asks_for_is_one() -> None:
    """The lines in its head, in place of those of the example."""
    head = (_DEPLOY / "compose.yaml").read_text("utf-8").partition("\nname:")[0]
    said = dict(re.findall(r'^#   ((\w+) = ".*")$', head, re.MULTILINE))
    lines = {key: line for line, key in said.items()}
    address = _compose()["services"]["caddy"]["networks"]["front"]["ipv4_address"]

    assert list(lines) == ["url", "bind", "trusted_proxy"]
    web = read(_with(bind=lines["bind"], trusted_proxy=lines["trusted_proxy"]), path=_HERE).web
    assert [str(each.network_address) for each in web.trusted_proxy] == [address]
    assert (web.bind_host, web.bind_port) == ("0.0.0.0", int(_one("EXPOSE").text))
    assert read(_with(url=lines["url"]), path=_HERE).has_server


def _with(**lines: str) -> str:
    """Return the example config with some of its lines replaced, by their key."""
    text = example_config()
    if url := lines.pop("url", ""):
        text = text.replace('url = "sqlite:///repermit.db"', url)
    for key, line in lines.items():
        text, count = re.subn(rf"^#?{key} = .*$", line, text, flags=re.MULTILINE)
        assert count == 1, key
    return text
