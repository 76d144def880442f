"""The figures that have a limit, as bars beside it: an SVG that is read without colour, too.

The line in the middle is the limit. A bar to the right is so many times better, one to the left so
many times short; the scale is logarithmic, so that twice and half are equally long.
"""

from __future__ import annotations

from html import escape
from math import log2

from bench.figures import ROWS, Record, Row

_LEFT, _MIDDLE, _RIGHT = 330, 560, 790  # where the scale begins, its limit, its end
_WIDTH, _TOP, _LINE = 900, 70, 24
_MOST = 3  # doublings either way; what is further ends there
_WELL, _SHORT = "#1f5f8b", "#8a2b06"
_STYLE = "text{font:13px sans-serif;fill:#111}.small{font-size:12px}"


def drawn(record: Record) -> str:
    """Return the chart."""
    rows = [row for row in ROWS if row.limit is not None]
    bottom = _TOP + _LINE * len(rows)
    bars = "\n".join(_bar(row, record, _TOP + _LINE * at) for at, row in enumerate(rows))
    measured = [(row, record.results[row.name]) for row in rows if row.name in record.results]
    held = sum(bool(row.holds(result.value)) for row, result in measured)
    words = f"{held} of {len(measured)} figures hold their limit; the table has each of them."
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 50}" role="img" \
aria-labelledby="title words">
<title id="title">What was measured, beside its limit</title>
<desc id="words">{words}</desc>
<style>{_STYLE}</style>
<defs><pattern id="short" width="6" height="6" patternUnits="userSpaceOnUse" \
patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/>\
<rect width="3" height="6" fill="{_SHORT}"/></pattern></defs>
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="24">{words}</text>
<text x="{_MIDDLE}" y="54" text-anchor="middle" class="small">the limit</text>
{_scale(bottom)}
{bars}
</svg>
"""


def _scale(bottom: int) -> str:
    marks = []
    for doublings in range(-_MOST, _MOST + 1):
        x, times = _at(doublings), 2.0**doublings
        width, colour = (2, "#111") if doublings == 0 else (1, "#ccc")
        marks.append(
            f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{_TOP - 8}" y2="{bottom}" stroke="{colour}"'
            f' stroke-width="{width}"/><text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle"'
            f' class="small">{times:g}×</text>'
        )
    ends = f'<text y="{bottom + 38}" class="small" '
    left = f'{ends}x="{_LEFT}">← short of the limit</text>'
    right = f'{ends}x="{_RIGHT}" text-anchor="end">better than the limit →</text>'
    return "\n".join([*marks, left, right])


def _bar(row: Row, record: Record, top: int) -> str:
    work = escape(row.work.replace("`", ""))
    if row.measure == "peak memory":
        work = f"memory, {work}"
    elif row.name in ("import rate", "wait"):
        work = f"{work}, {escape(row.measure)}"
    label = f'<text x="{_LEFT - 10}" y="{top + 13}" text-anchor="end">{work}</text>'
    result = record.results.get(row.name)
    if result is None:
        return f'{label}<text x="{_RIGHT + 10}" y="{top + 13}" class="small">not run</text>'
    times = row.of_limit(result.value)
    end = _at(log2(max(times, 2.0**-_MOST)))
    holds = row.holds(result.value)
    fill, told = (_WELL, "holds") if holds else ("url(#short)", "short")
    left, width = min(end, _MIDDLE), max(abs(end - _MIDDLE), 2)
    edge = _WELL if holds else _SHORT
    return (
        f'{label}<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_LINE - 7}"'
        f' fill="{fill}" stroke="{edge}"/><text x="{_RIGHT + 10}" y="{top + 13}" class="small">'
        f"{told}, {times:.2g}×</text>"
    )


def _at(doublings: float) -> float:
    """Return where on the scale so many doublings of the limit are."""
    within = max(-_MOST, min(_MOST, doublings))
    return _MIDDLE + within / _MOST * (_RIGHT - _MIDDLE)
