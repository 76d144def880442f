from __future__ import annotations

import json
from datetime import date, timedelta
from hashlib import sha256
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from repermit import __version__
from repermit.domain.skeleton import fill
from repermit.domain.standing import Answer, Way
from repermit.domain.token import Scope
from repermit.ledger.store import snapshots
from tests.builders import MAIL, FakeClock, a_newcomer, ask, asked, press, take_in
from tests.respond.builders import LANGUAGES, ONE_CLICK, Page, Site, served
from tests.respond.test_answer import LONGER

pytestmark = pytest.mark.sqlite  # the pages are the same, whatever the database

ADDRESS = "an@voorbeeld.example"
LARGEST_PAGE = 20_000  # bytes
DEADLINE = "22 december 2026"  # of those whom the builders ask


async def kept(site: Site, hashed: str) -> str:
    """Return the page that was kept under *hashed*, and check that this is its name."""
    found = await site.ledger.read(snapshots.snapshot, hashed)
    assert found is not None
    assert found.kind == "page"
    assert sha256(found.content.encode()).hexdigest() == hashed
    return found.content


def filled(content: str, site: Site, recipient_id: int, page: Page, **values: str) -> str:
    """Return a page that was kept, with the places filled as they were for that recipient."""
    places = {
        "masked": "a•••@voorbeeld.example",
        "nonce": site.runtime.tokens.issue(Scope.FORM, recipient_id),
        "deadline": DEADLINE,
        "answered": "21 november 2026",
        "source": "the stand &amp; the &lt;fair&gt;",
        "collected": "maart 2025",
        "ended": "",
        "number": str(recipient_id),
        "page": page.hidden["page"],
        "record_url": f"../yes/{site.runtime.tokens.issue(Scope.ANSWER, recipient_id)}/record",
    }
    return fill(content, places | values)


# Promise 9: what was shown is what is stored


async def asked_with_marks(site: Site, **newcomer: Any) -> int:
    """Ask somebody whose evidence holds what HTML would read as its own."""
    known = {"source": "the stand & the <fair>"} | newcomer
    await site.ledger.write(take_in, [a_newcomer(ADDRESS, **known)])
    await ask(site.ledger, 1)
    return 1


@pytest.mark.parametrize("kind", ["yes", "no", "u"])
@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_promise_9_the_page_on_file_is_the_page_that_was_shown(
    a_site: Site, kind: str, answer: str
) -> None:
    an = await asked_with_marks(a_site, collected=date(2025, 3, 2))
    asks = await a_site.page(a_site.link(kind, an))
    await a_site.press_on(asks, a_site.link(kind, an), answer)

    (record,) = await a_site.answers()
    content = await kept(a_site, record["page"])
    assert filled(content, a_site, an, asks, collected="2 maart 2025") == asks.text
    assert escape(record["button"]) in asks.text


async def test_promise_9_every_page_with_a_button_is_kept_as_it_was_shown(a_site: Site) -> None:
    """Yes, withdrawn, yes again: three pages, each found under the press that came from it."""
    an = await asked_with_marks(a_site)
    link = a_site.link("yes", an)
    pages = [await a_site.page(link)]
    for answer in ("yes", "no", "yes"):
        pages.append(await a_site.press_on(pages[-1], link, answer))
        a_site.clock.advance(LONGER)

    for page, record in zip(pages, await a_site.answers(), strict=False):
        content = await kept(a_site, record["page"])
        assert filled(content, a_site, an, page) == page.text
        assert f">{escape(record['button'])}</button>" in page.text


async def test_promise_9_a_page_that_asked_again_is_kept_as_it_was_shown(
    a_site_of_two: Site,
) -> None:
    site = a_site_of_two
    an = await asked_with_marks(site)
    link = site.link("no", an)
    again = await site.press(link, "yes")

    await site.press_on(again, link, "yes", tick=["fair"])

    (record,) = await site.answers()
    assert filled(await kept(site, record["page"]), site, an, again) == again.text
    assert "Er is nog niets bewaard." in again.text


async def test_promise_9_a_page_that_tells_of_a_yes_is_kept_as_it_was_shown(
    a_site_of_two: Site,
) -> None:
    """Also when it is pressed twice, and the yes that it tells of has been replaced meanwhile."""
    site = a_site_of_two
    an = await asked_with_marks(site)
    link = site.link("yes", an)
    await site.press(link, "yes", tick=["newsletter"])
    site.clock.advance(LONGER)
    tells = await site.page(link)

    for _ in range(2):
        thanks = await site.press_on(tells, link, "yes", tick=["fair"])
        assert "U krijgt uitnodigingen voor onze plantenbeurs." in thanks.text

    _, last = await site.answers()
    assert "U koos ja op 21 november 2026. U krijgt onze nieuwsbrief." in tells.text
    assert filled(await kept(site, last["page"]), site, an, tells) == tells.text


