"""Who runs a recipient's mailbox, as far as the domain of the address says, and how many mails may
go to one of them in an hour or a day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

_DOMAINS: Mapping[str, str] = {
    "gmail": "gmail.com googlemail.com",
    "microsoft": "msn.com passport.com windowslive.com",
    "yahoo": "ymail.com rocketmail.com aol.com aol.de aol.fr aol.nl",
    "apple": "icloud.com me.com mac.com",
    "proton": "proton.me protonmail.com protonmail.ch pm.me",
    "telenet": "telenet.be pandora.be chello.be base.be",
    "proximus": "proximus.be skynet.be belgacom.net scarlet.be",
    "voo": "voo.be brutele.be",
    "ziggo": "ziggo.nl ziggomail.com home.nl upcmail.nl casema.nl quicknet.nl chello.nl zinders.nl"
    " hahah.nl razcall.nl multiweb.nl",
    "kpn": "kpnmail.nl kpnplanet.nl planet.nl hetnet.nl xs4all.nl telfort.nl 12move.nl freeler.nl"
    " surfmail.nl",
    "odido": "tele2.nl versatel.nl zonnet.nl",
    "orange": "orange.fr wanadoo.fr voila.fr orange.be mobistar.be",
    "free": "free.fr aliceadsl.fr libertysurf.fr online.fr",
    "sfr": "sfr.fr neuf.fr cegetel.net 9online.fr club-internet.fr noos.fr numericable.fr",
    "laposte": "laposte.net",
    "bouygues": "bbox.fr",
    "gmx": "gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.eu gmx.fr",
    "webde": "web.de email.de",
    "telekom": "t-online.de magenta.de",
    "freenet": "freenet.de",
    "vodafone": "vodafone.de vodafonemail.de arcor.de kabelmail.de unitybox.de kabelbw.de",
}
PROVIDERS = tuple(_DOMAINS)
_BY_DOMAIN = {domain: name for name, domains in _DOMAINS.items() for domain in domains.split()}
# Those who have a domain in nearly every country: hotmail.nl, live.co.uk, yahoo.com.br.
_WORLDWIDE = {
    **dict.fromkeys(("hotmail", "live", "outlook"), "microsoft"),
    "yahoo": "yahoo",
}
_ENDING = re.compile(r"(?:(?:co|com)\.)?[a-z]{2}|com").fullmatch


@lru_cache(maxsize=1 << 16)
def provider_of(domain: str) -> str | None:
    """Return who runs the mailboxes of *domain*, one of `PROVIDERS`; None for all others.

    An organisation's own domain may well be hosted by one of them; the caps do not see that.
    """
    found = _BY_DOMAIN.get(domain)
    if found is None:
        name, _, ending = domain.partition(".")
        if name in _WORLDWIDE and _ENDING(ending):
            found = _WORLDWIDE[name]
    return found


@dataclass(frozen=True)
class Cap:
    """At most so many mails to one provider within so many hours, 1 or 24."""

    mails: int
    hours: int


Caps = Mapping[str, tuple[Cap, ...]]  # by provider
NO_CAPS: Caps = MappingProxyType({})
# Source: Google's sender guidelines: who sends 5,000 mails or more to personal accounts within 24
# hours is a bulk sender, and stays one for good.
DEFAULT_CAPS: Caps = MappingProxyType({"gmail": (Cap(4000, 24),)})


def room(sent: Mapping[int, int], caps: tuple[Cap, ...], hour: int) -> int:
    """Return how many mails may still leave in *hour*; *sent* counts those of each hour.

    A day is the present hour and the whole 24 before it, so that there are never more in any 24
    hours, wherever these begin.
    """
    return max(0, min(cap.mails - _counted(sent, cap, hour) for cap in caps))


def reopens(sent: Mapping[int, int], caps: tuple[Cap, ...], hour: int) -> int:
    """Return the first hour, *hour* or later, in which a mail may leave if none does before."""
    while room(sent, caps, hour) == 0:
        hour += 1
    return hour


def _counted(sent: Mapping[int, int], cap: Cap, hour: int) -> int:
    first = hour if cap.hours == 1 else hour - cap.hours
    return sum(count for at, count in sent.items() if first <= at <= hour)
