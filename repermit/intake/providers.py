"""Where people have their mailbox, and which domains look like a typing error for one of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from repermit.domain.policy import EEA


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A domain that is one letter away from one of these is pointed out, unless it is itself here or
# below.
_PROVIDERS = _words(
    """
    gmail.com googlemail.com hotmail.com outlook.com live.com msn.com yahoo.com ymail.com
    icloud.com me.com mac.com aol.com mail.com gmx.com gmx.net protonmail.com proton.me pm.me

    telenet.be skynet.be proximus.be scarlet.be voo.be pandora.be belgacom.net orange.be
    mobistar.be brutele.be numericable.be edpnet.be dommel.be base.be chello.be tiscali.be
    hotmail.be live.be outlook.be

    ziggo.nl kpnmail.nl kpnplanet.nl planet.nl xs4all.nl home.nl hetnet.nl upcmail.nl casema.nl
    chello.nl quicknet.nl tele2.nl online.nl zonnet.nl wanadoo.nl tiscali.nl caiway.nl solcon.nl
    zeelandnet.nl kabelfoon.nl telfort.nl versatel.nl 12move.nl hccnet.nl ziggomail.com
    hotmail.nl live.nl

    orange.fr wanadoo.fr free.fr sfr.fr laposte.net bbox.fr neuf.fr cegetel.net noos.fr
    club-internet.fr numericable.fr aliceadsl.fr libertysurf.fr hotmail.fr live.fr outlook.fr
    yahoo.fr

    gmx.de gmx.at web.de t-online.de freenet.de arcor.de posteo.de mailbox.org kabelmail.de
    vodafone.de vodafonemail.de o2online.de o2mail.de alice-dsl.net unitybox.de versanet.de
    netcologne.de ewetel.net ewe.net kabelbw.de aon.at chello.at hotmail.de live.de outlook.de
    yahoo.de
    """
)
_ALSO_REAL = _words(
    """
    laposte.fr t-online.hu protonmail.ch rocketmail.com
    hotmail.ca hotmail.com.ar hotmail.com.br hotmail.com.tr hotmail.co.nz hotmail.co.jp
    live.ca live.cn live.com.ar live.com.au live.com.mx live.com.pt
    outlook.com.ar outlook.com.au outlook.com.br outlook.com.tr outlook.co.id
    yahoo.ca yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.co.id yahoo.co.in yahoo.co.jp
    """
)
# Words and names, at whatever ending, that are one letter away from the name of a provider.
_WORDS = _words(
    """
    cello cloud email gail grange hello hetnest hetnut hommel inline jetnet mail on-line orage
    oranger oranges oranje photon planeet planets plant posted posten poster protons range rommel
    scarlett sonnet starlet zonne
    """
)
# Names of one provider at one ending, so that any other ending is an error.
_ONE_ENDING: Mapping[str, str] = {
    domain.rpartition(".")[0]: domain
    for domain in _words(
        """
        gmail.com googlemail.com icloud.com telenet.be ziggo.nl kpnmail.nl kpnplanet.nl upcmail.nl
        hetnet.nl xs4all.nl laposte.net t-online.de
        """
    )
}
_LONG_ENOUGH = 6  # letters of a name, for one of them to tell
_SHORT_BUT_NO_WORD = frozenset({"gmail", "yahoo", "ziggo"})
_NO_ENDING = _words(
    "bbe bee ccom cim clm cmo coml comm como con coom cpm dde dee ffr frr nett nll nnl ocm vom xom"
)
_ENDINGS = frozenset(code.lower() for code in EEA) | _words("uk ch com net org eu info biz")


def typing_error(domain: str) -> str | None:
    """Return the domain of the provider that may be meant by *domain*, or None.

    None, too, when several are as near, and when the one letter may well be meant: `grange.fr`
    is no `orange.fr`, `hope.nl` no `home.nl`, and `yahoo.be` no `yahoo.de`.
    """
    if domain in _PROVIDERS or domain in _ALSO_REAL:
        return None
    if domain.startswith("www.") and domain[4:] in _PROVIDERS:
        return domain[4:]
    name, _, ending = domain.rpartition(".")
    if name in _WORDS:
        return None
    if name in _ONE_ENDING:
        return _ONE_ENDING[name]
    near = [each for each in _one_letter_off(domain) if _is_telling(name, ending, each)]
    return near[0] if len(near) == 1 else None


def _is_telling(name: str, ending: str, provider: str) -> bool:
    """Return whether the letter is more likely an error than another domain."""
    its_name = provider.rpartition(".")[0]
    if name == its_name and ending in _NO_ENDING:
        return True
    if len(its_name) < _LONG_ENOUGH and its_name not in _SHORT_BUT_NO_WORD:
        return False
    return name != its_name or ending not in _ENDINGS


def _one_letter_off(domain: str) -> set[str]:
    """Return the providers that a letter more, less, other or swapped makes of *domain*."""
    by_part = _by_part()
    found = {each for part in _without_one(domain) for each in by_part.get(part, ())}
    return {each for each in found if _differs_by_one(domain, each)}


def _differs_by_one(one: str, other: str) -> bool:
    """Return whether their Damerau-Levenshtein distance (optimal string alignment) is 1."""
    pairs = enumerate(zip(one, other, strict=False))
    at = next((at for at, (letter, its) in pairs if letter != its), min(len(one), len(other)))
    rest, its_rest = one[at:], other[at:]
    return rest != its_rest and (
        rest[1:] == its_rest[1:]
        or rest[1:] == its_rest
        or rest == its_rest[1:]
        or (rest[1::-1] == its_rest[:2] and rest[2:] == its_rest[2:])
    )


def _without_one(text: str) -> Iterator[str]:
    """Yield *text*, and what is left of it without each of its letters: two texts that differ by
    one letter share one of these."""
    yield text
    for at in range(len(text)):
        yield text[:at] + text[at + 1 :]


@cache
def _by_part() -> Mapping[str, list[str]]:
    index: dict[str, list[str]] = {}
    for provider in _PROVIDERS:
        for part in _without_one(provider):
            index.setdefault(part, []).append(provider)
    return index
