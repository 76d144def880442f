"""A mailbox that is read by IMAP: what is in it, and moving out of it what was handled.

Everything here waits for the server, so it runs in a thread. Nothing is deleted: what is handled
is moved into a folder beside, and what belongs to others stays where it is, unseen.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError

from repermit.errors import MailboxUnusable
from repermit.files import shown
from repermit.inbound.connection import connected
from repermit.inbound.tree import MOST_BYTES

HANDLED, QUARANTINE = "repermit-handled", "repermit-quarantine"
TIMEOUT_SECONDS = 30.0  # for each wait for the server
_NAMESPACE = re.compile(rb'\(\("((?:[^"\\]|\\.)*)" ')  # the first of one's own
_UID = re.compile(rb"[ (]UID ([0-9]{1,10})[ )]", re.IGNORECASE)  # before the content, or after
_GARBAGE = (ValueError, TypeError, AttributeError, LookupError)  # what nonsense makes imaplib raise
_ADDRESS_HINT = "check the host and the port in inbound.imap, and the firewall"


@dataclass(frozen=True)
class ImapAt:
    """Where a mailbox is, and how to get in; `tls` is none, starttls or tls."""

    host: str
    port: int
    tls: str
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    timeout: float = TIMEOUT_SECONDS

    def identity(self, validity: int, uid: int) -> bytes:
        """Return what no other message has, ever. Source: RFC 3501 section 2.3.1.1."""
        whole = (self.host, str(self.port), self.user, self.folder, str(validity), str(uid))
        return "\0".join(whole).encode()


class Imap:
    """An open folder. Each of its functions raises MailboxUnusable when the server does not do what
    it must, or is away; nothing is lost then."""

    def __init__(self, at: ImapAt) -> None:
        """Open it."""
        self.at = at
        with _translated(at, "cannot be reached"):
            self._box = connected(at.host, at.port, at.tls, at.timeout)
        try:
            with _translated(at, "hung up"):
                _log_in(self._box, at)
                _select(self._box, at.folder)
                self._can = _capabilities(self._box.client)
                self._prefix = _prefix(self._box.client, self._can)
                self.validity = int(self._box.client.response("UIDVALIDITY")[1][0] or 0)
        except BaseException:
            self.close()
            raise
        self._there: set[str] = set()

    def uids(self) -> list[int]:
        """Return the numbers of all messages that are not about to be deleted."""
        with self._working():
            return sorted(map(int, self._box.uids("UNDELETED", charset=None)))

    def content(self, uid: int) -> bytes | None:
        """Return a message as far as it is read, and a byte more if there is more; it stays unseen.
        None when it is gone.

        Source: RFC 3501 section 6.4.5.
        """
        with self._working():
            data = self._do("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{MOST_BYTES + 1}>)")
        for item, after in zip(data, [*data[1:], b""], strict=True):
            if isinstance(item, tuple) and b"BODY[]" in item[0].upper():
                told = _UID.search(item[0]) or (isinstance(after, bytes) and _UID.search(after))
                if told and int(told[1]) == uid:  # a server may tell of others unasked
                    return bytes(item[1])
        return None

    def put(self, uids: Sequence[int], folder: str) -> None:
        """Move messages into *folder* beside, which is made when it is not there.

        Where the server cannot move they are copied, marked as deleted and, if it can do that for
        them alone, expunged. Crash: a message may be in both; it is known by its content.
        Source: RFC 6851 section 3.3; RFC 4315 section 2.1.
        """
        if not uids:
            return
        numbers = ",".join(map(str, uids))
        with self._working():
            place = self._made(folder)
            if "MOVE" in self._can:
                self._do("MOVE", numbers, place)
                return
            self._do("COPY", numbers, place)
            self._do("STORE", numbers, "+FLAGS.SILENT", r"(\Deleted)")
            if "UIDPLUS" in self._can:
                self._do("EXPUNGE", numbers)

    def close(self) -> None:
        """Say goodbye, if there is somebody to say it to."""
        with suppress(OSError, imaplib.IMAP4.error, *_GARBAGE):
            self._box.client.logout()
        with suppress(OSError):
            self._box.client.shutdown()

    def _do(self, command: str, *words: Any) -> list[Any]:
        """Return what the server answers. Raises: imaplib's error when it says no."""
        status, data = self._box.client.uid(command, *words)
        if status != "OK":
            raise imaplib.IMAP4.error(command)
        return list(data)

    def _made(self, folder: str) -> bytes:
        """Return the name of *folder* on this server, where it now is."""
        name = self._prefix + folder.encode("ascii")
        quoted = b'"' + name + b'"'
        if folder not in self._there:
            status, data = self._box.client.list('""', quoted.decode("latin-1"))
            if status != "OK" or not any(data):
                with suppress(ImapToolsError):  # another process made it in this instant
                    self._box.folder.create(quoted)
                with suppress(ImapToolsError, imaplib.IMAP4.error):
                    self._box.folder.subscribe(quoted, True)
            self._there.add(folder)
        return quoted

    def _working(self) -> Any:
        self._box.client.allow()
        return _translated(self.at, "hung up, or does not do what it must")


