"""A real IMAP server on this machine: Dovecot, with one user."""

from __future__ import annotations

import contextlib
import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from repermit.inbound.imap import ImapAt
from tests.certificates import write_certificate

USER, PASSWORD = "an", 'a "pass" wörd \\'
_CONFIG = """
protocols = imap
base_dir = {run}
state_dir = {run}
log_path = {folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{certificate}
disable_plaintext_auth = no
auth_mechanisms = plain
listen = 127.0.0.1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
auth_failure_delay = 0
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  prefix = {prefix}
  separator = {separator}
}}
imap_capability = {capability}
{more}
"""
# What a server says that can do little: neither MOVE nor NAMESPACE.
PLAIN = "IMAP4rev1 LITERAL+ UIDPLUS"
PLAINEST = "IMAP4rev1 LITERAL+"


def program() -> str:
    """Return where Dovecot is; without it the test says that it did not run, and fails under CI."""
    found = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        reason = "dovecot is not there: mailboxes were NOT read by IMAP"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@dataclass
class Dovecot:
    """A running server; `folder` holds its mail and its certificate."""

    folder: Path
    port: int
    tls_port: int

    @property
    def certificate(self) -> Path:
        """Return the certificate that it shows, for localhost."""
        return self.folder / "certificate.pem"

    def at(self, *, tls: str = "none", folder: str = "INBOX", **changes: object) -> ImapAt:
        """Return where it is."""
        known = {"host": "localhost", "user": USER, "password": PASSWORD, "timeout": 10.0}
        port = self.tls_port if tls == "tls" else self.port
        return ImapAt(**({"port": port, **known, **changes}), tls=tls, folder=folder)  # type: ignore[arg-type]  # any field

    @contextlib.contextmanager
    def client(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """Yield a client of the standard library."""
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
            status, _ = client.select(folder)
            assert status == "OK", folder
            yield client

    def put(self, *messages: bytes, folder: str = "INBOX") -> None:
        """Let messages come in."""
        with self.client() as client:
            for message in messages:
                status, _ = client.append(folder, "", "", message)
                assert status == "OK"

    def subjects(self, folder: str = "INBOX", which: str = "ALL") -> list[str]:
        """Return what is in a folder, by what stands in the subject; nothing changes by it."""
        with self.client(folder) as client:
            _, (numbers,) = client.search(None, which)
            found = []
            for number in numbers.split():
                _, data = client.fetch(number, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
                head = next(each[1] for each in data if isinstance(each, tuple))
                found.append(head.decode().strip().removeprefix("Subject: "))
            return sorted(found)

    def folders(self) -> set[str]:
        """Return the names of all folders."""
        with self.client() as client:
            _, found = client.list()
            lines = [line.decode() for line in found if isinstance(line, bytes)]
            return {line.rpartition(" ")[2].strip('"') for line in lines}


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@contextlib.contextmanager
def dovecot(
    *, prefix: str = "", separator: str = "/", capability: str = "", more: str = ""
) -> Iterator[Dovecot]:
    """Run a server whose own folders begin with *prefix*; *capability* is all that it says it can
    do, if not what it can."""
    path = program()
    with tempfile.TemporaryDirectory(prefix="repermit-imap-") as name:  # short: it holds sockets
        folder, (port, tls_port) = Path(name), _free_ports()
        user = pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:  # it does not read mail as root
            user = "mail"
            os.chown(folder, pwd.getpwnam(user).pw_uid, grp.getgrnam(user).gr_gid)
        group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
        certificate = write_certificate(folder / "certificate.pem")
        (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n", "utf-8")
        (folder / "run").mkdir()
        config = folder / "dovecot.conf"
        config.write_text(
            _CONFIG.format(
                run=folder / "run", folder=folder, user=user, group=group, port=port,
                tls_port=tls_port, certificate=certificate, prefix=prefix, separator=separator,
                capability=capability, more=more,
            ),
            "utf-8",
        )  # fmt: skip
        process = subprocess.Popen(
            [path, "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            _wait_for(port, process)
            yield Dovecot(folder, port, tls_port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()[1]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as one:
            if one.recv(4) == b"* OK":
                return
        time.sleep(0.05)
    raise AssertionError("dovecot does not answer")
