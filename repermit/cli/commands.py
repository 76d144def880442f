"""The commands by name: in which group each stands, what it does in a line, and who has it.

A command is loaded when it is asked for: the help, and every other command, start without it.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

# group → command → (the module in `repermit.cli` that registers it, what it does); both in the
# order in which one needs them.
GROUPS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Prepare": {
        "init": ("prepare", "Begin a campaign: write its config and its keys."),
        "import": ("imports", "Take in a list; nobody is mailed by it."),
        "suppress": ("suppress", "Say who must never be mailed."),
        "screen": ("prepare", "Apply the policy again, and see who may be asked."),
        "check": ("check", "See whether everything is ready for the first mail."),
        "preview": ("look", "Look at every mail and page before anybody else does."),
        "test-mail": ("look", "Send the mail to yourself."),
        "approve": ("look", "Approve exactly this; without it nothing is sent."),
    },
    "Ask": {
        "send": ("ask", "Ask everyone who is listed, once each."),
        "pause": ("ask", "Hold the sending."),
        "resume": ("ask", "Let the sending go on."),
        "doubt": ("doubt", "Decide on mails that may or may not be out."),
    },
    "Answers": {
        "serve": ("answers", "Serve the pages on which people answer."),
        "probe": ("probe", "See whether a recipient can answer right now."),
        "inbound": ("inbound", "Read what came back: bounces, complaints, replies."),
    },
    "Finish": {
        "handover": ("handover", "Write who may be mailed and who must be removed elsewhere."),
        "purge": ("finish", "Erase who said no or nothing by the date in their mail."),
        "export": ("handing", "Write who said yes, as it stands now."),
        "withdraw": ("withdraw", "Take in who unsubscribed elsewhere."),
        "close": ("close", "End the campaign."),
    },
    "Proof": {
        "proof": ("proof", "Verify the log, and take evidence out of it."),
        "report": ("report", "Write the figures as one page, to read, print or pass on."),
        "papers": ("papers", "Write the papers that the law asks for."),
    },
    "Operate": {
        "status": ("operate", "See where the campaign stands, or several of them."),
        "run": ("running", "Serve, send, read and purge, all in one process."),
        "person": ("operate", "See what is on file about one person, and act on it."),
        "backup": ("operate", "Copy the ledger and the keys, while they are in use."),
        "restore": ("operate", "Put a copy of the ledger back."),
        "keys": ("keys", "Change the keys that sign the links."),
        "migrate-ledger": ("migrate", "Move the ledger to PostgreSQL."),
        "demo": ("operate", "See the whole path in a minute, on this machine only."),
    },
}
_MODULES: Final = {name: module for group in GROUPS.values() for name, (module, _) in group.items()}


class Commands(MutableMapping[str, Any]):
    """Every command by its name, made when it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            from repermit.cli.examples import add_examples

            found = family(_MODULES[name])[name]
            add_examples(found, (name,))
            self._made[name] = found
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


def family(module: str) -> dict[str, Any]:
    """Return the commands, by name, that a module of `repermit.cli` registers."""
    made = typer.Typer(rich_markup_mode=None)
    import_module(f"repermit.cli.{module}").register(made)
    return dict(typer.main.get_group(made).commands)


class Program(TyperGroup):
    """The whole program: its help says what each command does, and loads none of them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": Commands()})

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's name
        """Write the groups, and below them what to type for more."""
        width = max(map(len, _MODULES))
        for group, commands in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl(
                    [(f"{name:<{width}}", what) for name, (_, what) in commands.items()]
                )
        formatter.write_paragraph()
        formatter.write_text("`repermit COMMAND --help` explains a command, with examples.")