async def test_promise_9_the_record_says_everything_of_the_press(a_site_of_two: Site) -> None:
    site = a_site_of_two
    an = await asked_with_marks(site, language="fr")

    await site.press(site.link("yes", an), "yes", tick=["fair"])

    (record,) = await site.answers()
    entry = await site.ledger.read(
        lambda tx: tx.value('SELECT payload FROM log WHERE "index" = ?', record["leaf"])
    )
    for found in (record | {"purposes": json.loads(record["purposes"])}, json.loads(entry)):
        assert found["answer"] == Answer.YES
        assert found["way"] == Way.FORM
        assert found["standing"] == "opted_in"
        assert found["button"] == site.runtime.wordings["fr"].say("page.yes_to_ticked")
        assert found["language"] == "fr"
        assert found["purposes"] == ["fair"]
        assert found["mail"] == MAIL
        assert found["page"] == record["page"]
        assert found["release"] == __version__


async def test_promise_9_a_date_on_a_button_is_on_file_as_it_was_shown(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    """A campaign may put the last day into the words of its own buttons."""
    own = campaign_folder / "templates" / "wording"
    own.mkdir(parents=True)
    (own / "nl.toml").write_text('[button]\nno = "Nee, ook niet na {deadline}"\n', "utf-8")
    async with served(campaign_folder, a_clock) as site:
        (an,) = await asked(site.ledger, ADDRESS)
        asks = await site.page(site.link("no", an))
        await site.press_on(asks, site.link("no", an), "no")

        (record,) = await site.answers()
        assert record["button"] == f"Nee, ook niet na {DEADLINE}"
        assert record["button"] in asks.text


async def test_promise_9_a_page_is_kept_once(a_site: Site) -> None:
    ids = await asked(a_site.ledger, *(f"r{number}@voorbeeld.example" for number in range(5)))
    for one in ids:
        await a_site.press(a_site.link("yes", one), "yes")

    count = await a_site.ledger.read(
        lambda tx: tx.value("SELECT count(*) FROM snapshot WHERE kind = 'page'")
    )
    assert count == 1
    assert len({record["page"] for record in await a_site.answers()}) == 1


async def test_a_page_that_was_kept_names_nobody(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    await a_site.press(a_site.link("yes", an), "yes")

    contents = await a_site.ledger.read(
        lambda tx: tx.rows("SELECT content FROM snapshot WHERE kind = 'page'")
    )
    for (content,) in contents:
        assert "voorbeeld.example" not in content.replace("tuinvrienden.example", "")
        assert "⟦masked⟧" in content


# What stands on a page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_page_says_who_asks_and_what_silence_means(
    campaign_folder: Path, a_clock: FakeClock, language: str
) -> None:
    async with served(campaign_folder, a_clock) as site:
        await asked_with_marks(site, language=language)
        asks = await site.page(site.link("yes", 1))
        wording = site.runtime.wordings[language]

        for words in (
            "Tuinvrienden Voorbeeld vzw",
            "Voorbeeldstraat 1, 1000 Brussel, België",
            "KBO 0123.456.789",
            "privacy@tuinvrienden.example",
            "https://www.tuinvrienden.example/privacy",
            "Gegevensbeschermingsautoriteit",
            "a•••@voorbeeld.example",
            "the stand & the <fair>",
            "2026",
            wording.say("page.withdraw_any_time"),
            wording.say("page.not_your_address"),
            wording.say("page.after_no"),
        ):
            assert words in unescape(asks.text), words


@pytest.mark.parametrize("several", [False, True])
async def test_no_page_is_large(
    campaign_folder: Path, a_clock: FakeClock, *, several: bool
) -> None:
    async with served(campaign_folder, a_clock, several=several) as site:
        for number, language in enumerate(LANGUAGES, start=1):
            newcomer = a_newcomer(f"r{number}@voorbeeld.example", language=language)
            await site.ledger.write(take_in, [newcomer])
            await ask(site.ledger, number)
            link = site.link("yes", number)
            asks = await site.page(link)
            thanks = await site.press_on(asks, link, "yes", tick=["newsletter", "fair"])
            contrary = await site.press_on(thanks, link, "no")
            declined = Page((await site.post(site.link("u", number), ONE_CLICK)).text)
            for page in (asks, thanks, contrary, declined):
                assert page.language == language
                assert len(page.text.encode()) < LARGEST_PAGE
        gone = await site.client.get("/yes/x")
        assert len(gone.content) < LARGEST_PAGE


async def test_a_sensitive_list_shows_nothing_of_where_it_came_from(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    async with served(campaign_folder, a_clock) as site:
        newcomer = a_newcomer(ADDRESS, source="the patients of dr. Peeters", sensitive=True)
        await site.ledger.write(take_in, [newcomer])
        await site.ledger.write(lambda tx: tx.run("UPDATE recipient SET standing = 'asked'"))

        asks = await site.page(site.link("yes", 1))
        await site.press_on(asks, site.link("yes", 1), "yes")
        declined = (await site.post(site.link("u", 1), ONE_CLICK)).text

    assert "patients" not in asks.text + declined
    assert "a•••@voorbeeld.example" in asks.text


async def test_a_receipt_says_what_was_agreed_to(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)

    thanks = await a_site.press(a_site.link("yes", an), "yes")

    for value in (
        "21 november 2026",
        "Ja, ik wil dit ontvangen",
        "onze nieuwsbrief",
        "a•••@voorbeeld.example",
        "Tuinvrienden Voorbeeld vzw",
    ):
        assert f"<dd>{value}</dd>" in thanks.text


async def test_a_receipt_says_what_was_ticked_and_pressed(a_site_of_two: Site) -> None:
    (an,) = await asked(a_site_of_two.ledger, ADDRESS)

    thanks = await a_site_of_two.press(a_site_of_two.link("yes", an), "yes", tick=["fair"])

    (record,) = await a_site_of_two.answers()
    assert f"<dd>{record['button']}</dd>" in thanks.text
    assert "<dd>uitnodigingen voor onze plantenbeurs</dd>" in thanks.text


async def test_after_an_answer_no_page_says_that_silence_is_a_no(a_site_of_two: Site) -> None:
    site = a_site_of_two
    (an,) = await asked(site.ledger, ADDRESS)
    link, silence = site.link("yes", an), "dan is dat een nee"
    before = await site.page(link)
    await site.press_on(before, link, "yes", tick=["fair"])
    site.clock.advance(LONGER)
    yes = await site.page(link)
    unticked = await site.press_on(yes, link, "yes")
    await site.press_on(unticked, link, "no")
    no = await site.page(link)

    assert silence in before.text
    assert all(silence not in page.text for page in (yes, unticked, no))
    assert "Er is nog niets bewaard." in unticked.text
    assert "U koos nee op 21 november 2026." in no.text


async def test_after_a_yes_the_page_says_what_for_and_leads_to_its_record(
    a_site_of_two: Site,
) -> None:
    site = a_site_of_two
    (an,) = await asked(site.ledger, ADDRESS)
    await site.press(site.link("no", an), "yes", tick=["fair"])

    page = await site.page(site.link("no", an))

    assert "U krijgt uitnodigingen voor onze plantenbeurs." in page.text
    assert "dan vervangt dat uw ja." in page.text
    path = f"/yes/{site.runtime.tokens.issue(Scope.ANSWER, an)}/record"
    assert f'href="..{path}"' in page.text
    assert (await site.client.get(path)).status_code == 200


async def test_how_often_stands_once_on_a_page_with_boxes(a_site_of_two: Site) -> None:
    (an,) = await asked(a_site_of_two.ledger, ADDRESS)
    link = a_site_of_two.link("no", an)
    asks = await a_site_of_two.page(link)

    declined = await a_site_of_two.press_on(asks, link, "no")

    assert asks.text.count("twee per jaar") == 1
    assert "twee per jaar" not in declined.text
    assert "In orde, u krijgt geen van de mails waarnaar we vroegen." in declined.text


async def test_the_dates_on_a_page_are_those_of_the_campaigns_zone(
    campaign_folder: Path,
) -> None:
    """Half past eleven at night in UTC is the next day in Brussels."""
    clock = FakeClock()
    async with served(campaign_folder, clock) as site:
        (an,) = await asked(site.ledger, ADDRESS)
        clock.advance(-(clock.now() - clock.now().replace(hour=23, minute=30)))
        await press(site.ledger, an, Answer.YES)

        assert "U koos ja op 22 november 2026." in (await site.page(site.link("yes", an))).text


async def test_a_page_that_is_gone_says_where_to_sign_up(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    signup = 'signup_url = "https://www.tuinvrienden.example/nieuwsbrief?van=link&taal=nl"'
    async with served(campaign_folder, a_clock, signup_url=signup) as site:
        gone = (await site.client.get("/yes/x")).text

    address = escape("https://www.tuinvrienden.example/nieuwsbrief?van=link&taal=nl")
    assert gone.count(f'href="{address}"') == len(LANGUAGES)


async def test_a_page_whose_words_have_changed_since_is_asked_again(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    """The server was started again with another wording while a page stood open."""
    async with served(campaign_folder, a_clock) as site:
        (an,) = await asked(site.ledger, "an@voorbeeld.example")
        link = site.link("yes", an)
        old = await site.page(link)
    own = campaign_folder / "templates" / "wording"
    own.mkdir(parents=True)
    (own / "nl.toml").write_text('[page]\nwithdraw_any_time = "Intrekken mag altijd."\n')
    async with served(campaign_folder, a_clock) as site:
        again = await site.press_on(old, link, "yes")
        assert await site.answers() == []
        assert "Intrekken mag altijd." in again.text
        await site.press_on(again, link, "yes")
        assert await site.standing(an) == "opted_in"


async def test_after_the_deadline_a_no_is_not_offered_to_be_mended_by_a_day_that_is_past(
    a_site: Site,
) -> None:
    (an,) = await asked(a_site.ledger, "an@voorbeeld.example")
    a_site.clock.advance(timedelta(days=40))
    declined = await a_site.press(a_site.link("no", an), "no")
    assert await a_site.standing(an) == "opted_out"
    assert declined.buttons == []
