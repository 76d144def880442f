"""Charts as SVG: from numbers to text, nothing else.

A chart is as wide as the page lets it be: what lies beside something else is measured in percent,
what lies below it in pixels, so that letters keep their size on a telephone and on paper. Each kind
of thing has a pattern of its own, so that nothing rests on colour. Behind every chart stands a
table; a chart says so itself to whoever cannot see it (role, title, description).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

KINDS: Final = (  # each has a fill in the style of the page
    *("yes", "no", "silent", "undeliverable", "unclear", "gone", "plain", "kept", "lost"),
)
NARROW_PIXELS: Final = 288  # the width of the narrowest chart: 320 less the margins of the page
LETTER_PIXELS: Final = 7  # of a wide letter at 13 pixels; a chart's labels are reckoned with it
MOST_COLUMNS: Final = 92
_ROW, _LABEL, _BAR_TOP, _BAR = 46, 13, 20, 16  # pixels
_TOP, _BASE, _TICK, _NAMES, _TALL = 20, 160, 168, 184, 190
_THINNEST = 0.4  # percent: what there is can be seen, however little it is
_MOST_LINES = 6  # marks that are lines; more of them are ticks only
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Bar:
    """One row: its label, its figure in words, and how long each part is, as a share of all."""

    label: str
    value: str
    parts: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Column:
    """One column: how many of each kind, from below; *marked*: a date that matters."""

    parts: Mapping[str, int]
    marked: bool = False

    @property
    def total(self) -> int:
        """Return how high it is."""
        return sum(self.parts.values())


@dataclass(frozen=True)
class Said:
    """What a chart says to whoever cannot see it; `name` is its own in the page."""

    name: str
    title: str
    description: str


@dataclass(frozen=True)
class Axis:
    """The words below a chart of columns: at its beginning, in its middle, at its end."""

    first: str
    last: str
    middle: str = ""
    top: str = field(default="")  # beside the highest line


def bars(said: Said, rows: Sequence[Bar]) -> str:
    """Return rows of bars, each with its label and figure above it."""
    inside = [part for at, row in enumerate(rows) for part in _bar(row, at * _ROW)]
    return _svg(said, inside, height=max(1, len(rows)) * _ROW)


def columns(said: Said, found: Sequence[Column], axis: Axis) -> str:
    """Return columns side by side, the highest of them below the line of `nice`."""
    top = nice(max((each.total for each in found), default=0))
    width = 100 / max(1, len(found))
    marked = [at for at, each in enumerate(found) if each.marked]
    inside = [
        f'<line class="grid" x1="0" x2="100%" y1="{_TOP}" y2="{_TOP}"/>',
        _text(axis.top, y=_LABEL),
        *(_mark((at + 0.5) * width, as_line=len(marked) <= _MOST_LINES) for at in marked),
        *(part for at, each in enumerate(found) for part in _column(each, at, width, top)),
        f'<line class="axis" x1="0" x2="100%" y1="{_BASE}" y2="{_BASE}"/>',
        _text(axis.first, y=_NAMES),
        _text(axis.middle, y=_NAMES, x="50%", anchor="middle"),
        _text(axis.last, y=_NAMES, x="100%", anchor="end"),
    ]
    return _svg(said, inside, height=_TALL)


def swatch(kind: str) -> str:
    """Return the little square of a legend; words stand beside it."""
    return (
        '<svg class="swatch" width="14" height="14" aria-hidden="true" focusable="false">'
        f'<rect class="{kind}" x="1" y="1" width="12" height="12"/></svg>'
    )


def nice(most: int) -> int:
    """Return the next round number: 1, 2 or 5 and zeros; never less than 1."""
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= most:
                return step * power
        power *= 10


def together(found: Sequence[Column], *, most: int = MOST_COLUMNS) -> tuple[int, list[Column]]:
    """Return how many neighbours are one column, and the columns, no more than *most*."""
    size = next((each for each in (1, 7, 28) if len(found) <= each * most), 0)
    size = size or -(-len(found) // most)
    return size, [_sum(found[at : at + size]) for at in range(0, len(found), size)]


def _sum(some: Sequence[Column]) -> Column:
    parts: dict[str, int] = {}
    for each in some:
        for kind, count in each.parts.items():
            parts[kind] = parts.get(kind, 0) + count
    return Column(parts, marked=any(each.marked for each in some))


def _bar(row: Bar, y: int) -> Iterable[str]:
    yield _text(row.label, y=y + _LABEL)
    yield _text(row.value, y=y + _LABEL, x="100%", anchor="end", weight="figure")
    top, x = y + _BAR_TOP, 0.0
    yield f'<rect class="ground" x="0" y="{top}" width="100%" height="{_BAR}"/>'
    for kind, share in row.parts:
        width = min(100 - x, max(share * 100, _THINNEST)) if share > 0 else 0.0
        if width > 0:
            yield (
                f'<rect class="{kind}" x="{x:.3f}%" y="{top}" width="{width:.3f}%"'
                f' height="{_BAR}"/>'
            )
        x += width


def _column(found: Column, at: int, width: float, top: int) -> Iterable[str]:
    y = float(_BASE)
    for kind, count in found.parts.items():
        if count <= 0:
            continue
        height = max(1.0, count / top * (_BASE - _TOP))
        y -= height
        yield (
            f'<rect class="{kind}" x="{(at + 0.1) * width:.3f}%" y="{y:.2f}"'
            f' width="{width * 0.8:.3f}%" height="{height:.2f}"/>'
        )


def _mark(x: float, *, as_line: bool) -> str:
    line = f'<line class="mark" x1="{x:.3f}%" x2="{x:.3f}%" y1="{_TOP}" y2="{_BASE}"/>'
    tick = f'<line class="tick" x1="{x:.3f}%" x2="{x:.3f}%" y1="{_BASE}" y2="{_TICK}"/>'
    return line + tick if as_line else tick


def _text(words: str, *, y: int, x: str = "0", anchor: str = "start", weight: str = "") -> str:
    if not words:
        return ""
    named = f' class="{weight}"' if weight else ""
    return f'<text{named} x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(said: Said, inside: Iterable[str], *, height: int) -> str:
    name = escape(said.name)
    return (
        f'<svg class="chart" role="img" width="100%" height="{height}"'
        f' aria-labelledby="{name}-title {name}-text">'
        f'<title id="{name}-title">{escape(said.title)}</title>'
        f'<desc id="{name}-text">{escape(said.description)}</desc>'
        f"{''.join(inside)}</svg>"
    )
