"""Every refusal says what to do."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import repermit
from repermit import errors
from repermit.errors import RepermitError

_SOURCES = sorted(Path(repermit.__file__).parent.rglob("*.py"))


def kinds(of: type[RepermitError] = RepermitError) -> Iterator[type[RepermitError]]:
    """Yield every kind of refusal that is declared, the base first."""
    yield of
    for each in of.__subclasses__():
        yield from kinds(each)


_DECLARED = {each.__name__: each for each in kinds() if each.__module__ == errors.__name__}
_OWN_HINT = {
    name for name, kind in _DECLARED.items() if "hint" not in inspect.signature(kind).parameters
}


def calls() -> Iterator[tuple[Path, ast.Call, str]]:
    """Yield every place that makes a refusal."""
    for path in _SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in _DECLARED:
                yield path, node, node.func.id


def test_every_place_that_refuses_says_what_to_do() -> None:
    """A kind that takes no hint has one of its own, which the next test looks at."""
    silent = [
        f"{path.name}:{call.lineno}"
        for path, call, name in calls()
        if name not in _OWN_HINT and not any(word.arg in ("hint", None) for word in call.keywords)
    ]
    empty = [
        f"{path.name}:{call.lineno}"
        for path, call, _ in calls()
        for word in call.keywords
        if word.arg == "hint" and isinstance(word.value, ast.Constant) and not word.value.value
    ]

    assert len(list(calls())) > 100
    assert (silent, empty) == ([], [])


@pytest.mark.parametrize("name", sorted(_OWN_HINT))
def test_a_refusal_with_words_of_its_own_ends_with_a_hint(name: str) -> None:
    source = inspect.getsource(_DECLARED[name].__init__)
    handed = [
        word.value
        for node in ast.walk(ast.parse(dedent(source)))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "hint"
    ]

    assert handed, name
    assert not any(isinstance(each, ast.Constant) and not each.value for each in handed)


def test_the_tree_on_top_names_every_kind() -> None:
    assert [
        name for name in _DECLARED if f"─ {name} " not in f"{errors.__doc__}─ RepermitError "
    ] == []
