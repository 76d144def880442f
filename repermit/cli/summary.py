"""What `import` prints: how it reads a list, and what became of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repermit.cli.session import counted, show, tell

if TYPE_CHECKING:
    from repermit.intake.admit import Imported, Terms
    from repermit.intake.listfile import ListFile

_FIRST_ROWS, _SAMPLE_ROWS = 3, 1000
_REJECTED = {
    "empty": "no address in the row",
    "no_at_sign": "no @ in it",
    "not_an_address": "no valid address",
    "too_long": "longer than an address can be",
    "null_mx": "the domain says that it takes no mail",
    "no_such_domain": "the domain does not exist",
    "no_mail_host": "the domain has no mail server",
}
_ENDINGS_NAMED = 5


def cure(reason: str) -> str:
    """Return what would change *reason*, as it follows it on a line, or an empty string."""
    from repermit.domain.policy import CURES, Reason

    found = CURES.get(Reason(reason), "") if reason in frozenset(Reason) else _REJECTED.get(reason)
    return f": {found}" if found else ""


def tell_reading(source: ListFile, terms: Terms) -> None:
    """Print how *source* is read, with its first rows as they are understood."""
    from repermit.intake.evidence import LEFT, month_first

    tell(f"{source.name}: {source.table.told}")
    for note in source.table.notes:
        tell(f"  {note}")
    tell(f"  columns read: {', '.join(sorted({'email', *source.fields} - {LEFT}))}")
    for name in source.columns.left:
        tell(f"  {name!r} says of some that they left: those cells, and no others, are a stop")
    if source.columns.dropped:
        tell(f"  not read and not kept: {', '.join(source.columns.dropped)}")
    for name in source.columns.yes_no:
        tell(f"  {name!r} says yes or no and is not read: if it says who may be mailed,")
        tell(f"    pass --map opted_in={name}, or --map opted_out={name} if a yes there is a stop")
    american = month_first(source.fields, [row.said for row in source.first(_SAMPLE_ROWS)])
    for row in source.first(_FIRST_ROWS):
        understood = _understood(source.fields, row.address, row.said, terms, american)
        tell(f"  line {row.line}: {understood}")


def _understood(
    fields: tuple[str, ...],
    cell: str,
    said: tuple[str, ...],
    terms: Terms,
    american: frozenset[str],
) -> str:
    """Return one row as it is understood; the address is masked."""
    from repermit.domain.address import parse
    from repermit.errors import AddressRejected
    from repermit.intake.evidence import evidence_of

    try:
        who = parse(cell).masked
    except AddressRejected as failure:
        who = f"({failure.reason})"
    known = evidence_of(fields, said, terms.defaults, meanings=terms.meanings, month_first=american)
    facts = {**vars(known.evidence), "language": known.language}
    told = [
        f"{name} {value}" for name, value in facts.items() if name in fields and value is not None
    ]
    stop = ["said stop"] if known.stop else []
    return " · ".join([who, *stop, *told, *(f"{name} ?" for name in known.unread)])


def show_imports(whole: dict[str, Any], *, dry_run: bool) -> None:
    """Print what became of the rows, by reason, and what the operator should look at."""
    show(
        f"{'would be: ' if dry_run else ''}{whole['read']:,} read = {whole['admitted']:,} admitted"
        f" + {whole['duplicates']:,} duplicates + {whole['rejected']:,} rejected"
        f" + {whole['suppressed']:,} suppressed"
    )
    show(
        f"of those admitted: {whole['listed']:,} may be asked, {whole['withheld']:,} withheld,"
        f" {whole['exempt']:,} need no question"
    )
    for reason, count in sorted(whole["reasons"].items(), key=lambda one: -one[1]):
        show(f"  {count:>8,}  {reason}{cure(reason)}")
    if whole["richer"]:
        show(f"{counted(whole['richer'], 'duplicate')} said more of somebody, and that counts now")
    if whole["differing"]:
        show(
            f"{counted(whole['differing'], 'duplicate')} said something else than what counts;"
            " to correct what is on file, take that import back first"
        )
    if not dry_run:
        numbers = " and ".join(map(str, whole["ids"]))
        tell(f"This is import {numbers}; until its first mail `import --undo ID` takes it back.")


def tell_oddities(imported: Imported) -> None:
    """Print what the operator should look at."""
    for name in sorted(imported.month_first):
        tell(f"  the dates of {name} begin with the month, as American programs write them")
    for name, count in imported.unread.items():
        meant = "a stop" if name in {"opted_out", "opted_in"} else "missing"
        tell(f"  {counted(count, 'cell')} of {name} could not be understood: taken as {meant}")
    if count := imported.stops["address"]:
        tell(f"  {counted(count, 'row')} said so beside the address: taken as a stop")
    if count := imported.stops["opted_in"]:
        tell(
            f"  {counted(count, 'row')} said no where the list asks for an opt-in: taken as a stop"
        )
    for text, count in imported.endings.most_common(_ENDINGS_NAMED):
        which = counted(count, "address", "addresses")
        tell(f"  {which} of another country's ending ({text}): is the country right?")
    kinds = {
        "typing_error": "may hold a typing error in a provider's name",
        "role_mailbox": "look like a shared mailbox: company_mailbox, if it is a legal person's",
    }
    for kind, text in kinds.items():
        if count := imported.suggested[kind]:
            tell(f"  {counted(count, 'address', 'addresses')} {text} (see --suggestions FILE)")
