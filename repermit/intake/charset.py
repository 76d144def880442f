"""Which of the older one-byte encodings a list is in, by how likely its letters are.

Every letter that is not ASCII is weighed by the letters around it: how often it occurs there in
Dutch, French, German and English words and names, and whether a capital, a sign or a quotation
mark would stand where no one writes it. The whole file counts, in constant memory.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from repermit.errors import ListUnsure

# The codecs and what to add to their score: most old lists are from Windows.
_CODECS = {"cp1252": 0.0, "iso8859-15": -1.5, "mac_roman": -3.0, "cp850": -3.0}
_MOST_CONTEXTS = 20_000
_LONGEST_CONTEXT = 200  # bytes
_TOO_CLOSE = 4.0  # a likelihood of about 50 to 1
_LONGEST_WORD = 30
_MOST_WORDS = 3
_CONTEXT = re.compile(rb"(?s).[\x80-\xff]+(?:[\x00-\x7f][\x80-\xff]+)*.")
_WORD = re.compile(rb"[^\s;,|\"<>()]*[\x80-\xff][^\s;,|\"<>()]*")

# Logarithms of how likely a character is where it stands; letters by `_letter`.
_NEVER = -14.0
_RARE = -9.0  # a letter of no word below
_UNUSUAL = -4.0
_UNSEEN = -1.3  # these two letters do not follow one another in the words below
_SEEN = 1.0  # these three do
_LOWER_AMONG_CAPITALS = frozenset("éèçàùëïöüäß")  # typed so where a keyboard has no such capital
_OPENING, _CLOSING = frozenset("“‘’«„‚¿¡"), frozenset("”’»“™®©²³°…")
_SIGNS = frozenset("–—…•™®©°§²³½¼¾£µ·¿¡ªº±×\u00ad´¨")

# Words from which the letters are learnt; those in the tests are others.
_WORDS = """
zoë chloë joëlle noëlla daniëlle raphaël michaël israël joël gaëlle maëlle anaïs loïc naïma aïcha
saïd heloïse thaïs ismaël emanuël gabriël daniël belgië italië indië australië categorieën patiënt
coördinatie financiën reünie knieën geïnteresseerd cliënt ruïne egoïst officiële vacuüm zeeën
beëindigd geüpdatet oriëntatie poëzie één vóór hé café privé logé crème scène enquête curaçao
gênant coöperatie industriële bacteriën provinciën azië drieëntwintig tweeën naïef ideeën
andré rené renée hélène françois françoise frédéric frédérique jérôme gérard geneviève thérèse
éric élise étienne émile émilie édouard éléonore céline cédric cécile stéphane stéphanie sébastien
séverine valérie véronique béatrice bénédicte benoît clément rémy rémi régis léa léon noé noël
désiré dorothée gaétan gaël grégory grégoire hervé honoré inès irène jérémy josé maïté marlène
mélanie mickaël mylène nathanaël océane pénélope raphaëlle solène théo théodore timothée zoé agnès
aimé aimée amélie anaëlle angélique aurélie aurélien barnabé chloé danièle eugène eugénie félix
gisèle joséphine léopold moïse ophélie liège orléans nîmes besançon béziers mâcon châlons chênée
évry créteil fléron châtelet genève neuchâtel rhône isère hérault ardèche lozère corrèze finistère
côte hôtel bâtiment allée général maréchal église école fête marché société été créée employé
numéro résidence château forêt île îlot maître août coûts goûter sûr où à là voilà déjà ça reçu
leçon garçon façade français française déçu aperçu naïf haïti maïs préféré désinscrit abonné
référence intérêt prêt tête bête fenêtre être même crêpe rôle drôle tôt bientôt dépôt entrepôt
contrôle diplôme jeûne mûr flûte brûlé grâce âge câble pâte théâtre gâteau âme dîner boîte
connaître fraîche chaîne traître abîme événement téléphone médecin mère père frère bière première
dernière problème système très après près succès accès règle siècle élève lumière rivière pièce
nièce crédit décembre février mélange états suède norvège grèce algérie brésil cœur sœur œuvre bœuf
müller jürgen günther günter jörg björn sören käthe schäfer jäger bäcker krämer schröder möller
köhler böhm könig schön grün kühn krüger größe straße weiß groß strauß preuß voß heß fuß grüße
schließen außen heißt süß köln münchen düsseldorf nürnberg würzburg tübingen göttingen lübeck
münster saarbrücken österreich zürich thüringen osnabrück fürth überlingen über für tür büro möbel
hören böse löwe römer götz böttcher förster hübner rüdiger süleyman gül öztürk özdemir ömer bühler
glück stück zurück früh gärtner kärnten märz mädchen länder händler jährlich später nächste äpfel
ämter ärzte träger präsident qualität universität geschäft erklärung änderung währung hälfte wärme
häuser bäume läufer verkäufer gebäude säule bürger künstler fünf zwölf höhe öffnung öffentlich
möglich persönlich königin söhne töchter brüder mütter kühl müde übung während fräulein
garcía martínez gonzález rodríguez muñoz peña núñez lópez pérez sánchez gómez álvarez maría inés
andrés jesús raúl ángel joão gonçalves conceição simões antónio mário søren jørgen bjørn øyvind
åse åke håkan göran ysaÿe louÿs lindström sjöberg šimon žan résumé fiancé brontë siân seán
"""


def contexts_in(chunks: Iterable[bytes]) -> Counter[bytes]:
    """Return the bytes that are not ASCII, with what stands before and after, and how often.

    *chunks* are pieces of the file that end at a line end.
    """
    contexts: Counter[bytes] = Counter()
    for chunk in chunks:
        if not chunk.isascii() and len(contexts) < _MOST_CONTEXTS:
            found = _CONTEXT.findall(b"\n" + chunk + b"\n")
            contexts.update(context[:_LONGEST_CONTEXT] for context in found)
    return contexts


def ranking(contexts: Mapping[bytes, int]) -> list[tuple[str, float]]:
    """Return the codecs that can read all of *contexts*, the likeliest first, with their score."""
    scores = {}
    for codec, score in _CODECS.items():
        try:
            decoded = [(context.decode(codec), count) for context, count in contexts.items()]
        except UnicodeDecodeError:
            continue
        scores[codec] = score + sum(_worth(text) * (1 + math.log(n)) for text, n in decoded)
    return sorted(scores.items(), key=lambda item: -item[1])


def codec_of(contexts: Mapping[bytes, int], chunks: Iterable[bytes]) -> str:
    """Return the codec that reads *contexts* best. *chunks* are the file, for words to show.

    Raises: ListUnsure when others read it differently and nearly as well.
    """
    ranked = ranking(contexts)
    best, highest = ranked[0]
    rivals = (codec for codec, score in ranked[1:] if score > highest - _TOO_CLOSE)
    close = [best, *(codec for codec in rivals if _differ(best, codec, contexts))]
    if len(close) == 1:
        return best
    words = _telling_words(chunks, close)
    readings = [(codec, _shown([word.decode(codec) for word in words])) for codec in close]
    raise ListUnsure("this", option="encoding", readings=readings)


def _differ(best: str, rival: str, contexts: Iterable[bytes]) -> bool:
    """Return whether *rival* reads something otherwise that could be meant so."""
    for context in contexts:
        other = context.decode(rival)
        letters = sum(not char.isascii() for char in other)
        if other != context.decode(best) and _worth(other) > _NEVER * letters:
            return True
    return False


def _telling_words(chunks: Iterable[bytes], codecs: Sequence[str]) -> list[bytes]:
    """Return a few words that *codecs* read differently; none that is part of an address."""
    words: dict[bytes, None] = {}
    for chunk in chunks:
        for word in _WORD.findall(chunk):
            if b"@" not in word and len({word.decode(codec, "replace") for codec in codecs}) > 1:
                words[word[:_LONGEST_WORD]] = None
                if len(words) == _MOST_WORDS:
                    return list(words)
    return list(words)


def _shown(words: Iterable[str]) -> str:
    plain = ("".join(c if c.isprintable() else "?" for c in word) for word in words)
    return ", ".join(plain) or "only inside addresses"


@lru_cache(1 << 16)
def _worth(text: str) -> float:
    """Return how likely the characters of *text* are that are not ASCII, as a logarithm."""
    spots = zip(text, text[1:], text[2:], strict=False)
    return sum(_character(*spot) for spot in spots if not spot[1].isascii())


def _character(before: str, char: str, after: str) -> float:
    if char.isalpha():
        return _letter(before, char, after)
    if unicodedata.category(char) == "Cc":
        return _NEVER
    if char == "’" and before.isalpha():
        return -1.5
    if char == "\u00a0":
        return -7.0 if before.isalpha() and after.islower() else -3.0
    if char in _OPENING and not before.isalnum():
        return -2.0 if after.isalnum() else _UNUSUAL
    if char in _CLOSING and not after.isalnum():
        return -2.0 if before.isalnum() else _UNUSUAL
    if before.isalpha() or after.isalpha():
        return _UNUSUAL * 2 if char == "´" else _NEVER
    if char == "€":
        return -1.0
    return _UNUSUAL if char in _SIGNS else _RARE


def _letter(before: str, char: str, after: str) -> float:
    low = char.lower()
    seen = _learnt()
    if low not in seen:
        return _RARE
    first, last = _neighbour(before), _neighbour(after)
    worth = seen[low] + sum(_UNSEEN for pair in (first + low, low + last) if pair not in seen)
    worth += _SEEN if first + low + last in seen else 0.0
    return worth + _case(before, char, after) + (_UNUSUAL if (before + after).isdigit() else 0)


def _neighbour(char: str) -> str:
    return char.lower() if char.isalpha() else " "


def _case(before: str, char: str, after: str) -> float:
    """Return what to add for capitals where no one writes them, and for a letter by itself."""
    if not before.isalpha() and not after.isalpha():
        return 0.0 if char == "à" else _UNUSUAL
    if char.isupper():
        return _NEVER if before.islower() else -0.5
    if before.isupper() and (after.isupper() or not after.isalpha()):
        return _UNUSUAL if char in _LOWER_AMONG_CAPITALS else _NEVER
    return 0.0 if before.isalpha() else -1.0


@cache
def _learnt() -> Mapping[str, float]:
    """Return the letters that are not ASCII with the logarithm of how often they occur, and the
    pairs and threes of letters that were seen; a space is the edge of a word."""
    letters = Counter(char for char in _WORDS if not char.isascii())
    text = f" {' '.join(_WORDS.split())} "
    seen = {text[at : at + size] for size in (2, 3) for at in range(len(text))}
    total = letters.total()
    return dict.fromkeys(seen, 0.0) | {char: math.log(n / total) for char, n in letters.items()}
