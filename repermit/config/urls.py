"""What URLs and networks of the config must be. A check returns its value or says what is wrong."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from repermit.domain.network import Network

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_BIND = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:]+)):([0-9]{1,5})")
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_PORTS = {"smtp": 587, "smtps": 465, "imap": 143, "imaps": 993}


@dataclass(frozen=True)
class Server:
    """Where the relay or a mailbox listens, and how. `tls` is "none", "starttls" or "tls"."""

    host: str
    port: int
    user: str | None
    tls: str


def _split(url: str) -> SplitResult:
    """Return the parts of *url*: a host that can be one, a port in range, no strange letters.

    Source: RFC 3986 section 2 (the characters that a URL may have).
    """
    try:
        parts = urlsplit(url)
        is_usable = is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # unpaired brackets, a port that is no number or over 65535
        is_usable = False
    if not is_usable or not _URL.fullmatch(url):
        raise ValueError("is not a URL with a host, in plain letters")
    return parts


def web_url(url: str) -> str:
    """Return *url*, a web address or nothing."""
    if url and _split(url).scheme not in {"http", "https"}:
        raise ValueError("is not a web address")
    return url


def public_url(url: str) -> str:
    """Return *url* without its last slash: https, or http on this machine."""
    parts = _split(url)
    if "?" in url or "#" in url or "@" in parts.netloc:
        raise ValueError("holds a user, a ? or a #")
    if any(unquote(part) in {".", ".."} for part in parts.path.split("/")):
        raise ValueError("has a . or .. in its path, which browsers take out")
    if parts.scheme != "https" and not (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    ):
        raise ValueError("is not https")
    return url.rstrip("/")


def relay_url(url: str) -> str:
    """Return *url*: a user, a host and a port that `server` can read."""
    if ":" in url.partition("://")[2].rpartition("@")[0]:
        raise ValueError("holds a password: set REPERMIT_RELAY_PASSWORD and delete it here")
    parts = _split(url)
    if parts.scheme not in {"smtp", "smtps"}:
        raise ValueError("starts with neither smtp:// nor smtps://")
    if parts.path.strip("/") or "?" in url or "#" in url:
        raise ValueError("holds more than a user, a host and a port")
    found = server(url)
    if (found.port, found.tls) == (465, "starttls"):
        raise ValueError("names port 465, where TLS comes first, without smtps://")
    return url


def mailbox_url(url: str) -> str:
    """Return *url*: a user, a host, a port and a folder that `server` and `folder` can read."""
    if ":" in url.partition("://")[2].rpartition("@")[0]:
        raise ValueError("holds a password: set REPERMIT_IMAP_PASSWORD and delete it here")
    parts = _split(url)
    if parts.scheme not in {"imap", "imaps"}:
        raise ValueError("starts with neither imap:// nor imaps://")
    if not parts.username:
        raise ValueError("names no user")
    if "?" in url or "#" in url or ";" in url:
        raise ValueError("holds more than a user, a host, a port and a folder")
    found = server(url)
    if (found.port, found.tls) == (993, "starttls"):
        raise ValueError("names port 993, where TLS comes first, without imaps://")
    return url


def folder(url: str) -> str:
    """Return the folder that a checked mailbox URL names; INBOX when it names none."""
    return unquote(urlsplit(url).path.strip("/")) or "INBOX"


def server(url: str) -> Server:
    """Return where a checked URL of a relay or mailbox points: in the clear to this machine only.

    Source: RFC 8314 section 3 (465 and 993 are TLS from the start, 587 and 143 are STARTTLS).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    in_the_clear = "none" if is_loopback(host) else "starttls"
    tls = "tls" if parts.scheme in {"smtps", "imaps"} else in_the_clear
    user = unquote(parts.username) if parts.username else None
    return Server(host=host, port=parts.port or _PORTS[parts.scheme], user=user, tls=tls)


def bind(text: str) -> str:
    """Return *text*: a host and a port that `bind_address` can read."""
    bind_address(text)
    return text


def bind_address(text: str) -> tuple[str, int]:
    """Return the host, without brackets, and the port of `127.0.0.1:8080` or `[::1]:8080`."""
    parts = _BIND.fullmatch(text)
    if parts is None or not 1 <= int(parts[3]) <= 65535:
        raise ValueError("is not a host and a port")
    if not (_ip(parts[1]) if parts[1] else is_host(parts[2])):
        raise ValueError("is not a host and a port")
    return parts[1] or parts[2], int(parts[3])


def is_host(host: str) -> bool:
    """Return whether *host* is an IP address, or has the form of a host name in ASCII."""
    return bool(_HOST.fullmatch(host)) or _ip(host) is not None


def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    ip = _ip(host)
    return host == "localhost" or (ip is not None and ip.is_loopback)


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def database_url(url: str) -> str:
    """Return *url*: a SQLite file, or a database of PostgreSQL, without a password."""
    if re.match(r"postgres(ql)?(\+\w+)?:", url):
        return _postgresql(url)
    name = url.removeprefix("sqlite:///")
    if name == url or not name or name.endswith("/") or name == ":memory:" or "?" in name:
        raise ValueError("is not a SQLite file")
    return url


def _postgresql(url: str) -> str:
    if not url.startswith("postgresql://"):
        raise ValueError("names PostgreSQL in another way than postgresql://")
    try:
        found = urlsplit(url)
        found.port  # noqa: B018 - it is read where it is asked for
    except ValueError:
        raise ValueError("is no URL") from None
    if found.password or "password" in parse_qs(found.query):
        raise ValueError("holds a password: set REPERMIT_DATABASE_PASSWORD instead")
    if not found.path.strip("/"):
        raise ValueError("names no database")
    return url


def networks(value: object) -> tuple[Network, ...]:
    """Return the one network that the text names, never everybody; none for an empty text."""
    if not isinstance(value, str):
        raise ValueError("is not a text in quotes")
    if not value.strip():
        return ()
    try:
        found = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        raise ValueError("is neither an address nor a network") from None
    if found.prefixlen == 0:
        raise ValueError("is everybody, so that anybody could forge X-Forwarded-For")
    if ipaddress.ip_interface(value.strip()).ip != found.network_address:
        raise ValueError(f"is a host within a network: write {found}, or the host alone")
    return (found,)
