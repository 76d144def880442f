from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.builders import SECONDS, Served, a_browser
from tests.respond.builders import LANGUAGES

pytestmark = pytest.mark.browser
NARROW, PHONE, DESK = 320, 390, 1280
every_language = pytest.mark.parametrize("language", LANGUAGES)
with_and_without_scripts = pytest.mark.parametrize("scripts", [True, False], ids=["js", "no-js"])


@pytest.fixture(scope="module")
def a_campaign(empty_campaign: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The answer pages of a campaign for a newsletter."""
    folder = tmp_path_factory.mktemp("one") / "campaign"
    with Served(shutil.copytree(empty_campaign, folder), several=False).running() as served:
        yield served


@pytest.fixture(scope="module")
def a_campaign_of_two(
    empty_campaign: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The answer pages of a campaign for a newsletter and a fair."""
    folder = tmp_path_factory.mktemp("two") / "campaign"
    with Served(shutil.copytree(empty_campaign, folder), several=True).running() as served:
        yield served


@pytest.fixture(scope="module")
def chromium(a_campaign: Served, a_campaign_of_two: Served) -> Iterator[Browser]:
    """The browser; it starts last, because its loop then holds this thread."""
    with a_browser() as browser:
        yield browser


@contextmanager
def a_page(chromium: Browser, *, width: int = PHONE, **options: Any) -> Iterator[Page]:
    """Open a tab that fails the test when a page asks for anything that is not ours."""
    viewport = {"width": width, "height": 844}
    with chromium.new_context(
        viewport=viewport,  # type: ignore[arg-type]  # a plain dict will do
        **options,
    ) as context:
        context.set_default_timeout(SECONDS * 1000)
        page, said, asked_for = context.new_page(), list[str](), set[str]()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda failure: said.append(str(failure)))
        page.on("request", lambda request: asked_for.add(request.url.split("/", 3)[2]))
        yield page
        assert said == []
        assert len(asked_for) <= 1
        assert context.cookies() == []


def press(page: Page, answer: str) -> None:
    """Press the button for *answer*, as a finger does."""
    page.locator(f"button[value={answer}]").click()
    page.wait_for_load_state()


def title(page: Page) -> str:
    """Return the first heading of the page."""
    return page.locator("h1").inner_text()


@with_and_without_scripts
def test_a_yes(chromium: Browser, a_campaign: Served, *, scripts: bool) -> None:
    one = a_campaign.ask()
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link("yes", one))
        press(page, "yes")

        assert title(page) == "U koos ja"
        expect(page.get_by_role("status")).to_contain_text("U krijgt onze nieuwsbrief")
    assert a_campaign.standing(one) == "opted_in"


@with_and_without_scripts
@pytest.mark.parametrize("kind", ["yes", "no", "u"])
def test_a_no(chromium: Browser, a_campaign: Served, kind: str, *, scripts: bool) -> None:
    one = a_campaign.ask()
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link(kind, one))
        press(page, "no")

        assert title(page) == "U koos nee"
        expect(page.get_by_role("status")).to_contain_text("u krijgt onze nieuwsbrief niet")
    assert a_campaign.standing(one) == "opted_out"


@with_and_without_scripts
def test_a_change_of_mind(chromium: Browser, a_campaign: Served, *, scripts: bool) -> None:
    """Yes, withdrawn from the page that thanks, and yes again from the page that follows."""
    one, stood = a_campaign.ask(), []
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign.link("yes", one))
        for answer in ("yes", "no", "yes"):
            press(page, answer)
            stood.append(a_campaign.standing(one))
            a_campaign.wait_a_while()

    assert stood == ["opted_in", "opted_out", "opted_in"]


def test_a_yes_and_a_no_at_once_ask_again(chromium: Browser, a_campaign: Served) -> None:
    one = a_campaign.ask()
    with a_page(chromium) as page:
        page.goto(a_campaign.link("yes", one))
        press(page, "yes")
        press(page, "no")

        expect(page.get_by_role("status")).to_contain_text("kies nog één keer")
        a_campaign.wait_a_while()
        press(page, "yes")
    assert a_campaign.standing(one) == "opted_in"


@pytest.mark.parametrize(
    ("kind", "tabs", "standing"),
    [
        ("yes", 1, "opted_in"),
        ("yes", 2, "opted_out"),
        ("no", 1, "opted_out"),
        ("no", 2, "opted_in"),
    ],
)
def test_the_keyboard_alone_will_do(
    chromium: Browser, a_campaign: Served, kind: str, tabs: int, standing: str
) -> None:
    """The first button is the first stop, and what has the focus shows it."""
    one = a_campaign.ask()
    with a_page(chromium) as page:
        page.goto(a_campaign.link(kind, one))
        for _ in range(tabs):
            page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        page.keyboard.press("Enter")
        page.wait_for_load_state()

        assert outline == "solid"
        expect(page.get_by_role("status")).to_be_visible()
    assert a_campaign.standing(one) == standing


def test_boxes_are_ticked_by_the_keyboard(chromium: Browser, a_campaign_of_two: Served) -> None:
    one = a_campaign_of_two.ask()
    with a_page(chromium) as page:
        page.goto(a_campaign_of_two.link("yes", one))
        for key in ("Tab", "Tab", "Space", "Tab", "Enter"):
            page.keyboard.press(key)
        page.wait_for_load_state()

        expect(page.locator("dl")).to_contain_text("plantenbeurs")
        expect(page.locator("dl")).not_to_contain_text("nieuwsbrief")
    assert a_campaign_of_two.standing(one) == "opted_in"


