"""The privacy notice at an approval: what it says now, and what a person calls a change of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from repermit.cli.session import asking, is_terminal, tell
from repermit.domain.address import holds_at
from repermit.domain.notice import difference, normalised
from repermit.errors import ApprovalRefused
from repermit.files import shown
from repermit.ledger.store.notices import Call
from repermit.ledger.store.snapshots import snapshot_hash

if TYPE_CHECKING:
    from repermit.ledger.tables import Snapshot
    from repermit.runtime import Runtime

MATERIAL = "material"
_IMMATERIAL = re.compile(r"not material\s*:\s*(\S.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Notice:
    """The privacy notice as it was read. `text` is None where a trial goes without it; then
    `why` says why."""

    where: str
    read_at: datetime
    text: str | None
    why: str = ""

    @property
    def hash(self) -> str | None:
        """Return the content hash of its text."""
        return None if self.text is None else snapshot_hash(self.text)


async def read_notice(runtime: Runtime) -> Notice:
    """Return the privacy notice as people find it now.

    Raises: ApprovalRefused when its text cannot be read and this is no trial.
    """
    from repermit.cli.begin import left_as_in_the_example
    from repermit.respond.notice import notice_at, why

    said, web, now = runtime.config.controller, runtime.config.web, runtime.clock.now()
    if said.privacy_file:
        return Notice(shown(said.privacy_file.name), now, text_of_file(said.privacy_file))
    url, is_trial = said.privacy_url, web.is_local
    if is_trial and "controller.privacy_url" in left_as_in_the_example(runtime.config.path):
        return Notice(url, now, None, "that is still the address of the example")
    found = await notice_at(url, is_trial=is_trial)
    if isinstance(found, str):
        return Notice(url, now, found)
    if is_trial:
        return Notice(url, now, None, why(found))
    raise ApprovalRefused(
        f"the privacy notice at {url} cannot be kept as evidence: {why(found)}",
        hint="let it be read there, or give its text as a file: controller.privacy_file",
    )


def text_of_file(path: Path) -> str:
    """Return the text of a privacy notice that is a file, as it is kept."""
    return normalised(path.read_text("utf-8-sig"))


def call_of(text: str) -> tuple[bool, str]:
    """Return whether *text* calls a change material, and if it does not, why. Raises:
    BadParameter."""
    said = " ".join(text.split())
    if said.lower() == MATERIAL:
        return True, ""
    found = _IMMATERIAL.fullmatch(said)
    if found is None or holds_at(said) or not said.isprintable():
        raise typer.BadParameter(
            f'a change is called "{MATERIAL}", or "not material: " and why, naming no address'
        )
    return False, found[1]


def called(kept: Snapshot | None, notice: Notice, call: tuple[bool, str] | None) -> Call | None:
    """Return what a person calls the change of the notice since *kept*, which they are shown, and
    None when there is none; *call* is what they said already.

    Raises: ApprovalRefused when there is a change, and nobody to ask.
    """
    if kept is None or notice.hash is None or notice.text is None or notice.hash == kept.hash:
        if call is not None:
            tell("--notice-change: the privacy notice has not changed, there is nothing to call.")
        return None
    tell(f"The privacy notice ({notice.where}) has changed since it was approved:")
    for line in difference(kept.content, notice.text):
        tell(f"  {line}")
    return Call(kept.hash, notice.hash, *(call or _asked()))


def _asked() -> tuple[bool, str]:
    if not is_terminal():
        raise ApprovalRefused(
            "the privacy notice has changed since it was approved, and nobody has said what to"
            " call that",
            hint=f"look at the change, then pass --notice-change {MATERIAL}, which approves anew,"
            ' or --notice-change "not material: REASON"',
        )
    tell("Material is what somebody would want to know before they say yes: who gets the address,")
    tell("what for, for how long. A typing error is not, nor a menu beside the text.")
    while True:
        try:
            with asking("nothing was approved"):
                said = typer.prompt(f"{MATERIAL}, or not material: REASON", err=True)
            return call_of(said)
        except typer.BadParameter as failure:
            tell(f"  {failure.message}")
