"""Texts with places that are filled in for each recipient."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.skeleton import fill, fill_html, place, split


def test_every_place_is_filled() -> None:
    skeleton = f"Until {place('deadline')}, {place('who')}. Again: {place('deadline')}."
    assert fill(skeleton, {"deadline": "1 May", "who": "An"}) == "Until 1 May, An. Again: 1 May."


def test_a_place_without_a_value_is_named() -> None:
    with pytest.raises(KeyError, match="deadline"):
        fill(place("deadline"), {"who": "An"})


@given(st.text())
def test_a_value_is_never_filled_again(value: str) -> None:
    """The source of an address may hold anything, also what looks like a place."""
    filled = fill(place("source"), {"source": place("yes_url") + value, "yes_url": "no"})
    assert filled == place("yes_url") + value


def test_in_html_every_value_is_escaped_and_the_skeleton_is_not() -> None:
    assert fill_html(f"<b>{place('who')}</b>", {"who": "<i>&'"}) == "<b>&lt;i&gt;&amp;&#x27;</b>"


def test_cut_at_its_places_a_skeleton_is_texts_and_names_by_turns() -> None:
    assert split(f"{place('a')}{place('b')} end") == ["", "a", "", "b", " end"]
    assert split("no place") == ["no place"]


@given(st.lists(st.text(alphabet="abc ⟦⟧\n"), min_size=1))
def test_what_was_cut_goes_together_again_as_filling_does(texts: list[str]) -> None:
    skeleton = place("who").join(texts)
    pieces = split(skeleton)
    values = {name: f"<{name}>" for name in pieces[1::2]}
    pieces[1::2] = [values[name] for name in pieces[1::2]]
    assert "".join(pieces) == fill(skeleton, values)
