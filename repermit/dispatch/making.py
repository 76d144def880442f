"""Makes each mail with its intent, and keeps what mails show before the first of them leaves."""

from __future__ import annotations

from repermit.dispatch.mail import Mail, Mailer, Variant
from repermit.dispatch.refusals import UNMAKEABLE, Unmade, why_unmade
from repermit.ledger.engine import Ledger
from repermit.ledger.store import snapshots
from repermit.ledger.store.sending import Intent, Reserved


class Making:
    """The mails of one run. `unmade` says whose cannot be made, by the reason why."""

    def __init__(self, ledger: Ledger, mailer: Mailer) -> None:
        self._ledger, self._mailer = ledger, mailer
        self._kept: dict[Variant, str] = {}
        self.unmade: dict[str, Unmade] = {}

    async def made(self, reserved: Reserved) -> tuple[Mail, Intent] | None:
        """Return the mail of a row and the intent to send it; None when it cannot be made."""
        mailer = self._mailer
        variant = mailer.variant(reserved.person, reserved.language)
        now = self._ledger.clock.now()
        due = mailer.question.due_at(now)
        try:
            mail = mailer.build(reserved.id, reserved.person, variant, due=due, now=now)
        except UNMAKEABLE as failure:
            self.unmade.setdefault(why_unmade(failure), Unmade()).add(reserved.id)
            return None
        return mail, Intent(reserved, due, self._kept.get(variant) or await self._keep(variant))

    async def _keep(self, variant: Variant) -> str:
        """Keep what mails of a kind show, and return its hash."""
        content = self._mailer.skeleton(variant).content
        await self._ledger.write(snapshots.keep_snapshot, "mail", variant.language, content)
        return self._kept.setdefault(variant, snapshots.snapshot_hash(content))
