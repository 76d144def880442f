"""What our statements are in the words of PostgreSQL.

They are written once, as SQLite reads them. What differs is said here; the functions of SQLite that
they use are made in the schema of the ledger, under the same names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

# Every function that our statements use and PostgreSQL has not, or has under another name.
FUNCTIONS: Final = """
CREATE FUNCTION max(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
 AS 'SELECT CASE WHEN $1 > $2 THEN $1 ELSE $2 END';
CREATE FUNCTION max(bigint, bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
 PARALLEL SAFE AS 'SELECT greatest($1, $2, $3)';
CREATE FUNCTION min(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
 AS 'SELECT CASE WHEN $1 < $2 THEN $1 ELSE $2 END';
CREATE FUNCTION moment() RETURNS bigint LANGUAGE sql VOLATILE
 AS 'SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)';
CREATE FUNCTION as_bytes(bytea) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
 AS 'SELECT $1';
CREATE FUNCTION as_bytes(text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
 AS 'SELECT convert_to($1, ''UTF8'')';
CREATE FUNCTION as_text(bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
 AS 'SELECT convert_from($1, ''UTF8'')';
CREATE FUNCTION as_text(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
 AS 'SELECT $1';
CREATE FUNCTION typeof(bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
 AS 'SELECT CASE WHEN $1 IS NULL THEN ''null'' ELSE ''blob'' END';
CREATE FUNCTION typeof(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
 AS 'SELECT CASE WHEN $1 IS NULL THEN ''null'' ELSE ''text'' END';
CREATE FUNCTION json_extract(text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
 AS 'SELECT CAST($1 AS json) ->> substr($2, 3)';
CREATE FUNCTION json_each(text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE STRICT
 PARALLEL SAFE AS 'SELECT * FROM json_array_elements_text(CAST($1 AS json))';
CREATE FUNCTION json_each(text, text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE STRICT
 PARALLEL SAFE
 AS 'SELECT * FROM json_array_elements_text(CAST($1 AS json) -> substr($2, 3))';
"""

_TOKEN = re.compile(
    r"'(?:[^']|'')*'"  # a text
    r'|"[^"]*"'  # a name
    r"|\?\d*|:[a-z_]+"  # a value
    r"|[^'\"?:]+|:"
)
_IDS = r"\(SELECT value FROM json_each\(([$\d]+)\)\)"
_RULES: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        # ids: an array of numbers, which PostgreSQL finds by the index
        (
            rf"\bNOT IN {_IDS}",
            r"<> ALL (ARRAY(SELECT CAST(value AS bigint) FROM json_each(CAST(\1 AS text))))",
        ),
        (
            rf"\bIN {_IDS}",
            r"= ANY (ARRAY(SELECT CAST(value AS bigint) FROM json_each(CAST(\1 AS text))))",
        ),
        (r"\bjson_each\(([$\d]+)\)", r"json_each(CAST(\1 AS text))"),
        (r"\bIS NOT (\$\d+|')", r"IS DISTINCT FROM \1"),
        (r"\bIS (\$\d+|')", r"IS NOT DISTINCT FROM \1"),
        (r"\bCAST\(([\w.]+) AS BLOB\)", r"as_bytes(\1)"),
        (r"\bCAST\(([\w.]+) AS TEXT\)", r"as_text(\1)"),
        (r"\bAS INTEGER\)", "AS bigint)"),
        (r"(?<=[\s(])\+(?=(?:recipient\.)?standing\b)", ""),  # SQLite: do not use its index
    )
)


class Said(NamedTuple):
    """A statement as PostgreSQL reads it, and the names of its values, if it names them."""

    sql: str
    names: tuple[str, ...]
    is_query: bool  # reads only, so that its rows may come one after the other


@lru_cache(maxsize=1024)
def said(sql: str) -> Said:
    """Return *sql* as PostgreSQL reads it: `?`, `?2` and `:name` are values."""
    names: list[str] = []
    parts: list[str] = []
    texts: list[str] = []  # kept away from the rules
    count = 0
    for token in _TOKEN.findall(sql):
        match token[0]:
            case "'":
                texts.append(token)
                parts.append(f"'{len(texts) - 1}'")
            case "?":
                count = int(token[1:]) if len(token) > 1 else count + 1
                parts.append(f"${count}")
            case ":" if len(token) > 1:
                name = token[1:]
                if name not in names:
                    names.append(name)
                parts.append(f"${names.index(name) + 1}")
            case _:
                parts.append(token)
    text = "".join(parts)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    text = re.sub(r"'(\d+)'", lambda found: texts[int(found[1])], text)
    return Said(text, tuple(names), sql.lstrip().startswith(("SELECT", "WITH")))
