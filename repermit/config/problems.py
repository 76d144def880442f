"""What is wrong with a config, in sentences: `config.toml:12: web.bind: what; expected what`."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from repermit.config.consistency import Fault
from repermit.config.lines import Lines, Loc
from repermit.config.tables import Tables

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_SECRETS = ("password", "passwd", "secret", "relay_password", "smtp_password")
_WHAT = {
    "bool_type": "is neither true nor false",
    "dict_type": "is not a table",
    "finite_number": "is not a number",
    "float_type": "is not a number",
    "greater_than": "is too small",
    "greater_than_equal": "is too small",
    "int_type": "is not a whole number",
    "less_than_equal": "is too large",
    "literal_error": "is neither of the two",
    "mapping_type": "is not a table",
    "missing": "is missing",
    "model_type": "is not a table",
    "string_pattern_mismatch": "is not written the right way",
    "string_too_short": "is empty",
    "string_type": "is not a text in quotes",
    "tuple_type": "is not a list",
}


def faults(invalid: ValidationError) -> list[Fault]:
    """Return what pydantic found, each with its place and a sentence of our own."""
    return [
        _fault(error)
        for error in invalid.errors(include_input=False, include_url=False)
        if error["type"] != "default_factory_not_called"  # follows from another fault
    ]


def sentences(found: Iterable[Fault], lines: Lines, *, file: str) -> list[str]:
    """Return one sentence a place, in order of line; what has no line comes last."""
    first: dict[Loc, str] = {}
    for loc, message in found:
        first.setdefault(loc, message)
    placed = [(lines.of(loc), f"{_label(loc)}: {message}") for loc, message in first.items()]
    placed.sort(key=lambda each: (each[0] is None, each[0] or 0))
    return [f"{file}:{line}: {text}" if line else f"{file}: {text}" for line, text in placed]


def syntax(error: Exception, text: str, *, file: str) -> str:
    """Return what keeps *text* from being TOML, with its line when the parser names it."""
    if not (at := _AT.search(str(error))):
        return f"{file}: this is not TOML; a number or a nesting in it has no bounds"
    line = at[1] or text.count("\n") + 1
    return f"{file}:{line}: this is not TOML: {_AT.sub('', str(error))}"


def _fault(error: Any) -> Fault:
    loc: Loc = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        return loc, _unknown(loc)
    if error["type"] == "value_error":
        what = str(error["ctx"]["error"])
    else:
        what = _WHAT.get(error["type"], "is not right")
    return loc, f"{what}; expected {_expected(loc)}"


def _unknown(loc: Loc) -> str:
    """Return that a key is unknown, with the nearest that is known."""
    name = str(loc[-1])
    if difflib.get_close_matches(name.lower(), _SECRETS, n=1, cutoff=0.7):
        return "is not known, and a secret never stands here; expected REPERMIT_RELAY_PASSWORD"
    known = _keys(_model(loc[:-1]))
    if near := difflib.get_close_matches(name, known, n=1, cutoff=0.5):
        return f"is not known; did you mean {near[0]}?"
    return f"is not known; expected one of {', '.join(known)}"


def _expected(loc: Loc) -> str:
    """Return what the key at *loc* expects: the description nearest to it."""
    expected = ""
    for size, name in enumerate(loc):
        if field := _keys(_model(loc[:size])).get(str(name)):
            expected = str(field.description)
    return expected


def _model(loc: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the table that stands at *loc*, or None when it is no table of known keys."""
    model: type[BaseModel] | None = Tables
    for name in loc:
        if isinstance(name, str):
            field = _keys(model).get(name)
            model = _inside(field.annotation) if field else None
    return model


def _inside(annotation: Any) -> type[BaseModel] | None:
    """Return the table inside *annotation*: `Web`, or the `Purpose` of `tuple[Purpose, ...]`."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _keys(model: type[BaseModel] | None) -> Mapping[str, FieldInfo]:
    fields = model.model_fields if model else {}
    return {field.alias or name: field for name, field in fields.items()}


def _label(loc: Loc) -> str:
    """Return *loc* as a person writes it; elements are counted from 1: `purposes[2].text.nl`."""
    label = ""
    for part in loc:
        if isinstance(part, int):
            label += f"[{part + 1}]"
        else:
            label += f".{part}" if _BARE.fullmatch(part) else f".{json.dumps(part)}"
    return label.removeprefix(".")
