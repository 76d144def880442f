"""How the HTML mail looks, and the preview that shows mails and pages side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from repermit.cli.preview import write_preview
from tests.browser.builders import DESK, NARROW, PHONE, Served, a_page
from tests.browser.test_looks import DIFFERENCES, IN_THE_DARK, SCREENSHOTS, sideways

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
READINGS = ("nl", "fr", "de", "en", "nl-fr-de")


@pytest.fixture(scope="module")
def previews(
    a_campaign: Served, a_campaign_of_two: Served, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """The previews of a campaign for one purpose and of one for two, with a colour of its own."""
    folders = [tmp_path_factory.mktemp("preview") for _ in range(2)]
    return [
        write_preview(served.runtime, folder)
        for served, folder in zip((a_campaign, a_campaign_of_two), folders, strict=True)
    ]


@pytest.mark.parametrize("reading", READINGS)
def test_a_mail_can_be_read_by_everybody(
    chromium: Browser, previews: list[Path], reading: str
) -> None:
    """It has no picture to be blocked; in the dark, on the narrowest screen and with large
    letters it is all there."""
    for number, index in enumerate(previews, start=1):
        with a_page(chromium) as page:
            page.goto(index.with_name(f"mail-signed_up_no_proof-{reading}.html").as_uri())
            found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
            assert found.violations_count == 0, found.generate_report()
            page.screenshot(path=SCREENSHOTS / f"mail-{reading}-{number}.png", full_page=True)

            assert page.locator("img, svg, picture, [background]").count() == 0
            assert "url(" not in page.content()
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert page.evaluate(IN_THE_DARK) == [], scheme
            ground = page.locator(".sheet").evaluate("it => getComputedStyle(it).backgroundColor")
            assert ground == "rgb(29, 35, 39)"
            page.set_viewport_size({"width": NARROW, "height": 256})
            assert sideways(page) <= 0
            page.evaluate(
                "document.querySelectorAll('*').forEach(it => {"
                " const size = parseFloat(getComputedStyle(it).fontSize);"
                " it.dataset.size = size; });"
                "document.querySelectorAll('*').forEach(it => {"
                " it.style.fontSize = 2 * it.dataset.size + 'px';"
                " it.style.lineHeight = 1.4; })"
            )
            assert sideways(page) <= 0, "large letters"


@pytest.mark.parametrize("reading", READINGS)
def test_the_two_answers_of_a_mail_differ_in_nothing_but_their_words(
    chromium: Browser, previews: list[Path], reading: str
) -> None:
    with a_page(chromium) as page:
        page.goto(previews[0].with_name(f"mail-signed_up_no_proof-{reading}.html").as_uri())
        for width in (NARROW, PHONE, DESK):
            page.set_viewport_size({"width": width, "height": 844})
            presses = page.locator(".press")
            assert presses.count() == 2 * len(reading.split("-"))
            for first in range(0, presses.count(), 2):
                yes, no = presses.nth(first).element_handle(), presses.nth(first + 1)
                differs = no.evaluate(f"(no, yes) => ({DIFFERENCES})({{children: [yes, no]}})", yes)
                assert differs == {"styles": [], "same": True, "easy": True}


def test_the_preview_shows_all_of_it_side_by_side(chromium: Browser, previews: list[Path]) -> None:
    """Every mail as text and as HTML, every page, by day and at night; nothing is fetched."""
    for index in previews:
        with a_page(chromium, width=1400) as page:
            page.goto(index.as_uri())
            frames = page.locator("iframe")
            shown = {frames.nth(at).get_attribute("data-src") or "" for at in range(frames.count())}
            made = {path.name for path in index.parent.glob("*.html")} - {"index.html"}
            assert {Path(source).name.rsplit(".", 2)[0] for source in shown} == {
                name.removesuffix(".html") for name in made
            }
            assert all((index.parent / source).is_file() for source in shown)
            texts = {path.read_text("utf-8") for path in index.parent.glob("*.txt")}
            assert {block.strip() for block in page.locator("pre").all_text_contents()} == {
                text.strip() for text in texts
            }
            expect(page.frame_locator("iframe").first.locator("h1")).to_be_visible()
            page.locator("iframe").last.scroll_into_view_if_needed()
            expect(page.frame_locator("iframe").last.locator("h1").first).to_be_visible()
            assert sideways(page) <= 0
