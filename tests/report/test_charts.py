import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from repermit.report.charts import (
    KINDS,
    MOST_COLUMNS,
    Axis,
    Bar,
    Column,
    Said,
    bars,
    columns,
    nice,
    swatch,
    together,
)

TEMPLATE = Path(__file__).parents[2] / "templates/report/figures.html.j2"
SAID = Said("one", "A <title>", 'What it "shows"')
AXIS = Axis("1 Nov 2026", "31 Dec 2026", "1 Dec 2026", top="50")
HUGE = 10**12


def parsed(svg: str) -> ElementTree.Element:
    """Return a chart as a machine reads it."""
    return ElementTree.fromstring(svg)  # noqa: S314 - ours


def rects(svg: str) -> list[dict[str, float | str]]:
    """Return every rectangle but the ground, its numbers as numbers."""
    found: list[dict[str, float | str]] = []
    for each in parsed(svg).iter("rect"):
        if each.get("class") != "ground":
            numbers = {
                name: float(value.rstrip("%"))
                for name, value in each.attrib.items()
                if name != "class"
            }
            found.append({**numbers, "class": each.get("class", "")})
    return found


def days(count: int, *, each: int = 3) -> list[Column]:
    """Return so many days, all alike."""
    return [Column({"yes": each, "no": 1}, marked=day == count - 1) for day in range(count)]


def test_a_chart_says_itself_what_it_is() -> None:
    chart = parsed(bars(SAID, [Bar("asked", "5", [("plain", 0.5)])]))

    title, text = chart.find("title"), chart.find("desc")
    assert chart.get("role") == "img"
    assert title is not None
    assert text is not None
    assert chart.get("aria-labelledby") == f"{title.get('id')} {text.get('id')}"
    assert (title.text, text.text) == ("A <title>", 'What it "shows"')


def test_what_a_chart_is_given_is_no_markup() -> None:
    chart = parsed(bars(SAID, [Bar("<b>", "&", [])]))

    assert [each.text for each in chart.iter("text")] == ["<b>", "&"]


@pytest.mark.parametrize("rows", [0, 1, 2, 40])
def test_bars_stand_below_each_other(rows: int) -> None:
    svg = bars(SAID, [Bar("asked", "5", [("yes", 0.5), ("no", 0.5)])] * rows)

    tops = [each["y"] for each in rects(svg)]
    assert len(tops) == 2 * rows
    assert len(set(tops)) == rows
    assert float(parsed(svg).get("height", "0")) > max([0.0, *map(float, tops)])


def test_a_bar_of_nothing_has_no_part_and_of_little_has_one_that_can_be_seen() -> None:
    assert rects(bars(SAID, [Bar("nobody", "0", [("yes", 0.0)])])) == []
    (little,) = rects(bars(SAID, [Bar("somebody", "1", [("yes", 1 / HUGE)])]))
    assert little["width"] == 0.4


def test_the_parts_of_a_bar_never_pass_its_end() -> None:
    parts = [(kind, 1 / 7 + 0.001) for kind in KINDS[:7]] + [("gone", 0.01)]

    found = rects(bars(SAID, [Bar("all", "7", parts)]))

    ends = [float(each["x"]) + float(each["width"]) for each in found]
    assert ends == sorted(ends)
    assert max(ends) <= 100.01


@pytest.mark.parametrize("count", [0, 1, 2, 92, 400])
@pytest.mark.parametrize("each", [0, 1, HUGE])
def test_columns_stand_side_by_side_within_the_chart(count: int, each: int) -> None:
    svg = columns(SAID, [Column({"yes": each, "no": each}) for _ in range(count)], AXIS)

    found = rects(svg)
    assert len(found) == (2 * count if each else 0)
    for one in found:
        assert float(one["x"]) >= 0
        assert float(one["x"]) + float(one["width"]) <= 100
        assert float(one["y"]) >= 19.9
        assert float(one["y"]) + float(one["height"]) <= 160.1
    places = sorted((float(one["x"]), float(one["width"])) for one in found)[::2]
    for (x, width), (following, _) in pairwise(places):
        assert x + width < following


def test_the_words_of_an_axis_stand_at_both_ends_and_in_the_middle() -> None:
    """So that they never meet: three dates are less wide together than the narrowest chart."""
    svg = columns(SAID, days(5), AXIS)

    found = [
        (each.get("x"), each.get("text-anchor"), each.text) for each in parsed(svg).iter("text")
    ]
    assert found == [
        ("0", "start", "50"),
        ("0", "start", "1 Nov 2026"),
        ("50%", "middle", "1 Dec 2026"),
        ("100%", "end", "31 Dec 2026"),
    ]
    assert "<text" not in columns(SAID, days(2), Axis("", ""))


@pytest.mark.parametrize(("marked", "lines"), [(0, 0), (1, 1), (6, 6), (7, 0)])
def test_many_marks_are_ticks_without_lines(marked: int, lines: int) -> None:
    some = [Column({"yes": 1}, marked=day < marked) for day in range(60)]

    svg = columns(SAID, some, AXIS)

    assert svg.count('class="tick"') == marked
    assert svg.count('class="mark"') == lines


@pytest.mark.parametrize(
    ("most", "expected"),
    [(0, 1), (1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (999, 1000), (HUGE + 1, 2 * HUGE)],
)
def test_the_highest_line_is_a_round_number(most: int, expected: int) -> None:
    assert nice(most) == expected


@pytest.mark.parametrize(
    ("count", "size"), [(0, 1), (1, 1), (92, 1), (93, 7), (400, 7), (645, 28), (10_000, 109)]
)
def test_many_days_are_put_together(count: int, size: int) -> None:
    found, some = together(days(count))

    assert found == size
    assert len(some) <= MOST_COLUMNS
    assert sum(each.total for each in some) == 4 * count
    assert any(each.marked for each in some) is (count > 0)


def test_every_kind_has_a_fill_in_the_style_of_the_page() -> None:
    style = TEMPLATE.read_text("utf-8")
    for kind in KINDS:
        assert re.search(rf"\.{kind}\b[^{{}}]*{{ *fill:", style), kind
        assert f'class="{kind}"' in swatch(kind)
