"""The values of the config: each kind is checked here, once.

A check says what is wrong; what is expected stands with the key, in `tables`. No message
repeats a value.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, ValidationInfo

from repermit.config import pace, urls
from repermit.domain import address, colour, notice
from repermit.domain.due import BY_DATE, Reason
from repermit.domain.network import Network
from repermit.domain.provider import Caps
from repermit.errors import AddressRejected

_MAILBOX = re.compile(r'"?(?P<name>[^<>"]*?)"?\s*<(?P<address>[^<>]+)>')
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PICTURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}  # by how they begin
_LARGEST_LOGO = 4096  # bytes: it stands in every page, and a page stays under 20 kB
_LONGEST_DOMAIN = 190  # with what stands before the @, within 254 (RFC 5321 section 4.5.3.1.3)


@dataclass(frozen=True)
class Mailbox:
    """A mailbox as a header shows it: the name may be empty, the address never is."""

    name: str
    address: str


def _plain(text: str) -> str:
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in text.replace("\n", "")):
        raise ValueError("holds a control character")
    return text


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("runs over several lines")
    return _plain(text)


def _by_date(reason: Reason) -> Reason:
    if reason not in BY_DATE:
        raise ValueError("falls due by no date")
    return reason


def _address(text: str) -> str:
    try:
        return address.parse(text).mailbox
    except AddressRejected as rejected:
        raise ValueError(f"is not an e-mail address ({rejected.reason})") from None


def _mailbox(value: object) -> Mailbox:
    if not isinstance(value, str):
        raise ValueError("is not a text in quotes")
    text = _one_line(value.strip())
    parts = _MAILBOX.fullmatch(text)
    mailbox = _address(parts["address"] if parts else text)
    if not mailbox.isascii():
        raise ValueError("has letters before the @ that many relays refuse")
    return Mailbox(name=parts["name"].strip() if parts else "", address=mailbox)


def _domain(name: str) -> str:
    name = name.lower()
    if name and (len(name) > _LONGEST_DOMAIN or not _DOMAIN.fullmatch(name)):
        raise ValueError("is not a domain in plain letters")
    return name


def _selector(name: str) -> str:
    name = name.lower()
    if name and (len(name) > _LONGEST_DOMAIN or not _SELECTOR.fullmatch(name)):
        raise ValueError("is not a name that the DNS can have")
    return name


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):  # unknown; no zone file; a folder of zones
        raise ValueError("is not a time zone") from None


def _text_file(name: object, info: ValidationInfo) -> Path | None:
    """Return where the file is, relative to the config's folder, or None for no name."""
    if not isinstance(name, str):
        raise ValueError("is not a text in quotes")
    if not name:
        return None
    path = Path((info.context or {})["folder"], name)
    try:
        size = path.stat().st_size
        is_fit = path.is_file() and size <= notice.LARGEST_BYTES
        text = path.read_text("utf-8-sig") if is_fit else ""
    except FileNotFoundError:
        raise ValueError("there is no such file") from None
    except (OSError, ValueError):
        raise ValueError("is not a file with text that can be read") from None
    if size > notice.LARGEST_BYTES:
        raise ValueError(f"is too large, {size} bytes")
    if not text.strip():
        raise ValueError("is not a file with text in it")
    return path


def _colour(text: str) -> str:
    """Return the colour, which words must stand out in, and under, on every page."""
    text = text.lower()
    if not colour.is_colour(text):
        raise ValueError("is not a colour")
    apart = colour.contrast(text, colour.GROUND)
    if apart < colour.LEAST:
        found = f"{apart:.1f} to 1 where WCAG wants {colour.LEAST:g}"
        raise ValueError(f"is too pale for people to read ({found})")
    return text


def _logo(name: object, info: ValidationInfo) -> str:
    """Return the picture as a data URI, or an empty text for no name."""
    if not isinstance(name, str):
        raise ValueError("is not a text in quotes")
    if not name:
        return ""
    try:
        octets = Path((info.context or {})["folder"], name).read_bytes()
    except FileNotFoundError:
        raise ValueError("there is no such file") from None
    except (OSError, ValueError):
        raise ValueError("is not a file that can be read") from None
    kind = next((kind for start, kind in _PICTURES.items() if octets.startswith(start)), None)
    if kind is None:
        raise ValueError("is not a picture of a kind that every page can show")
    if len(octets) > _LARGEST_LOGO:
        raise ValueError(f"is too large, {len(octets)} bytes")
    return f"data:image/{kind};base64,{base64.b64encode(octets).decode('ascii')}"


def _day(value: object) -> dt.date | None:
    """Return a TOML date, or the same in quotes; None for an empty text."""
    if value == "":
        return None
    if isinstance(value, str):
        value = _iso_day(value)
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise ValueError("is not a date")
    return value


def _iso_day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def frozen(mapping: Mapping[_Key, _Value]) -> Mapping[_Key, _Value]:
    """Return a read-only copy of *mapping*."""
    return MappingProxyType(dict(mapping))


_STRIPPED = StringConstraints(strict=True, strip_whitespace=True)
_FILLED = StringConstraints(strict=True, strip_whitespace=True, min_length=1)

Text = Annotated[str, _FILLED, AfterValidator(_plain)]
Line = Annotated[str, _FILLED, AfterValidator(_one_line)]
PerhapsText = Annotated[str, _STRIPPED, AfterValidator(_plain)]
PerhapsLine = Annotated[str, _STRIPPED, AfterValidator(_one_line)]
Language = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z]{2}$")]
Country = Annotated[str, StringConstraints(strict=True, to_upper=True, pattern=r"^[A-Za-z]{2}$")]
PurposeId = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Zone = Annotated[Line, AfterValidator(_zone)]
Email = Annotated[Line, AfterValidator(_address)]
From = Annotated[Mailbox, PlainValidator(_mailbox)]
Domain = Annotated[PerhapsLine, AfterValidator(_domain)]
Selector = Annotated[PerhapsLine, AfterValidator(_selector)]
WebUrl = Annotated[PerhapsLine, AfterValidator(urls.web_url)]
PublicUrl = Annotated[Line, AfterValidator(urls.public_url)]
RelayUrl = Annotated[Line, AfterValidator(urls.relay_url)]
MailboxUrl = Annotated[Line, AfterValidator(urls.mailbox_url)]
DatabaseUrl = Annotated[Line, AfterValidator(urls.database_url)]
Bind = Annotated[Line, AfterValidator(urls.bind)]
Networks = Annotated[tuple[Network, ...], PlainValidator(urls.networks)]
Day = Annotated[dt.date | None, PlainValidator(_day)]
ProviderCaps = Annotated[Caps, PlainValidator(pace.caps)]
WallHours = Annotated[tuple[dt.time, dt.time] | None, PlainValidator(pace.wall_hours)]
TextFile = Annotated[Path | None, PlainValidator(_text_file)]
Colour = Annotated[Line, AfterValidator(_colour)]
Logo = Annotated[str, PlainValidator(_logo)]
DUE_REASONS = tuple(map(str, BY_DATE))
DueReason = Annotated[Reason, Field(strict=False), AfterValidator(_by_date)]
ByLanguage = Annotated[Mapping[Language, Line], AfterValidator(frozen)]
