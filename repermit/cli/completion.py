"""What the shell offers for a value that is half typed. It looks at the names of files, never into
a config or a ledger."""

from __future__ import annotations

from pathlib import Path


def relationships(incomplete: str) -> list[tuple[str, str]]:
    """Return the relationships that begin so, each with its question."""
    from repermit.domain.relationship import QUESTIONS

    return [
        (str(name), question) for name, question in QUESTIONS.items() if name.startswith(incomplete)
    ]


def configs(incomplete: str) -> list[str]:
    """Return the files that may be a config, and the folders that may hold one."""
    typed = Path(incomplete)
    folder = typed if incomplete.endswith("/") else typed.parent
    if not folder.is_dir():
        return []
    found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    names = [f"{path}/" if path.is_dir() else str(path) for path in found]
    return [name for name in names if name.endswith(("/", ".toml")) and name.startswith(incomplete)]
