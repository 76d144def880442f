"""The commands with their arguments and options, of typer's own objects."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

import typer

from repermit.cli import app
from tests.docs.reference.markdown import MADE, code, table

_GROUPS = ("Prepare", "Ask", "Answers", "Finish", "Proof", "Operate")
_HEAD = f"""# Commands
{MADE}
Every command with what it takes, in the order of `repermit --help`, which shows the same in a terminal
(`repermit COMMAND --help` for one). What they print with `--json` is in [json.md](json.md), how they end in
[exit-codes.md](exit-codes.md).

    repermit [--config FILE] COMMAND …

`--config` names the config, `config.toml` in this folder unless said; so does the environment variable
`REPERMIT_CONFIG`. Results go to standard output; progress and messages to standard error.
"""


def page() -> str:
    """Return the page."""
    program: Any = typer.main.get_command(app)
    context = typer.Context(program, info_name="repermit")
    parts = [_HEAD]
    for group in _GROUPS:
        parts.append(f"\n## {group}\n")
        for name, command in program.commands.items():
            if command.rich_help_panel == group and not command.hidden:
                parts += _sections(command, context, name)
    return "".join(parts)


def _sections(command: Any, above: Any, name: str) -> Iterator[str]:
    """Yield a section for the command, and one for each below it."""
    context = typer.Context(command, info_name=name, parent=above)
    below = getattr(command, "commands", {})
    yield f"\n### {context.command_path}\n\n{_said(command)}\n"
    pieces = " ".join(command.collect_usage_pieces(context))
    if not below or command.invoke_without_command:
        yield f"\n    {context.command_path} {pieces}\n"
    shown = [each for each in command.params if not each.hidden]
    if rows := table(("", "what", "default"), (_row(each, context) for each in shown)):
        yield f"\n{rows}"
    for child, inner in below.items():
        yield from _sections(inner, context, child)


def _said(command: Any) -> str:
    paragraphs = cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(" ".join(each.split("\n")) for each in paragraphs)


def _row(parameter: Any, context: Any) -> tuple[str, str, str]:
    takes = parameter.metavar or _kind(parameter.display_type(context).strip("<>"))
    if parameter.param_type_name == "argument":
        name = takes
    else:
        name = parameter.opts[0] if parameter.is_flag else f"{parameter.opts[0]} {takes}"
    return code(name), parameter.help or _plainly(parameter.opts[0]), _default(parameter)


def _kind(typed: str) -> str:
    """Return a word for what a value is; a choice shows its values."""
    if "|" in typed:
        return typed
    if typed.startswith(("int", "float")):
        return "N"
    return {"path": "FILE", "%Y-%m-%d": "DATE"}.get(typed, "TEXT")


def _plainly(names: str) -> str:
    return {"--json": "Print exactly one JSON object."}.get(names, "")


def _default(parameter: Any) -> str:
    if parameter.required:
        return "must be given"
    default = parameter.default
    if default in (None, "", False, ()) or callable(default):
        return ""
    return code(str(getattr(default, "value", default)))
