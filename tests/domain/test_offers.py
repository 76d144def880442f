"""Words of offers and rewards, in what a recipient reads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.offers import Offer, offers, pattern

WORDS = pattern(["*korting", "gratis", "prize draw*", "win", "bon d'achat"])


def test_a_word_is_found_whole_with_its_sentence_and_once() -> None:
    text = "Dag. Zeg ja en krijg Zomerkorting! Gratis is gratis.\nWindsurfen en winter niet."
    assert list(offers(text, WORDS)) == [
        Offer("zomerkorting", "Zeg ja en krijg Zomerkorting!"),
        Offer("gratis", "Gratis is gratis."),
    ]


def test_several_words_and_a_rest_of_a_word_are_found() -> None:
    found = [each.word for each in offers("Two prize  draws, un bon d'achat", WORDS)]
    assert found == ["prize  draws", "bon d'achat"]


def test_names_links_and_addresses_are_passed_over() -> None:
    text = "Gratis vzw vraagt: zie https://gratis.be/win of win@gratis.be. Gratis vzwen?"
    assert [each.word for each in offers(text, WORDS, names=["Gratis vzw", ""])] == ["gratis"]


def test_of_a_long_sentence_the_part_around_the_word_is_quoted() -> None:
    (found,) = offers(f"{'a ' * 200}win{' b' * 200}", WORDS)
    assert found.sentence.startswith("…a ")
    assert found.sentence.endswith("b…")
    assert "win" in found.sentence
    assert len(found.sentence) <= 122


@given(st.text(), st.text())
def test_whatever_is_written_is_read(text: str, name: str) -> None:
    assert all(each.word == each.word.casefold() for each in offers(text, WORDS, names=[name]))
