"""Whom an SPF record allows to send, with all that it includes, and what a receiver has against it.

Everything is looked up that any receiver may have to, so that the limits hold for all of them.

Source: RFC 7208 sections 4.6.4 (ten lookups, two that find nothing), 5 (mechanisms), 6.1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from repermit.published.lookup import Lookup
from repermit.published.spf import Broken, Network, SpfRecord, Term, is_spf, parsed

MOST_LOOKUPS, MOST_VOIDS, _MOST_EXCHANGES = 10, 2, 10
_SECONDS = 30.0  # for all of it
_ANYBODY = ("192.0.2.123", "198.51.100.99", "2001:db8::4242")  # RFC 5737 and 3849: nobody's

Address = IPv4Address | IPv6Address


class Trouble(StrEnum):
    """What is wrong with a record."""

    NONE = "none"  # there is no record
    SEVERAL = "several"
    BROKEN = "broken"
    LOOKUPS = "lookups"  # more than ten
    VOIDS = "voids"  # more than two lookups found nothing
    NOTHING_THERE = "nothing_there"  # what it includes or leads on to has no record
    EXCHANGES = "exchanges"  # an `mx` names more than ten hosts
    UNKNOWN = "unknown"  # the DNS could not be asked


@dataclass(frozen=True)
class Allowance:
    """What an SPF record comes to. `trouble` is None when a receiver can use it."""

    trouble: Trouble | None
    detail: str = ""  # the record, the term or the name that the trouble is about
    lookups: int = 0
    voids: int = 0
    has_ptr: bool = False
    node: Node = field(default_factory=lambda: Node())

    def passes(self, address: str) -> bool | None:
        """Return whether mail from *address* passes; None when that depends on the mail."""
        said = self.node.says(ip_address(address))
        return None if said is None else said == "+"

    @property
    def lets_anybody(self) -> bool:
        """Return whether mail from anywhere passes."""
        return all(self.passes(each) for each in _ANYBODY)


@dataclass
class Node:
    """A record whose names were looked up: each step says what it lets match."""

    steps: list[tuple[str, Network | Node | bool | None]] = field(default_factory=list)
    onward: Node | None = None  # where `redirect` leads

    def says(self, address: Address) -> str | None:
        """Return the qualifier of the first step that matches, "?" for none; None: not known."""
        for qualifier, what in self.steps:
            matches = _matches(what, address)
            if matches is None:
                return None
            if matches:
                return qualifier
        return self.onward.says(address) if self.onward else "?"


def _matches(what: Network | Node | bool | None, address: Address) -> bool | None:
    if isinstance(what, Node):
        said = what.says(address)
        return None if said is None else said == "+"
    if what is None or isinstance(what, bool):
        return what
    return address in what


async def allowance(domain: str, lookup: Lookup, *, seconds: float = _SECONDS) -> Allowance:
    """Return what the SPF record of *domain* comes to. Never raises."""
    survey = _Survey(lookup)
    try:
        async with asyncio.timeout(seconds):
            node = await survey.record(domain, is_first=True)
    except _Found as found:
        return survey.ended(found.trouble, found.detail)
    except TimeoutError:
        return survey.ended(Trouble.UNKNOWN, domain)
    return Allowance(None, "", survey.lookups, survey.voids, survey.has_ptr, node)


class _Found(Exception):
    """A trouble that ends the survey."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(trouble)
        self.trouble, self.detail = trouble, detail


@dataclass
class _Survey:
    """What is counted on the way through a record and all that it includes."""

    lookup: Lookup
    lookups: int = 0
    voids: int = 0
    has_ptr: bool = False

    def ended(self, trouble: Trouble, detail: str) -> Allowance:
        return Allowance(trouble, detail, self.lookups, self.voids, self.has_ptr)

    async def record(self, domain: str, *, is_first: bool = False) -> Node:
        """Return the record of *domain* with its names looked up. Raises: _Found."""
        looked = await self.lookup.of(domain, "TXT")
        if not looked.is_known:
            raise _Found(Trouble.UNKNOWN, domain)
        texts = [each for each in looked.records if is_spf(each)]
        if not texts:
            if not is_first and looked.is_void:
                self._void(domain)
            raise _Found(Trouble.NONE if is_first else Trouble.NOTHING_THERE, domain)
        if len(texts) > 1:
            raise _Found(Trouble.SEVERAL, domain)
        read = parsed(texts[0])
        if isinstance(read, Broken):
            raise _Found(Trouble.BROKEN, f"{read.part} in that of {domain}")
        return await self._node(domain, read)

    async def _node(self, domain: str, read: SpfRecord) -> Node:
        node = Node()
        for term in read.terms:
            if term.is_looked_up:
                self._count(term.kind)
            for what in await self._what(domain, term):
                node.steps.append((term.qualifier, what))
        if read.redirect:
            self._count("redirect")
            if "%" in read.redirect:
                node.steps.append(("?", None))
            else:
                node.onward = await self.record(read.redirect)
        return node

    async def _what(self, domain: str, term: Term) -> Sequence[Network | Node | bool | None]:
        """Return what a mechanism matches: networks, a record, everything (True), or what only
        the mail itself shows (None)."""
        if term.network is not None:
            return [term.network]
        if term.kind == "all":
            return [True]
        if term.kind == "ptr":
            self.has_ptr = True
            return [None]
        if term.has_macro:
            return [None]
        if term.kind == "include":
            return [await self.record(term.name)]
        if term.kind == "exists":
            return [bool(await self._found(term.name, "A"))]
        return await self._networks(term, term.name or domain)

    async def _networks(self, term: Term, name: str) -> list[Network]:
        hosts = [name]
        if term.kind == "mx":
            said = await self._found(name, "MX")
            hosts = [each.split()[-1] for each in said if each.split()[-1] != "."]
            if len(hosts) > _MOST_EXCHANGES:
                raise _Found(Trouble.EXCHANGES, name)
        found: list[Network] = []
        for host in hosts:
            looked = await self.lookup.addresses(host)
            if not looked.is_known:
                raise _Found(Trouble.UNKNOWN, host)
            if looked.is_void:
                self._void(host)
            found += [_network(each, term) for each in looked.records]
        return found

    async def _found(self, name: str, kind: str) -> tuple[str, ...]:
        looked = await self.lookup.of(name, kind)
        if not looked.is_known:
            raise _Found(Trouble.UNKNOWN, name)
        if looked.is_void:
            self._void(name)
        return looked.records

    def _count(self, kind: str) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise _Found(Trouble.LOOKUPS, kind)

    def _void(self, name: str) -> None:
        self.voids += 1
        if self.voids > MOST_VOIDS:
            raise _Found(Trouble.VOIDS, name)


def _network(address: str, term: Term) -> Network:
    bits = term.v6_bits if ":" in address else term.v4_bits
    return ip_network(f"{address}/{bits}", strict=False)