@with_and_without_scripts
def test_promise_6_enter_in_a_box_answers_nothing(
    chromium: Browser, a_campaign_of_two: Served, *, scripts: bool
) -> None:
    """Source: HTML, 4.10.22.2, implicit submission."""
    one = a_campaign_of_two.ask()
    before = a_campaign_of_two.everything()
    with a_page(chromium, java_script_enabled=scripts) as page:
        page.goto(a_campaign_of_two.link("yes", one))
        page.locator("input[type=checkbox]").first.check()
        with page.expect_navigation():
            page.keyboard.press("Enter")

        assert page.locator("button").count() == 2
        assert page.locator("input:checked").count() == 0
    assert a_campaign_of_two.everything() == before


def test_a_yes_with_nothing_ticked_asks_again(chromium: Browser, a_campaign_of_two: Served) -> None:
    one = a_campaign_of_two.ask()
    with a_page(chromium) as page:
        page.goto(a_campaign_of_two.link("yes", one))
        press(page, "yes")
        expect(page.get_by_role("status")).to_contain_text("Er is nog niets bewaard")
        page.locator("label", has_text="plantenbeurs").click()
        press(page, "yes")
    assert a_campaign_of_two.standing(one) == "opted_in"


@with_and_without_scripts
def test_promise_4_a_page_left_open_changes_nothing(
    chromium: Browser, a_campaign: Served, *, scripts: bool
) -> None:
    """Opened, scrolled, unfolded, reloaded, left for some seconds, left by going back."""
    one = a_campaign.ask()
    before = a_campaign.everything()
    with a_page(chromium, java_script_enabled=scripts) as page:
        for kind in ("yes", "no", "u"):
            page.goto(a_campaign.link(kind, one))
            page.mouse.wheel(0, 2_000)
            page.locator("summary").click()
            page.reload()
        page.go_back()
        page.wait_for_timeout(2_000)
    assert a_campaign.everything() == before


DIFFERENCES = """() => {
    const [one, other] = document.querySelectorAll(".buttons > *");
    const styles = [getComputedStyle(one), getComputedStyle(other)];
    const differs = name => styles[0].getPropertyValue(name) !== styles[1].getPropertyValue(name);
    const sizes = [one, other].map(button => button.getBoundingClientRect());
    const same = sizes[0].width === sizes[1].width && sizes[0].height === sizes[1].height;
    return {styles: [...styles[0]].filter(differs), same, easy: sizes[0].height >= 44};
}"""


@every_language
def test_the_two_buttons_differ_in_nothing_but_their_words(
    chromium: Browser, a_campaign: Served, a_campaign_of_two: Served, language: str
) -> None:
    """Every computed style, and so the size: neither answer is made easier than the other."""
    for campaign in (a_campaign, a_campaign_of_two):
        one = campaign.ask(language)
        with a_page(chromium) as page:
            for kind in ("yes", "no"):
                page.goto(campaign.link(kind, one))
                for width in (NARROW, PHONE, DESK):
                    page.set_viewport_size({"width": width, "height": 844})
                    assert page.locator(".buttons > button").count() == 2
                    assert page.evaluate(DIFFERENCES) == {"styles": [], "same": True, "easy": True}


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def pages_of(page: Page, campaign: Served, language: str) -> Iterator[str]:
    """Walk over every kind of page in *language*, and say which it is."""
    one = campaign.ask(language)
    page.goto(campaign.link("yes", one))
    page.locator("summary").click()
    yield "question"
    press(page, "yes")
    yield "thanks"
    campaign.wait_a_while()
    press(page, "no")
    yield "declined"
    press(page, "yes")
    yield "question again"
    page.goto(f"{campaign.url}/yes/x")
    yield "gone"
    campaign.wait_a_while()


@every_language
def test_nothing_scrolls_sideways_on_the_narrowest_screen(
    chromium: Browser, a_campaign: Served, a_campaign_of_two: Served, language: str
) -> None:
    """Source: WCAG 2.2, 1.4.10 reflow, at 320 CSS pixels."""
    with a_tolerant_page(chromium, width=NARROW) as page:
        for which in pages_of(page, a_campaign, language):
            assert sideways(page) <= 0, which
        page.goto(a_campaign_of_two.link("no", a_campaign_of_two.ask(language)))
        assert sideways(page) <= 0


@pytest.mark.parametrize(
    ("language", "scheme"), [*((language, "light") for language in LANGUAGES), ("nl", "dark")]
)
def test_every_page_is_accessible(
    chromium: Browser, a_campaign: Served, a_campaign_of_two: Served, language: str, scheme: str
) -> None:
    """Source: WCAG 2.2 AA, as far as axe-core can tell."""
    with a_tolerant_page(chromium, color_scheme=scheme) as page:
        for which in pages_of(page, a_campaign, language):
            is_accessible(page, which)
        page.goto(a_campaign_of_two.link("no", a_campaign_of_two.ask(language)))
        is_accessible(page, "question with boxes")


def is_accessible(page: Page, which: str) -> None:
    """Check that axe-core finds nothing on the page."""
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=rules)
    assert found.violations_count == 0, f"{which}: {found.generate_report()}"


@contextmanager
def a_tolerant_page(chromium: Browser, **options: Any) -> Iterator[Page]:
    """Open a tab that may say what a status of 404 makes it say."""
    width = options.pop("width", PHONE)
    viewport = {"width": width, "height": 844}
    with chromium.new_context(
        viewport=viewport,  # type: ignore[arg-type]  # a plain dict will do
        **options,
    ) as context:
        context.set_default_timeout(SECONDS * 1000)
        yield context.new_page()
