"""What one person saw, written to a folder for the desk that answers them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from repermit.cli.session import tell
from repermit.errors import RepermitError
from repermit.files import new_folder, whole

if TYPE_CHECKING:
    from repermit.cli.whom import Whom
    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime

_HASH = 12  # characters of the hash of a privacy notice, in the name of its file


async def write_shown(runtime: Runtime, ledger: Ledger, who: Whom, folder: Path) -> list[str]:
    """Write what somebody saw to the new *folder*, and return the names of the files.

    Raises: RepermitError when they saw nothing; FileRefused. Nothing is left of it then.
    """
    from repermit.cli.evidence import Saw
    from repermit.ledger.store.written import note_file
    from repermit.report.dossier import Seen, shown_to

    seen, found = Seen(), who.found
    if found is not None:
        mail, kept = await ledger.read(shown_to, found)
        seen = Saw(runtime).seen(found, mail, kept)
        for hashed, each in kept.items():
            if each.kind == "notice":  # the same for everybody: nothing in it is to be filled in
                seen.files[f"notice-{hashed[:_HASH]}.txt"] = each.content
    if not seen.files:
        raise RepermitError(
            "no mail of theirs is on file, so there is nothing to show",
            hint="leave out --shown to see what is",
        )
    with new_folder(folder):
        for name, content in seen.files.items():
            path = folder / Path(name).name
            with whole(path) as file:
                file.write(content.encode())
                await ledger.write(note_file, path, "shown")
    for name in seen.lost:
        tell(f"{Path(name).name}: this release cannot fill it in; `proof bundle --only` keeps it.")
    return [Path(name).name for name in seen.files]
