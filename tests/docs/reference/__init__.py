"""The pages of docs/reference, made of the program itself, and the table in docs/law.md."""

from __future__ import annotations

from pathlib import Path

from tests.docs.reference import codes, commands, config, policy, templates

ROOT = Path(__file__).parents[3]
_REFERENCE = ROOT / "docs" / "reference"
_LAW = ROOT / "docs" / "law.md"


def pages() -> dict[Path, str]:
    """Return what each page says, by its path."""
    return {
        _REFERENCE / "commands.md": commands.page(),
        _REFERENCE / "config.md": config.page(),
        _REFERENCE / "templates.md": templates.page(),
        _REFERENCE / "exit-codes.md": codes.page(),
        _LAW: policy.filled_in(_LAW.read_text("utf-8")),
    }
