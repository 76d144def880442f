"""What one cell of a list says: a date, a country, a language, a yes or a no."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from itertools import pairwise

from repermit.domain.address import holds_at
from repermit.domain.relationship import Relationship

_CACHED = 1 << 14  # distinct texts a parser remembers

_NOTHING = "- -- / null (null) none nan \\n n/a n.v.t. nvt"
_TRUE = "1 1.0 x y j ja yes oui true waar wahr vrai"
_FALSE = "0 0.0 n no nee non nein false onwaar falsch faux"
_IN = """ingeschreven aangemeld subscribed abonne abonnee inscrit inscrite angemeldet
    abonniert optin optedin dagelijks wekelijks maandelijks quotidien hebdomadaire
    mensuel taglich wochentlich monatlich daily weekly monthly akkoord accepte accepted"""
_OUT = """uitgeschreven afgemeld unsubscribed desinscrit desinscrite desabonne desabonnee abgemeldet
    optout optedout blocklisted blacklisted cleaned nonsubscribed
    opgezegd gestopt geweigerd ingetrokken verwijderd refuse refusee retire retiree revoque
    gekundigt abgelehnt widerrufen gesperrt withdrawn revoked refused declined stopped removed
    stop complained complaint spam bounced hardbounce hardbounced abbestellt"""
_STOP_PAIRS = frozenset(
    {"geen mail", "geen mails", "niet mailen", "niet meer", "no mail", "not mail", "do not"}
    | {"ne plus", "pas de", "plus de", "keine mail", "keine mails", "nicht mehr"}
)
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
_MONTH_IN_WORDS = re.compile(
    rf"(?:(\d{{1,2}})\.?[-/ ]?)?([^\W\d_]{{3,10}})\.?[-/ ](\d{{4}}){_TIME}", re.IGNORECASE
)
_MONTHS = (
    *("jan", "feb fev", "mrt maa mar", "apr avr", "mei mai may", "jun juin"),
    *("jul juil", "aug aou", "sep", "okt oct", "nov", "dec dez"),
)
_YEAR = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)


def folded(text: str) -> str:
    """Return the letters and digits of *text*, without accents, in lower case."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))


@lru_cache(_CACHED)
def is_nothing(text: str) -> bool:
    """Return whether a cell is empty, or what stands for empty (`NULL`, `-`, a zero date)."""
    word = text.strip().casefold()
    return not word or word in _words(_NOTHING) or word.startswith("0000-00-00")


def tells_opt_outs(text: str) -> bool:
    """Return whether *text* is a word that is said of subscriptions and of nothing else."""
    return folded(text) in _words(_OUT, _IN)


@lru_cache(_CACHED)
def says_left(text: str) -> bool:
    """Return whether *text* is a word that is said of those who left, and of nobody else."""
    return folded(text) in _words(_OUT)


@lru_cache(_CACHED)
def date_of(text: str, *, month_first: bool = False) -> date | None:
    """Return the date in *text*, or None; day before month unless *month_first*.

    A month or a year alone is its first day: the oldest reading is the careful one.
    """
    text = text.strip()
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = found[1], found[3], found[4]
    elif found := _DAY_FIRST.fullmatch(text):
        first, second, year = found[1], found[3], found[4]
        day, month = (second, first) if month_first else (first, second)
    elif found := _MONTH.fullmatch(text):
        year, month, day = found[2], found[1], "1"
    elif found := _YEAR.fullmatch(text):
        year, month, day = found[1], found[2] or "1", "1"
    elif found := _MONTH_IN_WORDS.fullmatch(text):
        year, month, day = found[3], _month_of(found[2]), found[1] or "1"
    else:
        return None
    century = 0 if len(year) == 4 else 2000 if int(year) < 50 else 1900
    try:
        moment = date(century + int(year), int(month), int(day))
    except ValueError:
        return None
    return moment if 1900 <= moment.year <= 2100 else None


def order_of(text: str) -> str | None:
    """Return "day" or "month" when *text* is a date in figures that can only begin so."""
    if (found := _DAY_FIRST.fullmatch(text.strip())) is None:
        return None
    first, second = int(found[1]), int(found[3])
    return "day" if first > 12 >= second else "month" if second > 12 >= first else None


def _month_of(name: str) -> str:
    """Return the number of the month that *name* is, or begins, in nl, fr, de or en; else 0."""
    letters = folded(name)
    for number, beginnings in enumerate(_MONTHS, start=1):
        if letters.startswith(tuple(beginnings.split())):
            return str(number)
    return "0"


def is_country(code: str) -> bool:
    """Return whether *code* is one of ISO 3166-1, upper case."""
    return code in _codes()


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
    if holds_at(text):
        return None
    name = re.sub(r"[\s_-]+", "_", text.strip().casefold())
    if name in frozenset(Relationship):
        return name
    return text_of(text, longest=60)


def truth_of(text: str) -> bool | None:
    """Return what a yes-or-no cell says, or None."""
    word = text.strip().casefold()
    return True if word in _words(_TRUE) else False if word in _words(_FALSE) else None


@lru_cache(_CACHED)
def fact_of(text: str) -> str | None:
    """Return *text* as `text_of` does, or None when it holds an address: it may be another
    person's, and a source stands in the mail."""
    return None if holds_at(text) else text_of(text)


def text_of(text: str, *, longest: int = 200) -> str | None:
    """Return *text* on one line, without control characters, or None when nothing is left."""
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(filter(str.isprintable, line))
    return line[:longest].strip() or None


def is_in(text: str) -> bool:
    """Return whether a cell about subscription says that the person is subscribed."""
    return truth_of(text) is False or says_in(text)


def says_in(text: str) -> bool:
    """Return whether a cell is a word that is said of those who are subscribed."""
    return folded(text) in _words(_IN, _ACTIVE)


def is_out(text: str) -> bool:
    """Return whether a cell about subscription says that the person has left, or when."""
    return folded(text) in _words(_OUT) or date_of(text) is not None


def tells_to_stop(text: str) -> bool:
    """Return whether what stands beside an address says that its owner left."""
    words = [folded(word) for word in re.split(r"[\W\d_]+", text)]
    pairs = {f"{one} {other}" for one, other in pairwise(words)}
    return not _words(_OUT).isdisjoint(words) or not _STOP_PAIRS.isdisjoint(pairs)


def is_yes(text: str) -> bool:
    """Return whether a cell that asks whether somebody may be mailed says yes, or since when."""
    return truth_of(text) is True or says_in(text) or date_of(text) is not None


def is_no(text: str) -> bool:
    """Return whether a cell that asks whether somebody may be mailed says no."""
    return truth_of(text) is False or says_left(text)


@cache
def _words(*texts: str) -> frozenset[str]:
    return frozenset(" ".join(texts).split())


@cache
def _codes() -> frozenset[str]:
    return frozenset(_ISO_3166[at : at + 2] for at in range(0, len(_ISO_3166), 2))


@cache
def _country_names() -> Mapping[str, str]:
    names = {code.casefold(): code for code in _codes()}
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
