"""Which column of a list is which field, by its header, in Dutch, French, German or English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from repermit.errors import ListUnreadable
from repermit.intake.evidence import folded, tells_opt_outs, text_of
from repermit.intake.sniff import is_address_like

FIELDS = (
    "email",
    "relationship",
    "country",
    "language",
    "source",
    "collected",
    "last_contact",
    "ended",
    "sale_ref",
    "given_directly",
    "objection_offered",
    "own_products",
    "proof_ref",
    "legal_person",
    "opted_out",
)

# Each line is a language, or a program that writes such headers. Case, accents, spaces and
# punctuation do not matter.
_NAMES: Mapping[str, str] = {
    "email": """e-mail, e-mailadres, mail, mailadres, e-mail 1, e-mail privé, primaire e-mail
        courriel, adresse mail, adresse e-mail, adresse courriel, adresse électronique, mél
        courrier électronique, adresse de courriel, adresse de messagerie
        E-Mail-Adresse, Mailadresse, E-Post, E-Mail (privat), elektronische Adresse
        e-mail address, mail address, primary email, contact e-mail, e-mail 1 - value""",
    "relationship": """relatie, soort relatie, type relatie, relatietype, aard van de relatie
        relation, type de relation, nature de la relation
        Beziehung, Art der Beziehung, Beziehungsart
        relationship, type of relationship""",
    "country": """land, landcode, woonland, land van verblijf
        pays, code pays, pays de résidence
        Ländercode, Länderkennzeichen, Wohnsitzland
        country, country code, country/region, country of residence""",
    "language": """taal, taalcode, voorkeurstaal, correspondentietaal
        langue, code langue, langue préférée, langue de correspondance
        Sprache, Sprachcode, Korrespondenzsprache, bevorzugte Sprache
        language, language code, preferred language, lang, locale""",
    "source": """bron, herkomst, herkomst adres, inschrijfbron, aanmeldbron
        origine, provenance, source d'inscription, origine de l'adresse
        Quelle, Herkunft, Anmeldequelle
        source, lead source, signup source, opt-in source, origin""",
    "collected": """ingeschreven op, datum inschrijving, inschrijfdatum, inschrijvingsdatum
        aanmelddatum, aangemeld op, datum aanmelding, datum opt-in, verzameld op
        date d'inscription, inscrit le, date inscription, collecté le, date de collecte
        Anmeldedatum, angemeldet am, Eintragungsdatum, eingetragen am, erhoben am
        collected, collected on, collected at, date collected, signup date, sign-up date
        signed up on, subscribed on, subscribed at, subscription date, opt-in date, opt-in time""",
    "last_contact": """laatste contact, datum laatste contact, laatste contactdatum, laatste aankoop
        laatste bestelling, dernier contact, date du dernier contact, date dernier contact
        dernier achat, dernière commande
        letzter Kontakt, letzte Bestellung, letzter Kauf, Datum letzter Kontakt
        last contact, last contact date, date of last contact, last purchase, last order
        last order date, last purchase date""",
    "ended": """klant tot, einddatum, einde klant, einde contract, klant tot en met
        client jusqu'au, client jusque, date de fin, fin de contrat, cliente jusqu'au
        Kunde bis, Enddatum, Vertragsende, Kundin bis
        ended, ended on, end date, customer until, contract end, contract end date""",
    "sale_ref": """factuur, factuurnummer, factuurnr, bestelling, bestelnummer, ordernummer, verkoop
        facture, numéro de facture, n° facture, n° de facture, commande, numéro de commande
        n° commande, vente
        Rechnung, Rechnungsnummer, Rechnungs-Nr, Bestellung, Bestellnummer, Auftrag, Auftragsnummer
        sale, sale ref, sale reference, order, order id, order number, invoice, invoice number""",
    "given_directly": """zelf gegeven, rechtstreeks gegeven, door klant gegeven, zelf opgegeven
        donné directement, fourni directement, fourni par le client
        direkt angegeben, selbst angegeben, given directly, given by the person""",
    "objection_offered": """bezwaar aangeboden, verzet aangeboden, opt-out aangeboden
        opposition proposée, opposition offerte, opt-out proposé
        Widerspruch angeboten, Widerspruchshinweis, Opt-out angeboten
        objection offered, opt-out offered""",
    "own_products": """eigen producten, eigen gelijkaardige producten, eigen soortgelijke producten
        produits propres, produits propres et analogues
        eigene Produkte, eigene ähnliche Produkte, own products, own similar products""",
    "proof_ref": """bewijs, bewijsreferentie, referentie bewijs, bewijsnummer
        preuve, référence de la preuve, référence preuve
        Nachweis, Nachweisnummer, Beleg, proof, proof ref, proof reference, consent id""",
    "legal_person": "rechtspersoon, personne morale, juristische Person, legal entity",
    "opted_out": """uitgeschreven, uitgeschreven op, uitschrijfdatum, datum uitschrijving
        afgemeld, afgemeld op, afmelddatum, niet mailen, geen mail, geen e-mail, geen reclame
        geen nieuwsbrief, bezwaar, zwarte lijst
        désinscrit, désinscrite, désinscrit le, désinscription, date de désinscription, désabonné
        désabonné le, désabonnement, ne pas contacter, pas de mail, opposition, liste noire
        abgemeldet, abgemeldet am, Abmeldung, Abmeldedatum, ausgetragen, ausgetragen am
        keine Werbung, keine E-Mail, nicht anschreiben, Widerspruch, Sperrliste
        opt-out, opted out, opt-out date, opted out on, unsubscribed, unsubscribed on
        unsubscribed at, unsubscribe, unsubscribe date, unsub time, do not mail, do not e-mail
        do not contact, no mail, no e-mail, e-mail opt-out, has opted out of email
        do not bulk e-mail, blacklist, blacklisted, e-mail blacklisted, blocklisted, suppressed
        Robinson, complaint, complained, objection, objected""",
}
_STATUS = frozenset(
    {
        "status",
        "statut",
        "emailstatus",
        "subscriptionstatus",
        "inschrijvingsstatus",
        "anmeldestatus",
    }
)
_MOST_SHOWN = 30
_LONGEST_SHOWN = 40


@dataclass(frozen=True)
class Columns:
    """Where each field stands in a row, from 0; `dropped` are the headers that are not read.

    `more_opt_outs` are further columns that say who opted out: each of them counts.
    """

    index: Mapping[str, int]
    dropped: tuple[str, ...]
    more_opt_outs: tuple[int, ...] = ()


def recognise(header: Sequence[str]) -> dict[str, int]:
    """Return the fields that *header* names; the first of several columns counts."""
    return {field: places[0] for field, places in _claims(header).items()}


def is_header(first: Sequence[str]) -> bool:
    """Return whether the first row of a list names its columns and holds no address."""
    if any(map(is_address_like, first)):
        return False
    return not any("@" in cell for cell in first) or "email" in recognise(first)


def map_columns(
    header: Sequence[str], mapping: Mapping[str, str], *, rows: Sequence[Sequence[str]] = ()
) -> Columns:
    """Return which column is which; *mapping* (field to column) goes before the header.

    An empty *header* means that there is none. *rows* are the first rows of the list: the
    column with most addresses in them is the e-mail where several could be.

    Raises: ListUnreadable, with the columns as hint, when there is no one column of addresses
        or *mapping* names a field or a column that does not exist.
    """
    width = max(map(len, [header, *rows]))
    chosen = {field: _chosen(field, column, header, width) for field, column in mapping.items()}
    claims = _claims(header, rows)
    if "email" not in chosen:
        chosen["email"] = _email(header, claims, rows)
    taken = set(chosen.values())
    opt_outs: list[int] = []
    for field, places in claims.items():
        free = [at for at in places if at not in taken]
        if free and field not in chosen:
            chosen[field] = free[0]
            opt_outs = free[1:] if field == "opted_out" else opt_outs
    used = {*chosen.values(), *opt_outs}
    names = (f"column {at}" if "@" in name else name for at, name in enumerate(header, start=1))
    shown = [text_of(name, longest=_LONGEST_SHOWN) for name in names]
    dropped = tuple(name for at, name in enumerate(shown) if name and at not in used)
    return Columns(chosen, dropped, tuple(opt_outs))


def _claims(header: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> dict[str, list[int]]:
    """Return for each field the columns that name it.

    A column "status" says who opted out when the first rows show words of subscription.
    """
    claims: dict[str, list[int]] = {}
    for at, name in enumerate(header):
        field = _field(name)
        if folded(name) in _STATUS and any(map(tells_opt_outs, _cells(rows, at))):
            field = "opted_out"
        if field:
            claims.setdefault(field, []).append(at)
    return claims


def _field(name: str) -> str | None:
    """Return the field that a header names: whole, without "(...)", or in two languages."""
    names = _fields_by_name()
    if field := names.get(folded(name)) or names.get(folded(re.sub(r"\(.*?\)", "", name))):
        return field
    parts = {names.get(folded(part)) for part in re.split(r"[/|]", name)}
    return parts.pop() if len(parts) == 1 else None


def _email(
    header: Sequence[str], claims: Mapping[str, Sequence[int]], rows: Sequence[Sequence[str]]
) -> int:
    width = max(map(len, [header, *rows]))
    counts = [sum(map(is_address_like, _cells(rows, at))) for at in range(width)]
    if claimed := claims.get("email"):
        return max(claimed, key=counts.__getitem__)
    most = max(counts, default=0)
    full = [at for at, count in enumerate(counts) if count and count == most]
    if len(full) == 1 and not header:
        return full[0]
    what = "several columns hold" if len(full) > 1 else "no column is known to hold"
    column = str(full[0] + 1) if full else "COLUMN"
    raise ListUnreadable(
        f"{what} the addresses; {_listed(header, width)}", hint=f"pass --map email={column}"
    )


def _cells(rows: Sequence[Sequence[str]], at: int) -> Iterator[str]:
    return (row[at] for row in rows if len(row) > at)


def _chosen(field: str, column: str, header: Sequence[str], width: int) -> int:
    if field not in FIELDS:
        known = ", ".join(FIELDS)
        raise ListUnreadable("--map names an unknown field", hint=f"the fields are: {known}")
    names = [name.strip().casefold() for name in header]
    if (name := column.strip().casefold()) and name in names:
        return names.index(name)
    if re.fullmatch(r"[0-9]{1,6}", name) and 1 <= int(name) <= width:
        return int(name) - 1
    raise ListUnreadable(
        f"--map {field}=... names no column of this list", hint=_listed(header, width)
    )


def _listed(header: Sequence[str], width: int) -> str:
    """Return the columns as a message may name them: no address, nothing long."""
    names = [str(number) for number in range(1, width + 1)]
    for at, name in enumerate(map(str.strip, header)):
        if name and "@" not in name:
            names[at] += f" {text_of(name, longest=_LONGEST_SHOWN)!r}"
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return f"its columns are {', '.join(names[:_MOST_SHOWN])}{more}"


@cache
def _fields_by_name() -> Mapping[str, str]:
    names = {
        folded(name): field
        for field, text in _NAMES.items()
        for name in re.split(r"[,\n]", text)
        if name.strip()
    }
    return names | {folded(field): field for field in FIELDS}
