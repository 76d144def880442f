"""Which domains of a list take no mail, as the DNS says. Each is asked once, some at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import dns.exception
import dns.name
from dns.asyncresolver import Resolver
from dns.resolver import (
    NXDOMAIN,
    LifetimeTimeout,
    NoAnswer,
    NoNameservers,
    NoResolverConfiguration,
)

from repermit.domain.address import parse
from repermit.errors import AddressRejected
from repermit.intake.listfile import ListFile

_GIVE_UP = 20  # domains in a row of which nothing at all was heard

Progress = Callable[[int, int], None]  # domains done, of how many


@dataclass(frozen=True)
class DomainsChecked:
    """What the DNS says: `dead` are the domains that take no mail, with the reason ("null_mx",
    "no_such_domain", "no_mail_host"), `unknown` those of which it said nothing to go by, `checked`
    counts all others, dead ones included."""

    dead: Mapping[str, str]
    unknown: frozenset[str]
    checked: int


class _Verdict(StrEnum):
    TAKES_MAIL = "takes_mail"
    NULL_MX = "null_mx"
    NO_SUCH_DOMAIN = "no_such_domain"
    NO_MAIL_HOST = "no_mail_host"
    FAILED = "failed"  # a server answered, but with a failure, or the name cannot be asked
    UNREACHABLE = "unreachable"  # no server answered


_DEAD = frozenset({_Verdict.NULL_MX, _Verdict.NO_SUCH_DOMAIN, _Verdict.NO_MAIL_HOST})
_UNKNOWN = frozenset({_Verdict.FAILED, _Verdict.UNREACHABLE})


def system_resolver(named_in: str = "/etc/resolv.conf") -> Resolver:
    """Return a resolver that asks the servers of this machine; where none are named, or not by
    their address, it has none, and hears nothing."""
    try:
        return Resolver(named_in)
    except (NoResolverConfiguration, ValueError):
        return Resolver(configure=False)


def domains_of(sources: Iterable[ListFile]) -> set[str]:
    """Return the domains of all addresses in *sources*."""
    found: set[str] = set()
    for source in sources:
        for row in source.rows():
            with suppress(AddressRejected):
                found.add(parse(row.address).domain)
    return found


async def dead_domains(
    domains: Iterable[str],
    resolver: Resolver,
    *,
    at_once: int = 50,
    progress: Progress | None = None,
) -> DomainsChecked:
    """Return which of *domains* (A-labels) take no mail.

    Whatever keeps the DNS from answering makes a domain unknown, never dead; once nothing was
    heard of many in a row, the rest is not asked, so that a machine without a network goes on.
    """
    names = sorted(set(domains))
    survey = _Survey(resolver, iter(names), len(names), progress)
    async with asyncio.TaskGroup() as workers:
        for _ in range(min(at_once, len(names))):
            workers.create_task(survey.work())
    said = [(name, survey.verdicts.get(name, _Verdict.UNREACHABLE)) for name in names]
    unknown = frozenset(name for name, verdict in said if verdict in _UNKNOWN)
    return DomainsChecked(
        dead={name: verdict.value for name, verdict in said if verdict in _DEAD},
        unknown=unknown,
        checked=len(names) - len(unknown),
    )


@dataclass
class _Survey:
    """What the workers share: each takes the next name that is left."""

    resolver: Resolver
    left: Iterator[str]
    total: int
    progress: Progress | None
    verdicts: dict[str, _Verdict] = field(default_factory=dict)
    unheard: int = 0  # in a row

    async def work(self) -> None:
        """Ask for one name after the other, as long as there is an answer now and then."""
        for name in self.left:
            verdict = await _verdict(name, self.resolver)
            self.verdicts[name] = verdict
            self.unheard = self.unheard + 1 if verdict is _Verdict.UNREACHABLE else 0
            if self.progress:
                self.progress(len(self.verdicts), self.total)
            if self.unheard >= _GIVE_UP:
                return


async def _verdict(domain: str, resolver: Resolver) -> _Verdict:
    """Return what the DNS says, after three questions at most; each ends within the resolver's
    lifetime."""
    try:
        return await _by_exchange(dns.name.from_text(domain), resolver)
    except NXDOMAIN:
        return _Verdict.NO_SUCH_DOMAIN
    except (LifetimeTimeout, NoNameservers) as failure:
        answers = [answer for *_, answer in failure.kwargs["errors"] if answer is not None]
        return _Verdict.FAILED if answers else _Verdict.UNREACHABLE
    except (dns.exception.DNSException, UnicodeError):
        return _Verdict.FAILED


async def _by_exchange(name: dns.name.Name, resolver: Resolver) -> _Verdict:
    """Source: RFC 5321 section 5.1; RFC 7505 (the null MX)."""
    try:
        exchanges = await resolver.resolve(name, "MX")
    except NoAnswer:
        return await _by_address(name, resolver)
    if all(each.exchange == dns.name.root for each in exchanges):
        return _Verdict.NULL_MX
    return _Verdict.TAKES_MAIL


async def _by_address(name: dns.name.Name, resolver: Resolver) -> _Verdict:
    """Return whether a host of that name is its own exchange, which RFC 5321 section 5.1 calls an
    implicit MX."""
    for kind in ("A", "AAAA"):
        try:
            await resolver.resolve(name, kind)
        except NoAnswer:
            continue
        except NXDOMAIN:
            return _Verdict.FAILED  # it was there a moment ago
        return _Verdict.TAKES_MAIL
    return _Verdict.NO_MAIL_HOST
