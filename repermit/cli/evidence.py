"""Puts together what a bundle of evidence is made with: the words, the pages, the mail."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repermit import __version__
from repermit.cli.assembly import mailer, pages
from repermit.cli.listing import listed_file
from repermit.cli.session import tell
from repermit.domain.address import Address, parse
from repermit.domain.record import Consent
from repermit.domain.standing import Presses
from repermit.errors import NoConsent, PersonUnknown
from repermit.ledger.mark import Mark, MarkFile
from repermit.ledger.store import answering, evidence, reading
from repermit.ledger.store.answering import Asked
from repermit.ledger.store.consent import standing_consent
from repermit.ledger.store.reading import OnFile
from repermit.ledger.transaction import Transaction
from repermit.report.bundle import Maker, bundle
from repermit.report.dossier import Kept, Seen, bundle_of
from repermit.respond.rights import Recorded, Rights

if TYPE_CHECKING:
    from repermit.runtime import Runtime

_LANGUAGES = ("nl", "fr", "de", "en")
_TOML = re.compile(  # a string, or a comment, with its line if it has one for itself
    r"""("{3}(?:\\.|[^\\])*?"{3,}|'{3}.*?'{3,}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
    r"|^[ \t]*\#[^\n]*\n?|[ \t]*\#[^\n]*",
    re.MULTILINE | re.DOTALL,
)
_OPENS, _CLOSES = r"""(?:"{3}|'{3}|["'])\s*""", r"""(?:"{3}|'{3}|["'])"""
_SECRETS = (  # of a URL that is all of a string, then of one within a text
    (re.compile(rf"^({_OPENS}[\w+.-]+://).*@", re.DOTALL), r"\1…@"),
    (re.compile(r"""(://)[^\s"']*@"""), r"\1…@"),
    (re.compile(rf"^({_OPENS}[\w+.-]+://[^?#]*)[?#].*?({_CLOSES})$", re.DOTALL), r"\1\2"),
    (re.compile(r"""(://[^\s?#"']*)[?#][^\s"']*"""), r"\1"),
)


async def make_bundle(runtime: Runtime, out: Path, text: str | None) -> int:
    """Write the evidence of the campaign, or of the person whose address *text* is, to *out*, and
    return how many people it names.

    Raises: AddressRejected, PersonUnknown, ProofBroken, FileRefused.
    """
    maker = _maker(runtime)
    async with runtime.ledger() as ledger:
        if text is None:
            return await bundle(ledger, out, maker, tell=tell)
        saw = Saw(runtime)
        return await bundle_of(ledger, out, maker, parse(text), saw.seen, tell=tell)


async def make_receipt(runtime: Runtime, text: str) -> Recorded:
    """Return the record of the yes of the person whose address *text* is.

    Raises: AddressRejected, PersonUnknown, NoConsent, ProofBroken.
    """
    address = parse(text)
    async with runtime.ledger(acts=False) as ledger:
        mark = MarkFile(ledger.vault.keys.mark).read()
        asked, consent = await ledger.read(_yes_of, address, mark)
        url = runtime.config.web.public_url
        rights = Rights(ledger, runtime.tokens, pages(runtime), public_url=url)
        return rights.recorded(asked, consent, json_url="")


def _yes_of(tx: Transaction, address: Address, mark: Mark | None) -> tuple[Asked, Consent]:
    """Return whose yes stands at *address*, and the yes, from one snapshot that verifies."""
    evidence.proven(tx, mark)
    found = reading.find(tx, address)
    if found is None:
        raise PersonUnknown
    asked, consent = answering.asked(tx, found.id), standing_consent(tx, found.id)
    if asked is None or consent is None:
        raise NoConsent(str(found.standing))
    return asked, consent


def write_receipt(runtime: Runtime, recorded: Recorded, out: Path) -> None:
    """Write a record to a new file, as a page or as JSON, by its name. Raises: FileRefused."""
    is_page = out.suffix.lower() == ".html"
    as_json = json.dumps(recorded.content, ensure_ascii=False, indent=2)
    content = recorded.page if is_page else f"{as_json}\n"
    with listed_file(runtime, out, "receipt") as file:
        file.write(content.encode())


def without_users(config: str) -> str:
    """Return the text of a config without what may be a secret: who logs in at a URL, what is
    asked of it (`?password=`), and every comment."""
    return _TOML.sub(lambda found: _without_secrets(found[1] or ""), config)


def _without_secrets(text: str) -> str:
    for secret, rest in _SECRETS:
        text = secret.sub(rest, text)
    return text


def _maker(runtime: Runtime) -> Maker:
    default, config = runtime.config.campaign.default_language, runtime.config
    languages = sorted(_LANGUAGES, key=lambda each: each != default)
    more = {"languages": languages, "campaign": config.campaign.name}

    def front(context: Mapping[str, Any]) -> str:
        return runtime.templates.render("report/bundle.html.j2", {**context, **more})

    return Maker(
        signing=runtime.signing,
        question=runtime.question,
        public_url=config.web.public_url,
        config=without_users(config.path.read_text("utf-8-sig")),
        release=__version__,
        front=front,
    )


class Saw:
    """Fills what was kept with what was one person's own."""

    def __init__(self, runtime: Runtime) -> None:
        self._mailer, self._pages = mailer(runtime), pages(runtime)

    def seen(self, found: OnFile, mail: str | None, kept: Mapping[str, Kept]) -> Seen:
        """Return the mail and the pages as they saw them."""
        seen = Seen()
        self._see_mail(seen, found, kept[mail] if mail else None)
        before = None
        for act in found.answers:
            if act.page is None:
                continue
            asked = Asked(
                id=found.id,
                person=found.person,
                language=found.language,
                presses=Presses(found.standing),
                due_at=found.falls_due_as_of(act.at),
                mail=mail,
                purposes=act.purposes,
                answered_at=before,
            )
            page, name = kept[act.page], f"seen/page-{act.leaf}.html"
            try:
                seen.files[name] = self._pages.as_seen(
                    page.content, page.language, asked, now=act.at
                )
            except KeyError:
                seen.lost.append(name)
            before = act.at
        return seen

    def _see_mail(self, seen: Seen, found: OnFile, mail: Kept | None) -> None:
        if mail is None:
            return
        if found.due_at is None:
            seen.lost.append("seen/mail.txt")
            return
        try:
            text, html = self._mailer.as_seen(
                mail.content, mail.language, found.person, found.due_at
            )
        except KeyError:
            seen.lost.append("seen/mail.txt")
            return
        seen.files["seen/mail.txt"] = text
        if html:
            seen.files["seen/mail.html"] = html
