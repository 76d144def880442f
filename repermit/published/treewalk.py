"""Whose DMARC policy holds for a domain, and which domains belong together: the tree walk.

Source: RFC 9989 section 4.10.
"""

from __future__ import annotations

from dataclasses import dataclass

from repermit.published.dmarc import DmarcRecord, parsed
from repermit.published.lookup import Lookup

_MOST_LABELS = 8  # of a name that is walked label by label


@dataclass(frozen=True)
class Walk:
    """What the names above *start*, and itself, publish: the records from the longest name to the
    shortest, the names that have several, and those of which the DNS said nothing to go by."""

    start: str
    found: tuple[tuple[str, DmarcRecord], ...]
    several: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def organisation(self) -> str:
        """Return the domain of the organisation. Source: RFC 9989 section 4.10.2."""
        for name, record in self.found:
            if record.psd == "n":
                return name
            if record.psd == "y" and name != self.start:
                return _below(self.start, name)
        return self.found[-1][0] if self.found else self.start

    @property
    def policy(self) -> tuple[str, DmarcRecord] | None:
        """Return the record that holds, and whose it is: the domain's own, else that of its
        organisation, else that of the registry above. Source: RFC 9989 section 4.10.1."""
        known = dict(self.found)
        above = next((name for name, record in self.found if record.psd == "y"), "")
        for name in (self.start, self.organisation, above):
            if name in known:
                return name, known[name]
        return None


def steps(domain: str) -> list[str]:
    """Return the names that are asked, at most eight: the domain and those above it."""
    labels = domain.lower().rstrip(".").split(".")
    above = labels[1:] if len(labels) < _MOST_LABELS else labels[1 - _MOST_LABELS :]
    shorter = [".".join(above[at:]) for at in range(len(above))]
    return [".".join(labels), *shorter]


async def walk(domain: str, lookup: Lookup) -> Walk:
    """Return what is published on the way up from *domain*. Never raises."""
    found: list[tuple[str, DmarcRecord]] = []
    several, unknown = [], []
    for name in steps(domain):
        looked = await lookup.of(f"_dmarc.{name}", "TXT")
        if not looked.is_known:
            unknown.append(name)
            continue
        read = [each for each in map(parsed, looked.records) if each is not None]
        if len(read) > 1:
            several.append(name)
        if len(read) == 1:
            found.append((name, read[0]))
            if read[0].psd != "u":
                break
    return Walk(steps(domain)[0], tuple(found), tuple(several), tuple(unknown))


def _below(domain: str, above: str) -> str:
    """Return the name one label below *above* on the way to *domain*."""
    labels = domain.split(".")
    return ".".join(labels[-(above.count(".") + 2) :])
