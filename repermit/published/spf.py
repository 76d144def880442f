"""One SPF record, read as RFC 7208 writes it; what it includes is `allowance`'s."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

_VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_TERM = re.compile(r"([+\-?~]?)([a-z][a-z0-9._-]*)(.*)", re.IGNORECASE)
_CIDR = re.compile(r"(.*?)(?:/([0-9]{1,2}))?(?://([0-9]{1,3}))?")
_MACRO = re.compile(r"%(?:\{[slodiphcrtv][0-9]*r?[.\-+,/_=]*\}|[%_-])", re.IGNORECASE)
_VISIBLE = re.compile(r"[\x21-\x24\x26-\x7e]*")
_NAME = re.compile(
    r"(?:[^.\s]{1,63}\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?", re.IGNORECASE
)
_LOOKED_UP = frozenset({"include", "a", "mx", "ptr", "exists"})
_WITH_A_NAME = frozenset({"include", "exists"})  # which they cannot go without

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Term:
    """One mechanism: what it lets pass (+), turns away (-), marks (~) or leaves open (?)."""

    qualifier: str
    kind: str  # all, include, a, mx, ptr, exists, ip4 or ip6
    name: str = ""  # empty: the domain itself
    network: Network | None = None  # of ip4 and ip6
    v4_bits: int = 32
    v6_bits: int = 128

    @property
    def is_looked_up(self) -> bool:
        """Return whether it counts among the ten. Source: RFC 7208 section 4.6.4."""
        return self.kind in _LOOKED_UP

    @property
    def has_macro(self) -> bool:
        """Return whether its name depends on the mail."""
        return "%" in self.name


@dataclass(frozen=True)
class SpfRecord:
    """The mechanisms up to the first `all`, and where the record leads on to when it has none."""

    terms: tuple[Term, ...]
    redirect: str = ""


@dataclass(frozen=True)
class Broken:
    """Why a record cannot be read: the part of it that is wrong."""

    part: str


def is_spf(text: str) -> bool:
    """Return whether a TXT record is one of SPF. Source: RFC 7208 section 4.5."""
    return _VERSION.match(text) is not None


def parsed(text: str) -> SpfRecord | Broken:
    """Return what an SPF record says; nothing is looked up.

    Source: RFC 7208 section 12 (the grammar), 5.1 (what stands behind `all` is not read), 6 (a
    modifier of an unknown name is passed over; redirect and exp stand once).
    """
    terms: list[Term] = []
    modifiers: dict[str, str] = {}
    for part in text.split(" ")[1:]:
        if not part:
            continue
        found = _TERM.fullmatch(part)
        if found is None:
            return Broken(part)
        qualifier, kind, rest = found[1], found[2].lower(), found[3]
        if rest.startswith("=") and not qualifier:
            if kind in ("redirect", "exp") and (kind in modifiers or not _is_name(rest[1:])):
                return Broken(part)
            modifiers[kind] = rest[1:]
            continue
        term = _term(qualifier or "+", kind, rest)
        if term is None:
            return Broken(part)
        terms.append(term)
    ends = next((at for at, each in enumerate(terms, start=1) if each.kind == "all"), 0)
    if ends:
        return SpfRecord(tuple(terms[:ends]))
    return SpfRecord(tuple(terms), modifiers.get("redirect", ""))


def _term(qualifier: str, kind: str, rest: str) -> Term | None:
    if kind == "all":
        return Term(qualifier, kind) if not rest else None
    if kind in ("ip4", "ip6"):
        return _of_network(qualifier, kind, rest)
    return _of_name(qualifier, kind, rest) if kind in _LOOKED_UP else None


def _of_network(qualifier: str, kind: str, rest: str) -> Term | None:
    try:
        read = IPv4Network if kind == "ip4" else IPv6Network
        network = read(rest[1:], strict=False) if rest.startswith(":") else None
    except ValueError:
        return None
    is_bits = rest.rpartition("/")[2].isdigit() if "/" in rest else True  # not a mask
    return Term(qualifier, kind, network=network) if network and is_bits else None


def _of_name(qualifier: str, kind: str, rest: str) -> Term | None:
    v4, v6 = None, None
    if kind in ("a", "mx"):
        found = _CIDR.fullmatch(rest)
        assert found is not None  # noqa: S101 - all of it may be the first group
        rest, v4, v6 = found[1], found[2], found[3]
    name = rest[1:]
    if (rest and not rest.startswith(":")) or (rest and not _is_name(name)):
        return None
    if (kind in _WITH_A_NAME and not name) or int(v4 or 32) > 32 or int(v6 or 128) > 128:
        return None
    return Term(qualifier, kind, name, v4_bits=int(v4 or 32), v6_bits=int(v6 or 128))


def _is_name(text: str) -> bool:
    """Return whether it is a domain, or leads to one with macros. Source: RFC 7208 section 7.1."""
    plain = _MACRO.sub("", text)
    if not text or not _VISIBLE.fullmatch(plain):
        return False
    return plain != text or _NAME.fullmatch(text) is not None
