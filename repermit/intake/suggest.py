"""What about an address deserves a second look: a domain that looks mistyped, a mailbox that is
nobody's own, an ending of another country. All of it is pointed out, none of it acted on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from repermit.domain.address import Address
from repermit.domain.policy import EEA
from repermit.domain.relationship import Relationship
from repermit.intake.providers import typing_error

# By language: Dutch, French, German, English, and what machines and standards use (RFC 2142).
ROLES = frozenset(
    """
    informatie kantoor administratie secretariaat secretaris penningmeester voorzitter bestuur
    directie directeur beheer verkoop bestelling bestellingen offerte offertes reservatie
    reservaties reserveringen boeking boekingen boekhouding facturatie factuur facturen inkoop
    aankoop onthaal receptie balie klantendienst klantenservice communicatie pers redactie
    nieuwsbrief personeel vacature vacatures algemeen iedereen welkom hallo webwinkel magazijn
    logistiek techniek werkplaats praktijk apotheek parochie gemeente bibliotheek

    infos bureau secretariat secrétariat direction vente ventes commande commandes devis
    réservation réservations compta comptabilite comptabilité facture factures facturation achat
    achats accueil réception serviceclient serviceclients presse rédaction bonjour bienvenue
    recrutement rh magasin boutique logistique technique atelier garage cabinet pharmacie ecole
    école paroisse commune mairie bibliotheque bibliothèque

    buero büro verwaltung sekretariat vorstand geschaeftsleitung geschäftsleitung
    geschaeftsfuehrung geschäftsführung verkauf vertrieb bestellung bestellungen angebot
    reservierung buchung buchhaltung rechnung rechnungen einkauf empfang kundendienst
    kundenservice kommunikation redaktion bewerbung zentrale post poststelle logistik technik
    werkstatt praxis apotheke schule gemeinde pfarramt rathaus

    info information contact contacts office admin administration administrator management sales
    order orders quote reservation reservations booking bookings accounting accounts finance
    finances invoice invoices billing purchasing reception customerservice customercare helpdesk
    servicedesk service support marketing communication press media newsletter news jobs careers
    hr it ict team hello shop webshop planning school museum privacy dpo gdpr

    webmaster postmaster hostmaster mailerdaemon abuse noc security root noreply donotreply
    """.split()  # noqa: SIM905 - a list of them would take a line each
)
# What a role begins with, so that nearly every address needs no closer look.
_STARTS = frozenset(role[:4] for role in ROLES) | {"do-n", "do_n", "do.n"}
_SHORT_STARTS = frozenset(role[:2] for role in ROLES if len(role) < 4) | {"no"}
_SEPARATORS = re.compile(r"[._+-]+|(?<=[^\d._+-])(?=\d)")

# The endings of the countries of the table, Greece and Bulgaria in their own letters too. All
# others, and `.eu`, are used everywhere.
_COUNTRY_OF: Mapping[str, str] = {
    **{code.lower(): code for code in EEA},
    "uk": "GB",
    "gb": "GB",
    "xn--qxam": "GR",
    "xn--90ae": "BG",
}


@dataclass(frozen=True)
class Suggestion:
    """What to look at: `text` is the domain that may be meant, the relationship that may be the
    right one, or the ending that contradicts the country; never an address."""

    kind: Literal["typing_error", "role_mailbox", "ending"]
    text: str


_COMPANY_MAILBOX = Suggestion("role_mailbox", Relationship.COMPANY_MAILBOX.value)


class Suggester:
    """Says what deserves a second look, and remembers what it found of the last domains."""

    def __init__(self, *, remembered: int = 1 << 16) -> None:
        self._remembered = remembered
        self._seen: dict[str, tuple[str | None, str | None]] = {}

    def of(
        self, address: Address, *, country: str | None, relationship: str | None
    ) -> tuple[Suggestion, ...]:
        """Return what to point out about *address*: nothing, for nearly all of them."""
        local, _, domain = address.canonical.rpartition("@")
        meant, home = self._seen.get(domain) or self._look(domain)
        if (
            meant is None
            and (home is None or home == country or country is None)
            and local[:4] not in _STARTS
            and local[:2] not in _SHORT_STARTS
        ):
            return ()
        return tuple(_pointed_out(local, domain, meant, country, relationship))

    def _look(self, domain: str) -> tuple[str | None, str | None]:
        if len(self._seen) >= self._remembered:
            self._seen.clear()
        seen = typing_error(domain), _COUNTRY_OF.get(domain.rpartition(".")[2])
        self._seen[domain] = seen
        return seen


def _pointed_out(
    local: str, domain: str, meant: str | None, country: str | None, relationship: str | None
) -> Iterator[Suggestion]:
    if meant is not None:
        yield Suggestion("typing_error", meant)
    if relationship != Relationship.COMPANY_MAILBOX and is_role(local):
        yield _COMPANY_MAILBOX
    ending = contradicted(domain, country)
    if ending is not None:
        yield Suggestion("ending", ending)


def is_role(local: str) -> bool:
    """Return whether *local* is a function rather than a person: `info`, `sales.gent`."""
    parts = _SEPARATORS.split(local.casefold())
    return parts[0] in ROLES or "".join(parts) in ROLES


def contradicted(domain: str, country: str | None) -> str | None:
    """Return the ending of *domain* when it is that of a country of the table, but not *country*
    (ISO 3166-1, upper case)."""
    ending = domain.rpartition(".")[2]
    home = _COUNTRY_OF.get(ending)
    return f".{ending}" if home and country and home != country else None
