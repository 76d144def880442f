"""What `check` says of the words: whether each mail and page can be made, and whether one of them
offers something."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from html import unescape
from typing import TYPE_CHECKING

from repermit.cli.finding import Said, State
from repermit.cli.session import counted

if TYPE_CHECKING:
    from repermit.cli.preview import Exhibit
    from repermit.domain.offers import Offer
    from repermit.runtime import Runtime

_HREF = re.compile(r"""<a\s[^>]*?href\s*=\s*["'](https?://[^"'\s]+)""", re.IGNORECASE)
_MOST_TOLD = 5
_DO = (
    "write it without, since a yes must be free (GDPR art. 7(4)); or, when it is none, say why in"
    " campaign.offers_reason"
)


async def words(runtime: Runtime) -> Said:
    """Return whether every mail and page can be made. Raises: WordingIncomplete, KeysUnusable."""
    from repermit.cli.assembly import approval_facts, letters, pages
    from repermit.respond.every import check

    approval_facts(runtime, None)
    letters(runtime, signing=False).check()
    check(pages(runtime))
    return State.OK, f"complete in {', '.join(runtime.config.campaign.languages)}", ""


async def no_offers(runtime: Runtime) -> Said:
    """Return whether mail, pages or purposes offer something. Raises: WordingIncomplete."""
    languages = runtime.config.campaign.languages
    found = [(each, one) for each in languages for one in offers_in(runtime, each)]
    unread = [each for each in languages if each not in _words()]
    if found:
        told = "; ".join(
            f'{one.word} ({language}) in "{one.sentence}"' for language, one in found[:_MOST_TOLD]
        )
        more = f"; and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
        says = f"{counted(len(found), 'word')} of an offer: {told}{more}"
        if why := runtime.config.campaign.offers_reason:
            return State.WARN, f"{says}; your reason: {why}", "`approve` is for that reason, too"
        return State.FAIL, says, _DO
    if unread:
        says = f"not known in {', '.join(unread)}: there is no list of such words"
        return State.WARN, says, "let somebody read mail and page who speaks it"
    return State.OK, f"no word of one in {', '.join(languages)}", ""


def offers_in(runtime: Runtime, language: str) -> Iterator[Offer]:
    """Yield the words of offers in what somebody reads in *language*, each once. Raises:
    WordingIncomplete."""
    from repermit.domain.offers import offers, pattern

    if language not in _words():
        return
    config = runtime.config
    names = [config.controller.name, config.relay.from_.name]
    said = [
        text for one in config.purposes for text in (one.text[language], one.frequency[language])
    ]
    texts = [*said, *(_text(each) for each in _exhibits(runtime, language))]
    yield from offers("\n".join(texts), pattern(_words()[language]), names=names)


def links_written(runtime: Runtime) -> list[str]:
    """Return the web addresses to which mails and pages link. Raises: WordingIncomplete."""
    found: dict[str, None] = {}
    for language in runtime.config.campaign.languages:
        for each in _exhibits(runtime, language):
            found.update(dict.fromkeys(map(unescape, _HREF.findall(each.content))))
    return list(found)


def _exhibits(runtime: Runtime, language: str) -> list[Exhibit]:
    from repermit.cli.preview import exhibits

    return list(exhibits(runtime, language))


def _text(each: Exhibit) -> str:
    from repermit.domain.notice import text_of_page

    return each.content if each.is_text else text_of_page(each.content)


@cache
def _words() -> dict[str, list[str]]:
    """Return the words of offers by language."""
    from repermit.runtime import shipped

    return tomllib.loads((shipped() / "offers.toml").read_text("utf-8"))
