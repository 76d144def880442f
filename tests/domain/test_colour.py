"""The colour of a campaign: whatever is accepted can be read everywhere."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from repermit.domain.colour import (
    DEFAULT,
    GROUND,
    INK,
    LEAST,
    NIGHT_INK,
    NIGHT_SHEET,
    contrast,
    is_colour,
    palette,
)

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("#000000", "#ffffff", 21),
        ("#ffffff", "#ffffff", 1),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, apart: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(apart, abs=0.005)


def test_a_colour_is_six_small_digits() -> None:
    assert is_colour(DEFAULT)
    assert not any(map(is_colour, ("17506b", "#17506B", "#17506", "red", "#17506b;")))


@given(COLOURS)
def test_whatever_is_dark_enough_can_be_read_by_day_and_in_the_dark(colour: str) -> None:
    """As words on the page, as a button under words, under the mouse, and behind a notice.

    Source: WCAG 2.2, 1.4.3.
    """
    assume(contrast(colour, GROUND) >= LEAST)
    found = palette(colour)
    for shades, sheets, ink in (
        (found.day, ("#ffffff", GROUND), INK),
        (found.night, (NIGHT_SHEET, "#14181b"), NIGHT_INK),
    ):
        assert all(contrast(shades.press, sheet) >= LEAST for sheet in sheets)
        assert contrast(shades.words, shades.press) >= LEAST
        assert contrast(shades.words, shades.over) >= LEAST
        assert contrast(ink, shades.note) >= LEAST


def test_the_colour_itself_stands_on_the_page_by_day() -> None:
    assert palette(DEFAULT).day.press == DEFAULT
    assert palette("#000000").night.press != "#000000"