def _log_in(box: BaseMailBox, at: ImapAt) -> None:
    try:
        if "AUTH=PLAIN" in box.client.capabilities:  # of any letters, in UTF-8
            box.login_utf8(at.user, at.password, initial_folder=None)
        else:
            box.login(at.user, at.password, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except (ImapToolsError, imaplib.IMAP4.error, UnicodeError) as failure:
        raise MailboxUnusable(
            f"the mail server {at.host} does not let us in with that user and password",
            hint="check the user in inbound.imap and REPERMIT_IMAP_PASSWORD; some providers want a"
            " password for this alone, and some take none at all: see docs/inbound.md",
        ) from failure


def _select(box: BaseMailBox, folder: str) -> None:
    try:
        box.folder.set(folder)
    except (ImapToolsError, imaplib.IMAP4.error) as failure:
        if isinstance(failure, imaplib.IMAP4.abort) and not isinstance(
            failure, imaplib.IMAP4.readonly
        ):
            raise
        raise MailboxUnusable(
            f"the mailbox has no folder {shown(folder)}, or it may only be read",
            hint="correct the folder in inbound.imap, with the names of the server"
            " (such as INBOX/bounces or INBOX.bounces)",
        ) from failure


def _capabilities(client: imaplib.IMAP4) -> frozenset[str]:
    """Return what the server can do once one is logged in, which may be more than before."""
    status, data = client.capability()
    text = data[-1] if status == "OK" and data and data[-1] else b""
    return frozenset(text.decode("ascii", "replace").upper().split())


def _prefix(client: imaplib.IMAP4, can: frozenset[str]) -> bytes:
    """Return what the names of one's own folders begin with. Source: RFC 2342 section 5."""
    if "NAMESPACE" not in can:
        return b""
    status, data = client.namespace()
    found = _NAMESPACE.match(data[-1]) if status == "OK" and data and data[-1] else None
    return found[1] if found else b""


@contextmanager
def _translated(at: ImapAt, what: str) -> Iterator[None]:
    """Raise what imaplib, TLS and the network say as what the operator can act on."""
    try:
        yield
    except ssl.SSLCertVerificationError as failure:
        raise MailboxUnusable(
            f"the certificate of the mail server {at.host} is refused ({failure.verify_message})",
            hint="check the host name in inbound.imap, or have the certificate renewed",
        ) from failure
    except ssl.SSLError as failure:
        raise MailboxUnusable(
            f"the TLS handshake with the mail server {at.host} fails",
            hint="check inbound.imap: imaps:// where TLS comes first, imap:// where STARTTLS"
            " begins it",
        ) from failure
    except TimeoutError as failure:
        raise MailboxUnusable(
            f"the mail server {at.host} does not answer in time",
            hint=f"{_ADDRESS_HINT}; what was not handled is still there, and is next time",
        ) from failure
    except (OSError, imaplib.IMAP4.error, ImapToolsError, *_GARBAGE) as failure:
        raise MailboxUnusable(
            f"the mail server {at.host} {what}",
            hint=f"{_ADDRESS_HINT}; what was not handled is still there, and is next time",
        ) from failure
