"""JSON Lines."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repermit.errors import ListUnreadable
from repermit.intake.readers.jsonl import ObjectTable, is_jsonl, open_table


def objects(*lines: str, encoding: str = "utf-8") -> ObjectTable:
    return open_table(io.BytesIO("\n".join(lines).encode(encoding)), encoding)


def only(line: str) -> dict[str, str] | None:
    """Return the cells of the one object, or None when it has none."""
    table = objects(line)
    [(number, cells)] = table.records()
    assert number == 1
    return None if cells is None else dict(zip(table.header, cells, strict=True))


def test_an_object_is_a_record() -> None:
    table = objects(
        '{"email": "an@x.be", "land": "BE"}', "  ", '{"id": 12, "email": "bo@x.be", "ok": true}', ""
    )

    assert table.header == ("email", "land", "id", "ok")
    assert list(table.records()) == [
        (1, ["an@x.be", "BE", "", ""]),
        (3, ["bo@x.be", "", "12", "true"]),
    ]
    assert list(table.records()) == list(table.records())
    assert (table.told, table.notes) == ("UTF-8, JSON Lines, 4 keys", ())


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('{"a": null, "b": false, "c": 1.50, "d": -0}', {"a": "", "b": "false", "c": "1.50"}),
        ('{"a": ["x", 1, null, true, ["y"]]}', {"a": "x, 1, true, y"}),
        ('{"address": {"email": "an@x.be"}}', {"address.email": "an@x.be"}),
        ('{"a": [{"b": "x"}, {"b": "y", "c": 1}]}', {"a.b": "x, y", "a.c": "1"}),
        ('{"a": {"b": {"c": 1}}, "d": 2}', {"d": "2"}),
        ('{"a": "x", "a": "y"}', {"a": "x, y"}),
        ('{"a.b": "x", "a": {"b": "y"}}', {"a.b": "x, y"}),
        ('{"a": 1e999, "b": NaN, "c": -Infinity}', {"a": "1e999", "b": "NaN", "c": "-Infinity"}),
        ('{"a": "\\ud83d\\ude00 \\ud800"}', {"a": "😀 ?"}),
        ('{"\\udc00": "x"}', {"?": "x"}),
        ('{"a": "tab\there"}', {"a": "tab\there"}),
        ('\ufeff{"a": "x"} \r', {"a": "x"}),
        ("{}", {}),
    ],
)
def test_values_become_text(line: str, cells: dict[str, str]) -> None:
    said = only(line)

    assert said is not None
    assert said | cells == said


@pytest.mark.parametrize(
    "line",
    ["[1]", "null", "12", '"an@x.be"', "an@x.be", '{"a": 1', "{'a': 1}", '{"a": 1}{"a": 2}', "NaN"],
)
def test_a_line_that_is_no_object_is_a_record_without_cells(line: str) -> None:
    assert only(line) is None
    assert list(objects('{"a": "x"}', line, '{"a": "y"}').records()) == [
        (1, ["x"]),
        (2, None),
        (3, ["y"]),
    ]


def test_deep_nesting_and_huge_numbers_stop_nobody() -> None:
    table = objects(
        '{"a": ' + "[" * 100_000,
        '{"a": ' + "[" * 900 + "1" + "]" * 900 + "}",
        '{"a": ' + '{"a": ' * 5000 + "1" + "}" * 5001,
        '{"a": ' + "9" * 10_000 + "}",
        '{"a": "x"}',
    )

    records = list(table.records())

    assert [line for line, _ in records] == [1, 2, 3, 4, 5]
    assert records[3:] == [(4, ["9" * 10_000]), (5, ["x"])]


def test_keys_beyond_some_hundred_are_counted() -> None:
    many = json.dumps({f"k{at}": at for at in range(500)})
    long = json.dumps({"k" * 201: "x"})

    table = objects('{"email": "an@x.be"}', many, many, long)

    assert len(table.header) == 200
    assert table.header[:2] == ("email", "k0")
    assert table.notes == ("not read: 302 further keys",)
    assert objects(
        *[json.dumps({f"k{n}-{at}": 1 for at in range(99)}) for n in range(200)]
    ).notes == ("not read: at least 10000 further keys",)


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(ListUnreadable, match="over a megabyte"):
        objects('{"a": 1}', json.dumps({"a": "x" * (1 << 20)}))


def test_a_key_that_occurs_without_end_is_read() -> None:
    assert only("{" + ",".join(['"a":1'] * 100_000) + "}") == {"a": ", ".join("1" * 100_000)}


def test_another_encoding_is_read() -> None:
    for encoding in ("cp1252", "utf-16", "utf-8-sig"):
        assert list(objects('{"a": "Zoë"}', encoding=encoding).records()) == [(1, ["Zoë"])]


@pytest.mark.parametrize(
    ("start", "known"),
    [
        ('{"a": 1}\n{"a": 2}\n', True),
        ('\ufeff\r\n{"a": 1}\r\n{"a": 2}', True),
        ('{"a": 1}', True),
        ('{"a": 1}\n{"a": "cut', True),
        ('{"a": "cut', True),
        ('{"a": 1}\nbroken\n{"a": 2}\n', True),
        ('{"a": "\u2028"}\n', True),
        ('{\n  "a": 1\n}\n', False),
        ('[{"a": 1}]\n', False),
        ("{an@x.be}\n{bo@x.be}\n", False),
        ("email;land\n", False),
        ("\n", False),
        ("", False),
    ],
)
def test_json_lines_are_known_by_their_first_lines(start: str, known: bool) -> None:
    assert is_jsonl(start) is known


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=6), st.booleans())
def test_every_line_is_one_record(values: list[Any], ascii_only: bool) -> None:
    table = objects(*[json.dumps(value, ensure_ascii=ascii_only) for value in values])

    records = list(table.records())

    assert [line for line, _ in records] == list(range(1, len(values) + 1))
    assert [cells is None for _, cells in records] == [not isinstance(v, dict) for v in values]
    assert records == list(table.records())


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text('{}[]":,\\ud\n0.eE-a', max_size=60).map(str.encode))
def test_bytes_of_any_kind_are_read_or_refused(content: bytes) -> None:
    for encoding in ("utf-8", "cp1252", "utf-16"):
        try:
            table = open_table(io.BytesIO(content), encoding)
        except ListUnreadable:
            continue
        records = list(table.records())
        assert records == list(table.records())
        assert all(cells is None or len(cells) == len(table.header) for _, cells in records)
        for _, cells in records:
            "".join(cells or ()).encode("utf-8")
