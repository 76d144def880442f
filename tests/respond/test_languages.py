"""Which language a page is in: one more is one more file; in Belgium nobody is guessed at."""

from __future__ import annotations

import json
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

import pytest

from repermit.cli.assembly import mailer
from repermit.domain.skeleton import fill, fill_html
from tests.builders import FakeClock, a_newcomer, ask, take_in
from tests.respond.builders import LANGUAGES, ONE_CLICK, Page, Site, served
from tests.respond.test_answer import LONGER

pytestmark = pytest.mark.sqlite  # the words are the same, whatever the database

SPANISH = Path(__file__).parents[1] / "wording" / "es.toml"
BELGIAN = ("nl", "fr", "de")
ADDRESS = "an@voorbeeld.example"


async def asked_in(site: Site, language: str | None, country: str = "BE") -> int:
    """Ask one more person whose list says that of them, and return who."""
    known = await site.ledger.read(lambda tx: tx.value("SELECT count(*) FROM recipient"))
    newcomer = a_newcomer(f"r{known}@voorbeeld.example", language=language, country=country)
    await site.ledger.write(take_in, [newcomer])
    await ask(site.ledger, known + 1)
    return int(known) + 1


def parts(page: Page) -> dict[str, Page]:
    """Return each part of a page by its language, as if it stood alone."""
    found = re.findall(r'<section id="(..)" lang="\1">(.*?)</section>', page.text, re.DOTALL)
    return {language: Page(f'<html lang="{language}">{part}') for language, part in found}


async def test_one_more_language_is_one_more_file(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    """Its mail, its pages and its dates; nothing of another language is left in them."""
    own = campaign_folder / "templates" / "wording"
    own.mkdir(parents=True)
    shutil.copy(SPANISH, own)
    changes: dict[str, Any] = {
        "languages": 'languages = ["en", "es"]',
        "default_language": 'default_language = "en"',
        "text.nl": 'text.es = "nuestro boletín"',
        "frequency.nl": 'frequency.es = "cerca de un mensaje al mes"',
    }
    async with served(campaign_folder, a_clock, **changes) as site:
        one = await asked_in(site, "es")
        seen = _mail(site, one)
        asks = await site.page(site.link("yes", one))
        thanks = await site.press_on(asks, site.link("yes", one), "yes")
        site.clock.advance(LONGER)
        declined = await site.press_on(thanks, site.link("yes", one), "no")
        seen += asks.text + thanks.text + declined.text

        said = site.runtime.wordings["es"]
        assert {page.language for page in (asks, thanks, declined)} == {"es"}
        assert "22 de diciembre de 2026" in seen
        assert said.say("page.choose_purposes") not in seen
        for key in ("button.yes", "page.title_yes", "page.title_no", "rights.data_button"):
            assert escape(said.say(key)) in seen, key
        for sentence in site.runtime.wordings["en"].sentences.values():
            longest = max(re.split(r"\{\w+\}", sentence), key=len)
            assert len(longest.split()) < 3 or longest not in seen, longest
        (record, _) = await site.answers()
        assert (record["language"], record["button"]) == ("es", said.say("button.yes"))


def _mail(site: Site, recipient_id: int) -> str:
    """Return the words of somebody's mail, text and HTML."""
    made, person = mailer(site.runtime), a_newcomer(ADDRESS).person
    variant = made.variant(person, "es")
    skeleton, due = made.skeleton(variant), site.runtime.question.due_at(site.clock.now())
    values = made.values(recipient_id, person, variant, due)
    built = made.build(recipient_id, person, variant, due=due, now=site.clock.now())
    assert built.content
    return fill(skeleton.subject + skeleton.text, values) + fill_html(skeleton.html, values)


async def test_an_unknown_language_in_belgium_gets_a_part_in_each(a_site: Site) -> None:
    """Each with its own heading, buttons and date."""
    unknown, known = await asked_in(a_site, None), await asked_in(a_site, "fr")
    elsewhere = await asked_in(a_site, None, "NL")

    page = await a_site.page(a_site.link("yes", unknown))

    assert tuple(parts(page)) == BELGIAN
    for language, date in zip(BELGIAN, ("december", "décembre", "Dezember"), strict=True):
        part, said = parts(page)[language], a_site.runtime.wordings[language]
        assert part.buttons == ["yes", "no"]
        assert said.say("page.not_your_address") in part.text
        assert f"22 {date} 2026" in part.text.replace("22. ", "22 ")
    assert (await a_site.page(a_site.link("yes", known))).language == "fr"
    assert parts(await a_site.page(a_site.link("yes", elsewhere))) == {}


@pytest.mark.parametrize("language", BELGIAN)
@pytest.mark.parametrize("kind", ["yes", "no", "u"])
async def test_a_press_in_one_part_is_on_file_in_that_language(
    a_site: Site, kind: str, language: str
) -> None:
    """And from then on the pages speak it alone, each still leading to the next."""
    one = await asked_in(a_site, None)
    link = a_site.link(kind, one)
    asks = await a_site.page(link)
    page, stood = parts(asks)[language], []

    for answer in ("yes", "no", "yes")[kind == "u" :]:
        page = await a_site.press_on(page, link, answer)
        stood.append(page.language)
        a_site.clock.advance(LONGER)

    assert set(stood) == {language}
    records = await a_site.answers()
    said = a_site.runtime.wordings[language]
    assert {record["language"] for record in records} == {language}
    first = records[0]
    assert first["button"] == said.say(f"button.{first['answer']}")
    kept = await a_site.ledger.read(
        lambda tx: tx.value("SELECT content FROM snapshot WHERE hash = ?", first["page"])
    )
    assert all(f'lang="{each}"' in kept for each in BELGIAN)


async def test_a_yes_with_nothing_ticked_is_asked_again_in_the_language_of_the_press(
    a_site_of_two: Site,
) -> None:
    site = a_site_of_two
    link = site.link("yes", await asked_in(site, None))
    page = parts(await site.page(link))["de"]

    again = await site.press_on(page, link, "yes")
    assert again.language == "de"
    assert parts(again) == {}
    await site.press_on(again, link, "yes", tick=["fair"])

    (record,) = await site.answers()
    assert (record["language"], json.loads(record["purposes"])) == ("de", ["fair"])


async def test_a_no_that_says_no_language_is_on_file_in_all_of_them(a_site: Site) -> None:
    one = await asked_in(a_site, None)

    await a_site.post(a_site.link("u", one), ONE_CLICK)

    (record,) = await a_site.answers()
    assert record["language"] == "nl+fr+de"


@pytest.mark.parametrize("part", ["~en", "~xx", "~nl+fr", "~"])
async def test_a_part_that_the_page_does_not_have_is_no_yes(a_site: Site, part: str) -> None:
    """The words on the button would be unknown; the page is shown again."""
    one = await asked_in(a_site, None)
    page = parts(await a_site.page(a_site.link("yes", one)))["nl"]
    page.hidden["page"] = page.hidden["page"].partition("~")[0] + part

    again = await a_site.press_on(page, a_site.link("yes", one), "yes")

    assert await a_site.answers() == []
    assert tuple(parts(again)) == BELGIAN


async def test_every_language_has_its_own_mail_and_page(a_site: Site) -> None:
    for language in LANGUAGES:
        page = await a_site.page(a_site.link("yes", await asked_in(a_site, language)))
        assert (page.language, parts(page)) == (language, {})
