"""The config, of its tables and of what config.example.toml says of each key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from repermit.config.tables import Tables
from tests.docs.reference.markdown import MADE, code

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"
_KEY = re.compile(r'^#?("[^"]+"|[a-z_]+(?:\.[a-z]+)?) = ')
_TABLE = re.compile(r"^#?\[+([a-z_.]+)\]+$")
_HEAD = f"""# Config
{MADE}
Every key of `config.toml`: what it expects, its default, and what `config.example.toml`, which `repermit init`
writes, says of it. Nothing else may stand in the file; what does not fit is told with its line, all at once.
Relative paths start at the folder of the file.

A password never stands in it. `REPERMIT_RELAY_PASSWORD`, `REPERMIT_IMAP_PASSWORD` and
`REPERMIT_DATABASE_PASSWORD` come from the environment, or from files of these names in the folder that
`CREDENTIALS_DIRECTORY` names, as systemd does.
"""


@dataclass(frozen=True)
class Told:
    """What the example says of one key: its table, its comment, and the value that it has there."""

    table: str
    key: str
    comment: str
    value: str


def page() -> str:
    """Return the page."""
    told = {(each.table, each.key): each for each in explained()}
    return _HEAD + "".join(_table(name, told) for name in Tables.model_fields)


def keys() -> set[str]:
    """Return every key of the config as docs name it: campaign.name, purposes.text, …"""
    return {
        f"{table}.{field.alias or name}"
        for table, model in _models()
        for name, field in model.model_fields.items()
    } | {name for name, _ in _models()}


def explained() -> Iterator[Told]:
    """Yield what the example says, key by key."""
    table, comment = "", list[str]()
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if found := _TABLE.match(line):
            table = found[1]
        elif found := _KEY.match(line):
            key = found[1].strip('"') if '"' in found[1] else found[1].partition(".")[0]
            yield Told(table, key, _paragraphs(comment), line.lstrip("#").partition(" = ")[2])
        elif line.startswith("# ──"):
            comment = []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        else:
            comment = []


def _models() -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in Tables.model_fields.items():
        inner = [field.annotation, *get_args(field.annotation)]
        model = next(each for each in inner if isinstance(each, type) and issubclass_(each))
        yield name, model


def issubclass_(each: type) -> bool:
    """Return whether it is a table, also where it is a type with arguments."""
    try:
        return issubclass(each, BaseModel)
    except TypeError:
        return False


def _table(name: str, told: dict[tuple[str, str], Told]) -> str:
    model = dict(_models())[name]
    several = name in ("purposes", "processors")
    head = f"[[{name}]]" if several else f"[{name}]"
    said = " ".join((model.__doc__ or "").replace("`from_` is the key `from`.", "").split())
    parts = [f"\n## {head}\n\n{said}\n"]
    for field_name, field in model.model_fields.items():
        key = field.alias or field_name
        known = told.get((name, key)) or _below(told, f"{name}.{key}") or Told(name, key, "", "")
        expects = f"*{field.description}*"
        parts.append(f"\n### {name}.{key}\n\n{expects} · {_default(field)}\n")
        if known.comment:
            parts.append(f"\n{known.comment}\n")
        if known.value:
            parts.append(f"\n    {_line(key, known)}\n")
    return "".join(parts)


def _below(told: dict[tuple[str, str], Told], table: str) -> Told | None:
    """Return what is said of the first key of a table below a table."""
    return next((each for (name, _), each in told.items() if name == table), None)


def _line(key: str, known: Told) -> str:
    if known.table.endswith(f".{key}"):
        name = f'"{known.key}"' if "." in known.key else known.key
        return f"[{known.table}] {name} = {known.value}"
    language = ".nl" if known.key in ("text", "frequency") else ""
    return f"{known.key}{language} = {known.value}"


def _default(field: Any) -> str:
    if field.is_required():
        return "must be there"
    default = field.default
    if default is PydanticUndefined:
        return "default: the same as `from`"
    if default in (None, "", ()) or default == {}:
        return "default: none"
    if isinstance(default, tuple):
        default = list(default)
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return f"default {code(shown)}"


def _paragraphs(lines: list[str]) -> str:
    text = "\n".join(lines).strip()
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text).replace("<", "&lt;").replace("*", "\\*")
