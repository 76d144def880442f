"""How commands end: the exit codes and every failure that is expected, of repermit/errors.py."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from textwrap import dedent

from repermit import errors
from repermit.errors import RepermitError
from tests.docs.reference.markdown import MADE, code, table

_HEAD = f"""# Exit codes and refusals
{MADE}
How a command ends, for scripts, and every refusal that is expected, for whoever reads the source. A refusal
is one line why and one line what to do, on standard error; with `--json` it is one object on standard output
with `error`, `hint`, and what the last column names.

| code | meaning |
|---|---|
| 0 | done |
| 1 | refused or failed: why, and what to do |
| 2 | wrong usage, or a config that does not describe a campaign |
| 75 | of `repermit inbound -` only, which an MTA calls: the message is not kept, try again |
| 130 | interrupted after a clean stop: what was done is on file |

A refusal has a name in the source, `repermit/errors.py`:

"""


def page() -> str:
    """Return the page."""
    rows = [
        (code(name), str(failure.exit_code), _first(failure), _keys(failure))
        for name, failure in _failures()
    ]
    return _HEAD + table(("refusal", "code", "what it says", "more in JSON"), rows)


def _failures() -> Iterator[tuple[str, type[RepermitError]]]:
    for name, found in vars(errors).items():
        if isinstance(found, type) and issubclass(found, RepermitError):
            yield name, found


def _first(failure: type[RepermitError]) -> str:
    return (inspect.getdoc(failure) or "").partition("\n\n")[0]


def _keys(failure: type[RepermitError]) -> str:
    """Return the keys that its `details` adds, read from its source."""
    if failure.details is RepermitError.details:
        return ""
    tree = ast.parse(dedent(inspect.getsource(failure.details)))
    returned = next(each.value for each in ast.walk(tree) if isinstance(each, ast.Return))
    assert isinstance(returned, ast.Dict)
    found = [each.value for each in returned.keys if isinstance(each, ast.Constant)]
    return ", ".join(code(str(each)) for each in found)
