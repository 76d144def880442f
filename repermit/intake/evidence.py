"""What the cells of one row say of how its address came onto the list.

A cell wins over what was said for the whole list; a cell that cannot be understood is missing,
and is not replaced: a default must not paper over a doubt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from repermit.domain.policy import Evidence, Relationship

_CACHED = 4096  # distinct texts a parser remembers
BETWEEN_OPT_OUTS = "\x1f"  # parts the cells when several columns say who opted out

_NOTHING = "- -- / null (null) none nan \\n n/a n.v.t. nvt"
_TRUE = "1 1.0 x y j ja yes oui true waar wahr vrai"
_FALSE = "0 0.0 n no nee non nein false onwaar falsch faux"
_IN = "ingeschreven aangemeld subscribed abonne inscrit inscrite angemeldet abonniert optin optedin"
_OUT = """uitgeschreven afgemeld unsubscribed desinscrit desinscrite desabonne desabonnee abgemeldet
    optout optedout blocklisted blacklisted cleaned nonsubscribed"""
_ACTIVE = "actief active actif aktiv enabled"  # said of subscriptions, and of customers as well

_COUNTRIES = """
AT Oostenrijk|Autriche|Österreich|Oesterreich|Austria  BE België|Belgique|Belgien|Belgium
BG Bulgarije|Bulgarie|Bulgarien|Bulgaria  CH Zwitserland|Suisse|Schweiz|Switzerland
CY Cyprus|Chypre|Zypern  CZ Tsjechië|Tchéquie|Tschechien|Czechia|République-tchèque|Czech-Republic
DE Duitsland|Allemagne|Deutschland|Germany  DK Denemarken|Danemark|Dänemark|Denmark
EE Estland|Estonie|Estonia  ES Spanje|Espagne|Spanien|Spain  FI Finland|Finlande|Finnland
FR Frankrijk|France|Frankreich  GR EL|Griekenland|Grèce|Griechenland|Greece
GB UK|VK|Verenigd-Koninkrijk|Royaume-Uni|Vereinigtes-Königreich|United-Kingdom
GB Groot-Brittannië|Grande-Bretagne|Großbritannien|Great-Britain|Engeland|Angleterre|England
HR Kroatië|Croatie|Kroatien|Croatia  HU Hongarije|Hongrie|Ungarn|Hungary
IE Ierland|Irlande|Irland|Ireland  IS IJsland|Islande|Island|Iceland
IT Italië|Italie|Italien|Italy  LI Liechtenstein  LT Litouwen|Lituanie|Litauen|Lithuania
LU Luxemburg|Luxembourg  LV Letland|Lettonie|Lettland|Latvia  MT Malta|Malte
NL Nederland|Pays-Bas|Niederlande|Netherlands|The-Netherlands|Holland|Hollande
NO Noorwegen|Norvège|Norwegen|Norway  PL Polen|Pologne|Poland  PT Portugal
RO Roemenië|Roumanie|Rumänien|Romania  SE Zweden|Suède|Schweden|Sweden
SI Slovenië|Slovénie|Slowenien|Slovenia  SK Slowakije|Slovaquie|Slowakei|Slovakia
US VS|USA|Verenigde-Staten|États-Unis|Vereinigte-Staaten|United-States|United-States-of-America
"""
_ISO_3166 = (
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCM"
    "CNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHK"
    "HMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMH"
    "MKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRU"
    "RWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVG"
    "VIVNVUWFWSYEYTZAZMZW"
)
_LANGUAGES = """
nl n nld dut nederlands néerlandais niederländisch dutch vlaams flamand flämisch flemish
fr f fra fre frans français französisch french
de d deu ger duits allemand deutsch german
en e eng engels anglais englisch english
"""
_LOCALE = re.compile(r"([a-z]{2})(?:[-_][a-z]{2})?")
_TIME = r"(?:[T ]\s*\d{1,2}:\d{2}[\d:.,]*\s*(?:Z|UTC|[AP]M|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(
    rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII | re.IGNORECASE
)
_DAY_FIRST = re.compile(
    rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}", re.ASCII | re.IGNORECASE
)
_MONTH = re.compile(r"(\d{1,2})[-/.](\d{4})", re.ASCII)
_YEAR = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)


@dataclass(frozen=True)
class Defaults:
    """What was said of the whole list, where a row says nothing itself."""

    relationship: str | None = None
    country: str | None = None
    language: str | None = None
    source: str | None = None
    collected: date | None = None
    last_contact: date | None = None
    declared: bool = False
    sensitive: bool = False


@dataclass(frozen=True)
class Known:
    """What is known of one row; `unread` names the fields whose cell was not understood."""

    evidence: Evidence
    language: str | None
    opted_out: bool
    unread: tuple[str, ...]


def evidence_of(cells: Mapping[str, str], defaults: Defaults) -> Known:
    """Return what *cells* say, completed by what was said for the whole list. Never raises."""
    said = tuple([cell for cell in cells.items() if cell[1] and cell[0] != "email"])
    return _known(said, defaults)


@lru_cache(_CACHED)
def _known(said: tuple[tuple[str, str], ...], defaults: Defaults) -> Known:
    values: dict[str, Any] = dict(vars(defaults))
    unread: list[str] = []
    opted_out = False
    for name, text in said:
        if name == "opted_out":
            opted_out = _opted_out(text, unread)
        elif (parse := _PARSERS.get(name)) and not is_nothing(text):
            values[name] = parse(text)
            if values[name] is None:
                unread.append(name)
    language: str | None = values.pop("language")
    return Known(Evidence(**values), language, opted_out, tuple(unread))


def folded(text: str) -> str:
    """Return the letters and digits of *text*, without accents, in lower case."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))


