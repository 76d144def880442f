"""Whether a domain takes mail.

Source: RFC 5321 section 5.1 (the MX, and a host without one); RFC 7505 (the null MX).
"""

from __future__ import annotations

from enum import StrEnum

from repermit.published.lookup import Heard, Looked, Lookup

_MOST_HOSTS = 10  # that are looked up, those first that mail goes to first


class Takes(StrEnum):
    """Whether a domain takes mail, in words."""

    MAIL = "takes mail"
    WITHOUT_MX = "has no MX; mail goes to the host of that name"
    NULL_MX = "says that it takes no mail (null MX)"
    NO_HOST = "has neither an MX nor a host"
    NO_NAME = "does not exist"
    LOST_HOST = "has an MX whose host does not exist"
    UNKNOWN = "is not known: the DNS cannot be asked"


async def takes(domain: str, lookup: Lookup) -> Takes:
    """Return whether *domain* takes mail. Never raises."""
    said = await lookup.of(domain, "MX")
    if not said.is_known:
        return Takes.UNKNOWN
    if said.heard is Heard.NO_NAME:
        return Takes.NO_NAME
    if said.heard is Heard.NO_RECORD:
        return _of_host(await lookup.addresses(domain), Takes.WITHOUT_MX, Takes.NO_HOST)
    hosts = _hosts(said.records)
    if all(host == "." for host in hosts):
        return Takes.NULL_MX
    return await _of_hosts(hosts, lookup)


def _hosts(records: tuple[str, ...]) -> list[str]:
    """Return the hosts of MX *records*, those first that mail goes to first."""
    ordered = sorted(map(str.split, records), key=lambda each: int(each[0]))
    return list(dict.fromkeys(host for _, host in ordered))


async def _of_hosts(hosts: list[str], lookup: Lookup) -> Takes:
    """Return what the first *hosts* come to; one that is there is enough."""
    found = Takes.LOST_HOST if len(hosts) <= _MOST_HOSTS else Takes.UNKNOWN
    for host in hosts[:_MOST_HOSTS]:
        one = _of_host(await lookup.addresses(host), Takes.MAIL, Takes.LOST_HOST)
        if one is Takes.MAIL:
            return one
        if one is Takes.UNKNOWN:
            found = one
    return found


def _of_host(addresses: Looked, there: Takes, gone: Takes) -> Takes:
    if not addresses.is_known:
        return Takes.UNKNOWN
    return gone if addresses.is_void else there
