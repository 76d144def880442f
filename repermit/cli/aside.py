"""What lies in the quarantine, as `inbound`, `run`, `status` and `person --erase` tell it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repermit.cli.session import counted
from repermit.domain.clock import iso
from repermit.files import LONGEST_PATH, shown

if TYPE_CHECKING:
    from repermit.runtime import Runtime


WHAT = "forged, unreadable, not of this campaign or because of us"


def quarantined(runtime: Runtime) -> dict[str, Any]:
    """Return how many messages lie in the quarantine, where, and until when the first does."""
    from repermit.cli.incoming import quarantine_of

    quarantine = quarantine_of(runtime)
    found = quarantine.waiting()
    folder = name_of(quarantine.folder, runtime)
    return {"messages": found.messages, "folder": folder, "until": iso(found.until)}


def line(found: Mapping[str, Any]) -> str:
    """Return the same in words; empty when nothing lies there."""
    if not found["messages"]:
        return ""
    count = counted(found["messages"], "message lies", "messages lie")
    return (
        f"{count} in {found['folder']}, {WHAT}: look into"
        f" it before {found['until']}, when the first is removed"
    )


def name_of(folder: Path, runtime: Runtime) -> str:
    """Return a folder as it may be shown, as it stands beside the config where it does."""
    near = folder.is_relative_to(runtime.config.folder)
    name = folder.relative_to(runtime.config.folder) if near else folder
    return shown(str(name), longest=LONGEST_PATH)
