"""The formats of an export: our own, and those that three newsletter tools document for import.

In what a spreadsheet may open no cell begins as a formula: such an address is written with its
local part in quotes, which is the same address, and never that of somebody else.

Source: RFC 5321 section 4.1.2 (Quoted-string); OWASP, CSV Injection.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

from repermit.domain.clock import iso
from repermit.ledger.store.reading import Exported

_FORMULA = ("=", "+", "-", "@")  # what a cell of a formula begins with


class Writes(Protocol):
    """Where the lines of an export go."""

    def write(self, text: str, /) -> object:
        """Take a part of the file."""


@dataclass(frozen=True)
class Line:
    """One row of an export, with the link by which that person withdraws ("" for who must
    stop)."""

    row: Exported
    withdraw: str

    @property
    def moment(self) -> str:
        """Return when, in UTC."""
        return iso(self.row.confirmed_at) or ""

    @property
    def proof(self) -> str:
        """Return the number of the entry in the log."""
        return "" if self.row.leaf is None else str(self.row.leaf)

    def facts(self) -> dict[str, Any]:
        """Return everything but the address, for JSON."""
        return {
            "confirmed_on": iso(self.row.confirmed_at),
            "purposes": list(self.row.purposes),
            "language": self.row.language,
            "proof": self.row.leaf,
            "withdraw": self.withdraw or None,
        }


@dataclass(frozen=True)
class Format:
    """How the rows of an export are written, and how a tool takes them in."""

    columns: tuple[str, ...]
    cells: Callable[[Line], tuple[str, ...]]
    confirmed: str  # how those who said yes are imported, so that nobody asks them again
    stopped: str  # how those who must stop are
    delimiter: str = ","

    def write(self, file: Writes, lines: Iterable[Line]) -> int:
        """Write every line to *file* and return how many there were."""
        if not self.columns:
            return _counted(file.write(_json(line)) for line in lines)
        writer = csv.writer(file, delimiter=self.delimiter)
        writer.writerow(self.columns)
        return _counted(writer.writerow(map(unlike_formula, self.cells(line))) for line in lines)


def unlike_formula(cell: str) -> str:
    """Return *cell* as text for any spreadsheet; an address stays the address that it is."""
    if not cell.startswith(_FORMULA):
        return cell
    local, at, domain = cell.rpartition("@")
    return f'"{local}"@{domain}' if at and local else f"'{cell}"


def _counted(written: Iterator[object]) -> int:
    return sum(1 for _ in written)


def _json(line: Line) -> str:
    return json.dumps({"email": line.row.mailbox, **line.facts()}, ensure_ascii=False) + "\n"


def _day(line: Line) -> str:
    return line.moment[:10]


_OURS = (
    "import them as confirmed, or they will be asked again",
    "take them off the list there, or block them, so that no import brings them back",
)
FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "csv": Format(
            ("email", "confirmed_on", "purposes", "language", "proof", "withdraw"),
            lambda line: (
                *(line.row.mailbox, line.moment, " ".join(line.row.purposes)),
                *(line.row.language or "", line.proof, line.withdraw),
            ),
            *_OURS,
        ),
        "jsonl": Format((), lambda _: (), *_OURS),
        # listmonk.app/docs/apis/import and internal/subimporter of knadh/listmonk (stored copies,
        # looked up 2026-11-22): columns email, name, attributes (JSON); others are passed over.
        "listmonk": Format(
            ("email", "name", "attributes"),
            lambda line: (line.row.mailbox, "", json.dumps(line.facts(), ensure_ascii=False)),
            "Subscribers, Import: mode Subscribe, status Confirmed (API: subscription_status"
            " confirmed); as Unconfirmed they get nothing on a double opt-in list until they"
            " are asked again",
            "Subscribers, Import: mode Blocklist",
        ),
        # Mailchimp, "Format Guidelines for Your Import File" (quickbooks.intuit.com, L2vWNJI7C; a
        # stored copy, looked up 2026-11-22): a column of addresses, any others, text to 255 bytes.
        "mailchimp": Format(
            ("Email Address", "Confirmed On", "Purposes", "Language", "Proof", "Withdraw"),
            lambda line: (
                *(line.row.mailbox, _day(line), " ".join(line.row.purposes)),
                *(line.row.language or "", line.proof, line.withdraw),
            ),
            "Import contacts: marketing status Subscribed; not through a signup form with double"
            " opt-in, which would ask them again",
            "Import contacts: marketing status Unsubscribed, updating those who are there",
        ),
        # Brevo, "Create a file to import your contacts" (help.brevo.com, 208729849) and API "Import
        # contacts" (stored copies, looked up 2026-11-22): EMAIL, attributes in capitals, `;`.
        "brevo": Format(
            ("EMAIL", "CONFIRMED_ON", "PURPOSES", "LANGUAGE", "PROOF", "WITHDRAW"),
            lambda line: (
                *(line.row.mailbox, _day(line), " ".join(line.row.purposes)),
                *(line.row.language or "", line.proof, line.withdraw),
            ),
            "import them into the list itself; not through a form or automation with double"
            " opt-in, which would ask them again",
            "import them as blocklisted (API: emailBlacklist true)",
            delimiter=";",
        ),
    }
)
