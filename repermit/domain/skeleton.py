"""A text rendered once, with marked places that are filled in for each recipient.

The skeleton is what is kept as "what was shown"; filling it costs a fraction of rendering.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

_PLACE = re.compile("⟦([a-z_]+)⟧")


def place(name: str) -> str:
    """Return the mark of the place *name*."""
    return f"⟦{name}⟧"


def split(skeleton: str) -> list[str]:
    """Return *skeleton* cut at its places: a text, the name of a place, a text, and so on.

    Shape: an odd number of elements; the first and the last are texts, perhaps empty.
    """
    return _PLACE.split(skeleton)


def fill(skeleton: str, values: Mapping[str, str]) -> str:
    """Return *skeleton* with every place filled, once; a mark inside a value stays as it is.

    Raises: KeyError for a place without a value.
    """
    return _PLACE.sub(lambda found: values[found[1]], skeleton)


def fill_html(skeleton: str, values: Mapping[str, str]) -> str:
    """Return *skeleton*, which is HTML, with every place filled and every value escaped."""
    return joined_html(split(skeleton), values)


def joined_html(parts: Sequence[str], values: Mapping[str, str]) -> str:
    """Return what `fill_html` makes of the skeleton that `split` has cut into *parts*."""
    whole = list(parts)
    whole[1::2] = [html.escape(values[name]) for name in parts[1::2]]
    return "".join(whole)
