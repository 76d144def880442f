"""Notices: what those whom the config names under `[notices]` are told by mail.

They are owed in the outbox and delivered by `send`; each carries the signed root of the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repermit.report import papers

if TYPE_CHECKING:
    from repermit.ledger.transaction import Transaction
    from repermit.runtime import Runtime


@dataclass(frozen=True)
class Telling:
    """One thing to tell: `about` in a word, `once` so that nobody is told it twice, the text, whose
    first line is the subject, and the reasons of the purge that it announces."""

    about: str
    once: str
    text: str
    reasons: Sequence[str] = ()


def told(runtime: Runtime, kind: str, once: str, facts: Mapping[str, Any]) -> Telling:
    """Return the notice *kind* in the campaign's default language, or in English.

    Raises: WordingIncomplete.
    """
    campaign = runtime.config.campaign
    language = papers.language_of(campaign.default_language)
    context = {
        "campaign": campaign.name,
        "controller": runtime.config.controller.name,
        **papers.words(language, campaign.zone),
        **facts,
    }
    text = runtime.templates.render(f"notice/{kind}.{language}.txt.j2", context)
    return Telling(about=kind, once=once, text=text.strip())


def tell_all(tx: Transaction, runtime: Runtime, telling: Telling) -> int:
    """Owe *telling* to everybody whom the config names and who was not told it yet; return to how
    many."""
    from repermit.ledger.store import purges
    from repermit.ledger.store.owing import Notice, owe_notice

    config = runtime.config
    subject, _, text = telling.text.partition("\n")
    notice = Notice(
        about=telling.about,
        once=telling.once,
        subject=" ".join(subject.split()),
        lines=text.strip().splitlines(),
        root=runtime.signing.sign(*purges.log_now(tx)),
        reasons=telling.reasons,
    )
    language = config.campaign.default_language
    return sum(owe_notice(tx, each, notice, language=language) for each in config.notices.to)
