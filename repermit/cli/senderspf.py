"""What `check` says of the SPF record of the domain to which bounces go.

Source: RFC 7208.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from repermit.cli.finding import Said, State, together

if TYPE_CHECKING:
    from repermit.published.allowance import Allowance
    from repermit.published.lookup import Lookup

ASK_AGAIN = "run `repermit check` again where the DNS can be asked"
UNKNOWN = "not known: the DNS says nothing of {}"
_LIST = (
    "list the relay in the SPF record of {0}, as its operator tells (include:…), and no more than"
    " it needs"
)


async def spf(domain: str, relay: str, lookup: Lookup) -> tuple[Said, Allowance]:
    """Return what to say of the SPF record of *domain*, when the host *relay* sends, and the record
    itself. Never raises for what does not hold."""
    from repermit.published.allowance import allowance

    allowed = await allowance(domain, lookup)
    if allowed.trouble is not None:
        return _troubled(domain, allowed), allowed
    if allowed.lets_anybody:
        do = "end it with ~all or -all, and list only who sends for you"
        return (State.FAIL, f"that of {domain} lets everybody send (+all)", do), allowed
    found = [await _relay_passes(domain, relay, allowed, lookup)]
    if allowed.has_ptr:
        do = "replace ptr by the addresses themselves (RFC 7208 section 5.5)"
        found.append((State.WARN, "it has ptr, which many receivers do not read", do))
    counted = f"{domain}: {allowed.lookups} of 10 lookups"
    fine = (State.OK, f"{counted}; the relay's own addresses pass", "")
    return together(found, otherwise=fine), allowed


def _troubled(domain: str, allowed: Allowance) -> Said:
    """Source: RFC 7208 sections 4.5, 4.6.4 and 5.2."""
    from repermit.published.allowance import Trouble

    at = allowed.detail
    said: dict[Trouble, tuple[str, str]] = {
        Trouble.NONE: (f"{domain} has no SPF record", _LIST.format(domain)),
        Trouble.SEVERAL: (f"{at} has several SPF records, so none counts", "leave one of them"),
        Trouble.BROKEN: (f"it cannot be read at {at}", "correct that part of the record"),
        Trouble.LOOKUPS: (
            "it needs more than 10 lookups, and receivers stop there",
            "take out includes of services that no longer send for you",
        ),
        Trouble.VOIDS: (
            f"more than 2 of its lookups find nothing (the last: {at})",
            "take out the names that are gone",
        ),
        Trouble.NOTHING_THERE: (f"it includes {at}, which has no SPF record", "take that out"),
        Trouble.EXCHANGES: (f"the mx of {at} has more than 10 hosts", "name networks instead"),
    }
    if allowed.trouble is Trouble.UNKNOWN or allowed.trouble is None:
        return State.WARN, UNKNOWN.format(at), ASK_AGAIN
    return (State.FAIL, *said[allowed.trouble])


async def _relay_passes(domain: str, relay: str, allowed: Allowance, lookup: Lookup) -> Said:
    """Return whether the relay may send, as far as that can be seen: it may hand mails on to other
    machines, whose addresses nobody knows from here."""
    do = f"ask the relay's operator which addresses send, and {_LIST.format(domain)}"
    addresses = await _addresses(relay, lookup)
    if not addresses:
        says = "the record is fine; which addresses the relay sends from is not known"
        return State.WARN, says, do
    passing = [allowed.passes(each) for each in addresses]
    if all(passing):
        return State.OK, "", ""
    some = next(each for each, passes in zip(addresses, passing, strict=True) if not passes)
    return State.WARN, f"the address of {relay} ({some}) is not in it", do


async def _addresses(host: str, lookup: Lookup) -> list[str]:
    """Return the addresses of the relay as others see them; none when it is on this machine."""
    try:
        found = [str(ip_address(host))]
    except ValueError:
        found = list((await lookup.addresses(host)).records)
    return [each for each in found if ip_address(each).is_global]
