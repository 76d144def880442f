"""Tables and texts in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MADE = "\n<!-- Made of the program by `make docs`; do not edit it by hand. -->\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; empty when there are no rows."""
    lines = [_row(each) for each in rows]
    if not lines:
        return ""
    return "\n".join([_row(head), _row(["---"] * len(head)), *lines]) + "\n"


def code(text: str) -> str:
    """Return *text* between backticks, or nothing for nothing."""
    return f"`{text}`" if text else ""


def _row(cells: Sequence[str]) -> str:
    shown = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"
