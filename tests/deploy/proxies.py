"""nginx and Caddy as Debian packs them: unpacked, not installed, with the files of `deploy/`.

They are looked for under REPERMIT_NGINX and REPERMIT_CADDY, which name the programs, and where the
Makefile unpacks them. Only names, ports and certificates of the files are replaced.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import write_certificate
from tests.journeys.relay import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "answer.tuinvrienden.example"  # what the files of `deploy/` call the site
NAMES = ("nginx", "caddy")
_SECONDS = 30.0
# Around the site: what a distribution has for all its sites, with logs that say all they can.
_AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log debug;
events {{}}
http {{
    access_log {folder}/access.log combined;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {site};
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A web server that runs: where it takes requests, and the folder of all that it wrote."""

    port: int
    folder: Path
    certificate: Path

    def said(self) -> str:
        """Return what is in its logs, and in whatever else it left behind."""
        found = [path for path in self.folder.rglob("*") if path.is_file()]
        return "".join(path.read_bytes().decode("utf-8", "replace") for path in found)


@contextmanager
def proxy(
    name: str,
    folder: Path,
    *servers: int,
    change: tuple[str, str] = ("", ""),
    below: int | None = None,
) -> Iterator[Proxy]:
    """Run a web server in front of those ports for the length of a block; *change* replaces one
    text in its file by another; at the port *below* is the campaign below a path of the same
    name."""
    program, folder = program_of(name), folder / name
    folder.mkdir()
    certificate = write_certificate(folder.with_name(f"{name}.pem"))
    port = free_port()
    written = _nginx if name == "nginx" else _caddy
    text = site(name).replace(*change, 1)
    text = text if below is None else _with_another(text, below)
    command = [program, *written(text, folder, certificate, (port, *servers))]
    with (folder / "stderr").open("wb") as said:
        process = subprocess.Popen(
            list(map(str, command)),
            env={"HOME": str(folder), "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    running = Proxy(port, folder, certificate)
    try:
        _wait_for(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(_SECONDS)


@contextmanager
def nobody() -> Iterator[int]:
    """Yield a port of this machine where nobody answers, for the length of a block."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def program_of(name: str) -> Path:
    """Return where the program is; skip the test, or fail under CI, when it is not."""
    places = {"nginx": "usr/sbin/nginx", "caddy": "usr/bin/caddy"}
    unpacked = Path(sys.prefix) / "proxies" / name / places[name]
    variable = f"REPERMIT_{name.upper()}"
    found = os.environ.get(variable) or (str(unpacked) if unpacked.exists() else shutil.which(name))
    if found and Path(found).is_file():
        return Path(found)
    reason = f"{name} is not there: what deploy/ has for it was NOT tried ({variable})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def site(name: str) -> str:
    """Return the file of `deploy/` for that web server."""
    return (DEPLOY / {"nginx": "nginx.conf", "caddy": "Caddyfile"}[name]).read_text("utf-8")


def _with_another(text: str, port: int) -> str:
    """Return the file with the lines of a second campaign, which stand in it as comments."""
    lines, is_its = text.splitlines(keepends=True), False
    for number, line in enumerate(lines):
        is_its = line.lstrip().startswith("#") and (is_its or ("brand" in line and "{" in line))
        if is_its:
            lines[number] = line.replace("#", "", 1).replace("127.0.0.1:8081", f"127.0.0.1:{port}")
    return "".join(lines)


def _nginx(text: str, folder: Path, certificate: Path, ports: tuple[int, ...]) -> list[str | Path]:
    to = "\n".join(f"server 127.0.0.1:{each};" for each in ports[1:])
    changes = {
        r"listen 443 ssl;": f"listen 127.0.0.1:{ports[0]} ssl;",
        r" *listen \[::\]:443 ssl;\n": "",
        r"(?<=ssl_certificate     )/\S+;": f"{certificate};",
        r"(?<=ssl_certificate_key )/\S+;": f"{certificate};",
        r"server 127\.0\.0\.1:8080;": to,
    }
    made = folder.with_name("site.conf")
    made.write_text(_changed(text, changes), "utf-8")
    around = folder.with_name("around.conf")
    around.write_text(_AROUND.format(folder=folder, site=made), "utf-8")
    return ["-p", folder, "-c", around]


def _caddy(text: str, folder: Path, certificate: Path, ports: tuple[int, ...]) -> list[str | Path]:
    at = f"https://localhost:{ports[0]}"
    to = " ".join(f"127.0.0.1:{each}" for each in ports[1:])
    changes = {
        re.escape(f"{{$REPERMIT_SITE:{NAME}}} {{"): f"{at} {{\n\ttls {certificate} {certificate}",
        r"^{$": "{\n\tadmin off\n\tskip_install_trust",
        re.escape("{$REPERMIT_SERVERS:127.0.0.1:8080}"): to,
    }
    made = folder.with_name("Caddyfile")
    made.write_text(_changed(text, changes), "utf-8")
    return ["run", "--adapter", "caddyfile", "--config", made]


def _changed(text: str, changes: dict[str, str]) -> str:
    for pattern, new in changes.items():
        text, count = re.subn(pattern, lambda _, new=new: new, text, flags=re.MULTILINE)  # type: ignore[misc]
        assert count == 1, f"{count} places match {pattern}"
    return text


def _wait_for(running: Proxy, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", running.port), timeout=1):
                assert process.poll() is None, running.said()  # or another has taken the port
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                raise AssertionError(f"it does not run: {running.said()}") from None
            time.sleep(0.05)
