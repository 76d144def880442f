"""Which of the older encodings a list is in. No word here is one that the letters were learnt
from, or that the scores were set by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import ListUnsure
from repermit.intake.charset import codec_of, contexts_in, ranking

CODECS = ("cp1252", "mac_roman", "cp850", "iso8859-15")
FRENCH = """
Ségolène Guéret;Crémieux;Mâchecourt;allé à l'école des Béguines
Bérénice Delvaux-Crépin;Évrard;Rösch;coût réglé en février
Apolline Thiébaut;Huët;Pontoise-lès-Noyon;reçu par téléphone
Loïck Kervéguen;Brûlart;Bécherel;dégât des eaux
"""
GERMAN = """
Wiebke Lührs;Vögele;Plön;Bahnhofstraße 4
Änne Pöhlmann;Süßmilch;Görlitz;hat schön grüßen lassen
Traudl Käßmann;Zöllner;Öhringen;möchte künftig nichts mehr
"""
DUTCH = """
Maïka Claeys;Geërts;Ieper;financiële geïnteresseerden
Noëmi Raës;Brabançonne;Haïti;tweeëntwintig kopieën
Anneloë Daneël;Curaçaoënaar;Oekraïne;coëfficiënt
"""
CAPITALS = """
SÉGOLÈNE GUÉRET;CRÉMIEUX;MÂCHECOURT
LÜHRS;VÖGELE;GÖRLITZ
NOËMI RAËS;LOÏCK KERVÉGUEN;CLÉMENÇON
"""


def codec_for(content: bytes) -> str:
    return codec_of(contexts_in([content]), [content])


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("text", [FRENCH, GERMAN, DUTCH, CAPITALS])
def test_a_few_lines_tell_the_encoding(codec: str, text: str) -> None:
    content = text.encode(codec)

    assert content.decode(codec_for(content)) == text


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", ["Ségolène", "Béguinot", "Gwenaëlle", "Pöhlmann", "Lührs"])
def test_one_name_is_read_rightly_or_not_at_all(codec: str, name: str) -> None:
    content = f"naam;email\n{name};s@x.be\n".encode(codec)
    try:
        assert content.decode(codec_for(content)) == content.decode(codec)
    except ListUnsure as unsure:
        assert (name in dict(unsure.readings).values()) == (codec in dict(unsure.readings))
        assert codec != "cp1252"


@pytest.mark.parametrize(
    "text",
    [
        "Bakkerij ’t Broodje;an@x.be\n",
        "Frituur “De Gouden Stoof”;an@x.be\n",
        "L’Abreuvoir d’Ixelles;an@x.be\n",
        "Ria’s winkel – sinds 1999;an@x.be\n",
        "lidgeld 12,50 €;an@x.be\n",
        "Guéret;an@x.be\n",
        "VÖGELE;an@x.be\n",
        "prijs: €12;an@x.be\n",
    ],
)
def test_windows_is_known_by_a_single_sign(text: str) -> None:
    assert codec_for(text.encode("cp1252")) == "cp1252"


def test_a_mac_is_known_by_its_quotation_marks() -> None:
    content = "L’Abreuvoir d’Ixelles et “Le Coq”\n".encode("mac_roman")

    assert codec_for(content) == "mac_roman"


@pytest.mark.parametrize("text", ["lidgeld 12,50 €\n", "€ 25\n", "Guéret, 25 €\n", "manœuvre\n"])
def test_latin_9_is_known_by_its_euro(text: str) -> None:
    assert codec_for(text.encode("iso8859-15")) == "iso8859-15"


def test_where_two_read_alike_the_commoner_is_taken() -> None:
    content = GERMAN.encode("iso8859-15")
    names = [codec for codec, _ in ranking(contexts_in([content]))]

    assert names[:2] == ["cp1252", "iso8859-15"]
    assert content.decode(names[0]) == content.decode(names[1])


def test_many_rows_weigh_more_than_one_odd_sign() -> None:
    content = ("Guéret\n" * 1000 + "Vögele\n" * 1000).encode("cp1252") + b"x\xa4y\n"

    assert codec_for(content) == "cp1252"


def test_two_likely_readings_are_shown_without_addresses() -> None:
    content = "lid@x.be;RENé;MARé@x.be\n".encode("cp1252")

    with pytest.raises(ListUnsure) as unsure:
        codec_for(content)

    assert unsure.value.option == "encoding"
    readings = dict(unsure.value.readings)
    assert readings["cp1252"] == "RENé"
    assert readings["mac_roman"] == "RENÈ"
    assert "@" not in str(unsure.value)


def test_words_that_are_shown_are_few_and_short() -> None:
    content = "".join(f"{'x' * 60}RENé{number}\n" for number in range(9)).encode("mac_roman")
    with pytest.raises(ListUnsure) as unsure:
        codec_of(contexts_in([b"RENE\x8e\n"]), [content])

    assert all(len(words) <= 3 * 32 for _, words in unsure.value.readings)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_have_a_ranking(chunks: list[bytes]) -> None:
    contexts = contexts_in(chunks)

    ranked = ranking(contexts)

    assert {"mac_roman", "cp850", "iso8859-15"} <= {codec for codec, _ in ranked}
    assert [score for _, score in ranked] == sorted((s for _, s in ranked), reverse=True)
