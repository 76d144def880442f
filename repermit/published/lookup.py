"""One question to the DNS, and what was heard: its records, that there are none, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import dns.exception
import dns.name
from dns.asyncresolver import Resolver
from dns.rdata import Rdata
from dns.resolver import NXDOMAIN, LifetimeTimeout, NoAnswer, NoNameservers

_GIVE_UP = 2  # questions in a row of which nothing at all was heard
SECONDS = 5.0  # for one question, with every server that may be asked
_RESERVED = frozenset({"example", "test", "invalid", "localhost", "local"})


class Heard(StrEnum):
    """What came of a question, in words."""

    FOUND = "it is there"
    NO_RECORD = "there is no such record"
    NO_NAME = "there is no such name"
    FAILED = "the name server answers with a failure"
    SILENT = "no name server answers"


@dataclass(frozen=True)
class Looked:
    """What was heard of a name: its records as text, in the order in which they came."""

    heard: Heard
    records: tuple[str, ...] = ()

    @property
    def is_void(self) -> bool:
        """Return whether it is certain that there is nothing."""
        return self.heard in (Heard.NO_RECORD, Heard.NO_NAME)

    @property
    def is_known(self) -> bool:
        """Return whether the DNS said anything to go by."""
        return self.is_void or self.heard is Heard.FOUND


class Lookup:
    """Asks the DNS; each question once, and none any more once nothing was heard of two."""

    def __init__(self, resolver: Resolver) -> None:
        resolver.lifetime = min(resolver.lifetime, SECONDS)
        self._resolver, self._unheard = resolver, 0
        self._kept: dict[tuple[str, str], Looked] = {}

    async def of(self, name: str, kind: str) -> Looked:
        """Return what the DNS says of *name*; *kind* is TXT, MX, A or AAAA. Never raises."""
        asked = (name.lower().rstrip("."), kind)
        if asked not in self._kept:
            self._kept[asked] = await self._asked(*asked)
        return self._kept[asked]

    async def addresses(self, host: str) -> Looked:
        """Return the IPv4 and IPv6 addresses of *host*."""
        both = [await self.of(host, kind) for kind in ("A", "AAAA")]
        found = tuple(record for each in both for record in each.records)
        if found:
            return Looked(Heard.FOUND, found)
        return next((each for each in both if not each.is_known), both[0])

    async def _asked(self, name: str, kind: str) -> Looked:
        if self._unheard >= _GIVE_UP:
            return Looked(Heard.SILENT)
        looked = await self._answer(name, kind)
        self._unheard = self._unheard + 1 if looked.heard is Heard.SILENT else 0
        return looked

    async def _answer(self, name: str, kind: str) -> Looked:
        try:
            answer = await self._resolver.resolve(dns.name.from_text(name), kind)
        except NXDOMAIN:
            return Looked(Heard.NO_NAME)
        except NoAnswer:
            return Looked(Heard.NO_RECORD)
        except (LifetimeTimeout, NoNameservers) as failure:
            heard = any(said is not None for *_, said in failure.kwargs["errors"])
            return Looked(Heard.FAILED if heard else Heard.SILENT)
        except (UnicodeError, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return Looked(Heard.NO_NAME)  # no server can have it
        except dns.exception.DNSException:
            return Looked(Heard.FAILED)
        return Looked(Heard.FOUND, tuple(map(_text, answer)))


def is_reserved(domain: str) -> bool:
    """Return whether nobody can publish anything under *domain*: it is for examples and trials.

    Source: RFC 2606; RFC 6761.
    """
    labels = domain.lower().rstrip(".").split(".")
    return len(labels) < 2 or labels[-1] in _RESERVED


def _text(record: Rdata) -> str:
    """Return a record as text; the strings of a TXT record are joined without a space between.

    Source: RFC 7208 section 3.3; RFC 6376 section 3.6.2.2; RFC 9989 section 4.5.
    """
    strings: tuple[bytes, ...] | None = getattr(record, "strings", None)
    return record.to_text() if strings is None else b"".join(strings).decode("utf-8", "replace")
