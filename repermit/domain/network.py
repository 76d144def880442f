"""Where a request comes from, no more exactly than a neighbourhood of addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_KEPT_BITS = {4: 24, 6: 48}  # what a provider gives one customer is inside
_MOST_HOPS = 20


def network_of(peer: str, forwarded: Iterable[str], trusted: Sequence[Network]) -> str:
    """Return the network that a request comes from, as "203.0.113.0/24" or "2001:db8:1::/48"; an
    empty text when that cannot be known.

    *peer* is who is connected, *forwarded* the values of X-Forwarded-For in their order. They are
    believed only from a *trusted* peer, and only from the right up to the first hop that is not
    trusted: what stands left of it, anybody can have written.
    """
    address = _address(peer)
    hops = ",".join(forwarded).split(",")[-_MOST_HOPS:]
    while address is not None and hops and any(address in each for each in trusted):
        before = _address(hops.pop())
        if before is None:
            break
        address = before
    if address is None:
        return ""
    return str(ip_network((address, _KEPT_BITS[address.version]), strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in *text*, which may have brackets and a port."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