def is_nothing(text: str) -> bool:
    """Return whether a cell is empty, or what stands for empty (`NULL`, `-`, a zero date)."""
    word = text.strip().casefold()
    return not word or word in _words(_NOTHING) or word.startswith("0000-00-00")


def tells_opt_outs(text: str) -> bool:
    """Return whether *text* is a word that is said of subscriptions and of nothing else."""
    return folded(text) in _words(_OUT, _IN)


@lru_cache(_CACHED)
def date_of(text: str) -> date | None:
    """Return the date in *text*, day before month, or None.

    A month or a year alone is its first day: the oldest reading is the careful one.
    """
    text = text.strip()
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = found[1], found[3], found[4]
    elif found := _DAY_FIRST.fullmatch(text):
        year, month, day = found[4], found[3], found[1]
    elif found := _MONTH.fullmatch(text):
        year, month, day = found[2], found[1], "1"
    elif found := _YEAR.fullmatch(text):
        year, month, day = found[1], found[2] or "1", "1"
    else:
        return None
    century = 0 if len(year) == 4 else 2000 if int(year) < 50 else 1900
    try:
        moment = date(century + int(year), int(month), int(day))
    except ValueError:
        return None
    return moment if 1900 <= moment.year <= 2100 else None


@lru_cache(_CACHED)
def country_of(text: str) -> str | None:
    """Return the ISO 3166-1 code that *text* is or names in nl, fr, de or en, or None."""
    return _country_names().get(folded(text))


@lru_cache(_CACHED)
def language_of(text: str) -> str | None:
    """Return the two-letter code that *text* begins with (`nl-BE`) or names, or None."""
    if code := _LOCALE.fullmatch(text.strip().casefold()):
        return code[1]
    return _language_names().get(folded(text))


@lru_cache(_CACHED)
def relationship_of(text: str) -> str | None:
    """Return the policy's name of a relationship, or the text as it is (the policy withholds
    what it does not know); None for what holds an address."""
    if "@" in text:
        return None
    name = re.sub(r"[\s_-]+", "_", text.strip().casefold())
    if name in frozenset(Relationship):
        return name
    return text_of(text, longest=60)


def truth_of(text: str) -> bool | None:
    """Return what a yes-or-no cell says, or None."""
    word = text.strip().casefold()
    return True if word in _words(_TRUE) else False if word in _words(_FALSE) else None


def text_of(text: str, *, longest: int = 200) -> str | None:
    """Return *text* on one line, without control characters, or None when nothing is left."""
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(filter(str.isprintable, line))
    return line[:longest].strip() or None


def _opted_out(text: str, unread: list[str]) -> bool:
    """Return whether any cell says so; what is not understood does: never mail in doubt."""
    said = [part for part in text.split(BETWEEN_OPT_OUTS) if not is_nothing(part)]
    stops = [part for part in said if not _is_in(part)]
    if not all(truth_of(part) or _is_out(part) for part in stops):
        unread.append("opted_out")
    return bool(stops)


def _is_in(text: str) -> bool:
    return truth_of(text) is False or folded(text) in _words(_IN, _ACTIVE)


def _is_out(text: str) -> bool:
    return folded(text) in _words(_OUT) or date_of(text) is not None


@cache
def _words(*texts: str) -> frozenset[str]:
    return frozenset(" ".join(texts).split())


@cache
def _country_names() -> Mapping[str, str]:
    codes = [_ISO_3166[at : at + 2] for at in range(0, len(_ISO_3166), 2)]
    names = {code.casefold(): code for code in codes}
    for entry in re.split(r"\n|  ", _COUNTRIES.strip()):
        code, _, words = entry.partition(" ")
        names |= {folded(word): code for word in words.split("|")}
    return names


@cache
def _language_names() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for line in _LANGUAGES.strip().splitlines():
        code, *words = line.split()
        names |= {folded(word): code for word in words}
    return names


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "relationship": relationship_of,
    "country": country_of,
    "language": language_of,
    **dict.fromkeys(("collected", "last_contact", "ended"), date_of),
    **dict.fromkeys(("source", "sale_ref", "proof_ref"), text_of),
    **dict.fromkeys(("given_directly", "objection_offered"), truth_of),
    **dict.fromkeys(("own_products", "legal_person"), truth_of),
}
