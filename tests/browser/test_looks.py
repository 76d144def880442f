"""How the pages look: to everybody, on every screen, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from repermit.cli.assembly import pages
from tests.browser.builders import (
    DESK,
    NARROW,
    PHONE,
    Served,
    a_page,
    open_rights,
    press,
    title,
)
from tests.respond.builders import LANGUAGES

pytestmark = pytest.mark.browser
SCREENSHOTS = Path(__file__).parent / "screenshots"  # git ignores them
every_reading = pytest.mark.parametrize(
    "language", [*LANGUAGES, None], ids=[*LANGUAGES, "nl+fr+de"]
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
IN_THE_DARK = """() => axe.run(document, {runOnly: ["color-contrast"]})
    .then(found => found.violations.flatMap(rule => rule.nodes.map(node => node.html)))"""
DIFFERENCES = """pair => {
    const [one, other] = pair.children;
    const styles = [getComputedStyle(one), getComputedStyle(other)];
    const differs = name => styles[0].getPropertyValue(name) !== styles[1].getPropertyValue(name);
    const sizes = [one, other].map(button => button.getBoundingClientRect());
    const same = sizes[0].width === sizes[1].width && sizes[0].height === sizes[1].height;
    return {styles: [...styles[0]].filter(differs), same, easy: sizes[0].height >= 44};
}"""


def pages_of(page: Page, campaign: Served, language: str | None) -> Iterator[str]:
    """Walk over every kind of page in *language*, and say which it is."""
    one = campaign.ask(language)
    link = campaign.link("yes", one)
    page.goto(link)
    for folded in page.locator("summary").all():
        folded.click()
    yield "question"
    press(page, "yes")
    yield "thanks"
    page.locator(".receipt a").click()
    page.wait_for_load_state()
    yield "record"
    page.goto(link)
    press(page, "no")
    yield "suspect"
    campaign.wait_a_while()
    press(page, "no")
    yield "declined"
    open_rights(page)
    press(page, "data")
    yield "data sent"
    page.goto(link)
    open_rights(page)
    press(page, "data")
    yield "data asked again"
    page.goto(link)
    open_rights(page)
    press(page, "erase")
    yield "erase"
    press(page, "erase-now")
    yield "erase refused"
    campaign.wait_a_while()
    press(page, "erase-now")
    yield "erased"
    page.goto(link)
    yield "gone"
    page.set_content(pages(campaign.runtime).failure)
    yield "failure"


def pages_with_boxes(page: Page, campaign: Served, language: str | None) -> Iterator[str]:
    """Walk over the pages that are otherwise where there are several purposes."""
    page.goto(campaign.link("no", campaign.ask(language)))
    press(page, "yes")
    yield "nothing ticked"
    page.locator("input[type=checkbox]").first.check()
    press(page, "yes")
    yield "thanks for one"


@every_reading
def test_every_page_can_be_read_by_everybody(
    chromium: Browser, a_campaign: Served, a_campaign_of_two: Served, language: str | None
) -> None:
    """By a screen reader, in the dark, on the narrowest screen, with large letters. A picture of
    each is kept."""
    with a_page(chromium, gone=True) as page:
        for which in pages_of(page, a_campaign, language):
            can_be_read(page, f"{language or 'be'}-{which}")
    with a_page(chromium) as page:
        for which in pages_with_boxes(page, a_campaign_of_two, language):
            can_be_read(page, f"{language or 'be'}-{which}")


def can_be_read(page: Page, which: str) -> None:
    """Check one page.

    Source: WCAG 2.2 AA, as far as axe-core can tell; 1.4.10 reflow, at 320 CSS pixels, which are
    1280 at 400 %; 1.4.4 resize text, at 200 % of those.
    """
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
    assert found.violations_count == 0, f"{which}: {found.generate_report()}"
    page.screenshot(path=SCREENSHOTS / f"{which}.png", full_page=True)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(IN_THE_DARK) == [], which
    page.set_viewport_size({"width": NARROW, "height": 256})
    assert sideways(page) <= 0, which
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert sideways(page) <= 0, f"{which}, large letters"
    page.set_viewport_size({"width": PHONE, "height": 844})
    page.emulate_media(color_scheme="light")


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@every_reading
def test_the_two_buttons_differ_in_nothing_but_their_words(
    chromium: Browser, a_campaign: Served, a_campaign_of_two: Served, language: str | None
) -> None:
    """Every computed style, and so the size: neither answer is made easier than the other."""
    for campaign in (a_campaign, a_campaign_of_two):
        one = campaign.ask(language)
        with a_page(chromium) as page:
            for kind in ("yes", "no"):
                page.goto(campaign.link(kind, one))
                for width in (NARROW, PHONE, DESK):
                    page.set_viewport_size({"width": width, "height": 844})
                    for pair in page.locator(".buttons").all():
                        assert pair.locator("button").count() == 2
                        found = pair.evaluate(DIFFERENCES)
                        assert found == {"styles": [], "same": True, "easy": True}


def test_the_logo_stands_in_the_page_itself(
    chromium: Browser, a_campaign: Served, a_campaign_of_two: Served
) -> None:
    """And the Content-Security-Policy lets it; without one, it lets no picture at all."""
    with a_page(chromium) as page:
        response = page.goto(a_campaign_of_two.link("yes", a_campaign_of_two.ask()))
        assert response is not None
        assert "img-src data:;" in response.headers["content-security-policy"]
        assert page.locator("img").evaluate("logo => logo.naturalWidth") > 0
        assert "Tuinvrienden Voorbeeld vzw" in page.locator("header").inner_text()
        colour = page.locator("button").first.evaluate("it => getComputedStyle(it).backgroundColor")
        assert colour == "rgb(164, 18, 63)"
    with a_page(chromium) as page:
        response = page.goto(a_campaign.link("yes", a_campaign.ask()))
        assert response is not None
        assert "img-src" not in response.headers["content-security-policy"]
        assert page.locator("img").count() == 0


def test_a_receipt_is_printed_as_words_without_buttons(
    chromium: Browser, a_campaign: Served
) -> None:
    """As dark words on white, also where the screen is dark."""
    with a_page(chromium, color_scheme="dark") as page:
        page.goto(a_campaign.link("yes", a_campaign.ask()))
        press(page, "yes")
        page.emulate_media(media="print")

        assert title(page) == "U koos ja"
        expect(page.locator("dl")).to_be_visible()
        expect(page.locator("address")).to_be_visible()
        assert not any(button.is_visible() for button in page.locator("button").all())
        colours = "it => [getComputedStyle(it).color, getComputedStyle(it).backgroundColor]"
        assert page.locator("body").evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        assert page.pdf().count(b"/Type /Page\n") <= 1
