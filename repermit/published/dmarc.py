"""One DMARC record, read as RFC 9989 writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s,!;]+(?:![0-9]+[kmgt]?)?", re.IGNORECASE)
_POLICIES = frozenset({"none", "quarantine", "reject"})


@dataclass(frozen=True)
class DmarcRecord:
    """What a domain asks of receivers. A policy that does not stand there, or is none, is empty."""

    p: str = ""
    sp: str = ""
    np: str = ""
    psd: str = "u"
    is_strict_dkim: bool = False  # adkim=s
    is_strict_spf: bool = False  # aspf=s
    is_testing: bool = False  # t=y: one level milder than it says
    has_reports: bool = False  # rua names an address
    wrong: tuple[str, ...] = ()  # policies that are none
    old: tuple[str, ...] = ()  # tags that RFC 9989 took out

    @property
    def is_applied(self) -> bool:
        """Return whether receivers go by it. Source: RFC 9989 section 4.10.1."""
        return bool(self.p and not self.wrong) or self.has_reports

    def policy(self, *, below: bool, exists: bool) -> str:
        """Return the policy for the domain itself, or for one *below* it that *exists* or not.

        Source: RFC 9989 sections 4.7 (np falls back on sp, sp on p) and 4.10.1.
        """
        if not self.p or self.wrong:
            return "none"
        of_those = (self.np or self.sp) if not exists else self.sp
        return (of_those or self.p) if below else self.p


def parsed(text: str) -> DmarcRecord | None:
    """Return what a TXT record says; None when it is none of DMARC.

    What stands wrongly in a tag is passed over, and the first of two tags of one name counts.
    Source: RFC 9989 sections 4.7 and 4.8.
    """
    if not _VERSION.match(text):
        return None
    said: dict[str, str] = {}
    for part in text.split(";")[1:]:
        name, equals, value = part.partition("=")
        if equals:
            said.setdefault(name.strip().lower(), value.strip())
    policies = {name: said.get(name, "").lower() for name in ("p", "sp", "np")}
    right = {name: value if value in _POLICIES else "" for name, value in policies.items()}
    return DmarcRecord(
        **right,
        psd=_one_of(said, "psd", "yn", "u"),
        is_strict_dkim=_one_of(said, "adkim", "s", "r") == "s",
        is_strict_spf=_one_of(said, "aspf", "s", "r") == "s",
        is_testing=_one_of(said, "t", "y", "n") == "y",
        has_reports=any(_URI.fullmatch(each.strip()) for each in said.get("rua", "").split(",")),
        wrong=tuple(name for name in policies if name in said and not right[name]),
        old=tuple(name for name in ("pct", "rf", "ri") if name in said),
    )


def _one_of(said: dict[str, str], name: str, known: str, otherwise: str) -> str:
    value = said.get(name, "").lower()
    return value if value in tuple(known) else otherwise
