"""Finds words of offers and rewards in what a recipient reads.

A yes that is bought is not free, and a mail that advertises needs the very consent it asks for.

Source: GDPR art. 4(11) and 7(4), recitals 42 and 43 (consent is free, without a disadvantage for
who refuses); ePrivacy Directive 2002/58 art. 13; ICO against Flybe, 2017 (a prize draw in such a
mail).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_ELSEWHERE = re.compile(r"https?://\S+|\S+@\S+")  # links and addresses are no words of the mail
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|\n+")
_LONGEST_SENTENCE = 120  # characters that are quoted


@dataclass(frozen=True)
class Offer:
    """A word that offers something, and the sentence in which it stands."""

    word: str
    sentence: str


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return what finds *words* in a text, whole and in any letters; a `*` stands for the rest
    of a word."""
    each = (
        re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", r"\s+")
        for word in sorted(words, key=len, reverse=True)
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(each)})(?!\w)", re.IGNORECASE)


def offers(text: str, words: re.Pattern[str], *, names: Iterable[str] = ()) -> Iterator[Offer]:
    """Yield each word of an offer in *text* once, with its sentence; never within one of *names*,
    such as that of the organisation itself, nor in a link or an address."""
    for name in names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " … ", text) if name else text
    seen: set[str] = set()
    for sentence in _SENTENCE_ENDS.split(_ELSEWHERE.sub(" … ", text)):
        for found in words.finditer(sentence):
            if (word := found[0].casefold()) not in seen:
                seen.add(word)
                yield Offer(word, _short(sentence, found.start()))


def _short(sentence: str, at: int) -> str:
    """Return *sentence*, or as much of it around *at* as is quoted."""
    begin = max(0, min(at - _LONGEST_SENTENCE // 2, len(sentence) - _LONGEST_SENTENCE))
    part = sentence[begin : begin + _LONGEST_SENTENCE]
    before, after = "…" * (begin > 0), "…" * (begin + len(part) < len(sentence))
    return before + " ".join(part.split()) + after
