"""The one colour of a campaign, and what is made of it so that everybody can read it.

By day it stands as it is given, under white words; in the dark it is lightened, under dark ones.
"""

from __future__ import annotations

import re
from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass

DEFAULT = "#17506b"
LEAST = 4.5  # to 1: WCAG 2.2, 1.4.3, contrast (minimum)
GROUND = "#f2f4f5"  # what the pages stand on by day; their sheets are white
INK, NIGHT_INK = "#1d2327", "#eceff1"
NIGHT_SHEET = "#1d2327"
_WHITE, _BLACK, _NIGHT_WORDS = "#ffffff", "#000000", "#0b1114"
_NIGHT_CONTRAST = 8.0  # to 1: well above LEAST, because thin light words look thinner
_STEPS = 100
_is_colour = re.compile(r"#[0-9a-f]{6}").fullmatch

_Channels = tuple[float, float, float]  # each from 0 to 1


@dataclass(frozen=True)
class Shades:
    """The colours of a button, its words, and a notice, as #rrggbb."""

    press: str
    over: str  # the button under the mouse
    words: str
    note: str


@dataclass(frozen=True)
class Palette:
    """What a campaign's colour becomes by day and in the dark."""

    day: Shades
    night: Shades


def is_colour(text: str) -> bool:
    """Return whether *text* is a colour as #rrggbb, in small letters."""
    return _is_colour(text) is not None


def contrast(one: str, other: str) -> float:
    """Return how far two colours stand apart, from 1 to 21.

    Source: WCAG 2.2, definitions of contrast ratio and relative luminance.
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palette(colour: str) -> Palette:
    """Return the shades of *colour*, which `contrast` with GROUND must have found dark enough."""
    night = _lightened(colour)
    return Palette(
        day=Shades(
            press=colour,
            over=_mixed(colour, _BLACK, 0.25),
            words=_WHITE,
            note=_mixed(_WHITE, colour, 0.1),
        ),
        night=Shades(
            press=night,
            over=_mixed(night, _WHITE, 0.4),
            words=_NIGHT_WORDS,
            note=_mixed(NIGHT_SHEET, night, 0.18),
        ),
    )


def _lightened(colour: str) -> str:
    """Return the darkest shade of the same hue that reads well on the sheet at night."""
    hue, lightness, saturation = rgb_to_hls(*_channels(colour))
    shades = (
        _written(hls_to_rgb(hue, lightness + (1 - lightness) * step / _STEPS, saturation))
        for step in range(_STEPS)
    )
    return next((each for each in shades if contrast(each, NIGHT_SHEET) >= _NIGHT_CONTRAST), _WHITE)


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(one: str, other: str, share: float) -> str:
    """Return *one* with that *share* of *other* in it."""
    red, green, blue = (
        mine + (theirs - mine) * share
        for mine, theirs in zip(_channels(one), _channels(other), strict=True)
    )
    return _written((red, green, blue))


def _channels(colour: str) -> _Channels:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _written(channels: _Channels) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in channels)
