import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import FileSystemLoader, StrictUndefined, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from repermit.domain.colour import DEFAULT, contrast, palette
from repermit.domain.wording import REQUIRED, Wording, flatten

_FOLDER = Path(__file__).parents[1] / "templates"
LANGUAGES = ("de", "en", "fr", "nl")
YES_URL = "https://mail.example.org/yes/AAECAwQF-x_9.Zm9v"
NO_URL = "https://mail.example.org/no/AAECAwQF-x_9.YmFy"
PRIVACY_URL = "https://example.org/privacy?a=1&b=2"
VALUES = {
    "who": "Bakkerij <Peeters> & Zn.",
    "address": "Kerkstraat 12, 9000 Gent",
    "registration": "BE 0123.456.789",
    "email": "privacy@example.org",
    "privacy_url": PRIVACY_URL,
    "authority": "GBA, Drukpersstraat 35, 1000 Brussel",
    "what": "onze nieuwsbrief",
    "often": "ongeveer één mail per maand",
    "source": "het formulier op onze website",
    "collected": "maart 2016",
    "ended": "2019",
    "masked": "an•••@telenet.be",
    "deadline": "21 december 2026",
    "proof_days": "1095",
    "again_days": "1095",
    "signup_url": "https://example.org/inschrijven",
    "answered": "2 december 2026",
    "kept_until": "31 december 2027",
    "processors": "Acme Mail (BE)",
}
PURPOSES = [
    {"id": "news", "text": "onze nieuwsbrief", "often": "elke maand"},
    {"id": "fair", "text": "uitnodigingen", "often": "twee per jaar"},
]
environment = SandboxedEnvironment(
    loader=FileSystemLoader(_FOLDER),
    undefined=StrictUndefined,
    autoescape=lambda name: name is not None and name.endswith(".html.j2"),
    trim_blocks=True,
    lstrip_blocks=True,
)
every_language = pytest.mark.parametrize("lang", LANGUAGES)


@dataclass
class Parsed(HTMLParser):
    """What a browser would see: the tags in order, and the words between them."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    _silent: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in {"style", "title"}

    def handle_endtag(self, tag: str) -> None:
        self._silent = self._silent and tag not in {"style", "title"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def parsed(html: str) -> Parsed:
    page = Parsed()
    page.feed(html)
    return page


def in_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def words_of(lang: str) -> dict[str, str]:
    """Return every sentence of a language, filled in."""
    text = (_FOLDER / "wording" / f"{lang}.toml").read_text(encoding="utf-8")
    wording = Wording(lang, flatten(tomllib.loads(text)))
    return {key: wording.say(key, **VALUES) for key in REQUIRED}


def frame(said: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    """Return what stands around the parts of a mail or page."""
    return {
        "lang": said["lang"],
        "title": said["title"],
        "banner": said["banner"],
        "languages": [said, *others],
        "nonce": "n-1",
        "who": VALUES["who"],
        "logo": "",
        "sender_lines": [VALUES["who"], VALUES["address"], VALUES["registration"]],
        "email": VALUES["email"],
        "privacy_url": PRIVACY_URL,
        "authority": VALUES["authority"],
        "palette": palette(DEFAULT),
    }


def part(lang: str, title: str = "page.title") -> dict[str, Any]:
    """Return what every part of a mail or page says."""
    said = words_of(lang)
    return {
        "lang": lang,
        "language_name": said["language.name"],
        "title": said[title],
        "banner": "",
        "page": "question.nl.0..1234",
        "data_and_rights": said["mail.data_and_rights"],
        "complaint": said["mail.complaint"],
        **{
            f"rights_{name}": said[f"rights.{name}"]
            for name in ("heading", "intro", "data_button", "erase_button")
        },
    }


def mail_part(lang: str) -> dict[str, Any]:
    said = words_of(lang)
    return part(lang) | {
        "question": said["mail.greeting_question"],
        "yes_label": said["button.yes"],
        "no_label": said["button.no"],
        "press_once_more": said["mail.press_once_more"],
        "silence": said["silence.sentence"],
        "why": said["why.signed_up_no_proof"],
        "asked_once": said["mail.asked_once"],
        "yours_alone": said["mail.yours_alone"],
        "purposes": PURPOSES[:1],
    }


def mail_context(*langs: str) -> dict[str, Any]:
    said = words_of(langs[0])
    return frame(*map(mail_part, langs)) | {
        "subject": said["mail.subject"],
        "yes_url": YES_URL,
        "no_url": NO_URL,
        "test_banner": said["mail.test_banner"],
    }


def question_part(lang: str) -> dict[str, Any]:
    said = words_of(lang)
    return part(lang) | {
        "banner": said["page.test_banner"],
        "notice": said["page.suspect"],
        "record_label": said["receipt.record"],
        "record_url": "",
        "question": said["page.question"],
        "purposes": PURPOSES[:1],
        "choose_purposes": said["page.choose_purposes"],
        "yes_label": said["button.yes"],
        "no_label": said["button.no"],
        "no_first": False,
        "silence": said["silence.sentence"],
        "withdraw_any_time": said["page.withdraw_any_time"],
        "not_your_address": said["page.not_your_address"],
        "details_heading": said["page.details"],
        "details": [said["why.customer"], said["page.legal_basis"], said["page.processors"]],
    }


def question_context(*langs: str) -> dict[str, Any]:
    return frame(*map(question_part, langs))


def thanks_context(lang: str) -> dict[str, Any]:
    said = words_of(lang)
    return frame(
        part(lang, "page.title_yes")
        | {
            "message": said["page.thanks"],
            "receipt_heading": said["receipt.heading"],
            "receipt_keep": said["receipt.keep"],
            "receipt": [
                (said["receipt.answer"], said["button.yes"]),
            ],
            "record_label": said["receipt.record"],
            "record_url": "../yes/x/record",
            "withdraw_label": said["button.withdraw"],
        }
    )


def declined_context(lang: str) -> dict[str, Any]:
    said = words_of(lang)
    return frame(
        part(lang, "page.title_no")
        | {
            "message": said["page.declined"],
            "may_change": True,
            "mistake": said["page.declined_mistake"],
            "yes_label": said["button.yes"],
        }
    )


def message_context(lang: str) -> dict[str, Any]:
    gone = [
        part(each)
        | {"message": words_of(each)["page.gone"], "more": words_of(each)["page.gone_signup"]}
        for each in (lang, *(other for other in LANGUAGES if other != lang))
    ]
    return frame(*gone)


def data_sent_context(lang: str) -> dict[str, Any]:
    return frame(part(lang, "rights.data_title") | {"message": words_of(lang)["rights.data_sent"]})


def erase_context(lang: str) -> dict[str, Any]:
    said = words_of(lang)
    return frame(
        part(lang, "rights.erase_title")
        | {
            "notice": said["rights.erase_wait"],
            "sentence": said["rights.erase_sentence"],
            "confirm_label": said["rights.erase_confirm"],
            "not_now": said["rights.erase_not"],
        }
    )


def erased_context(lang: str) -> dict[str, Any]:
    words = words_of(lang)
    said = {"message": words["rights.erased"], "elsewhere": words["rights.erased_elsewhere"]}
    return frame(part(lang, "rights.erased_title") | said)


def record_context(lang: str) -> dict[str, Any]:
    said = words_of(lang)
    words = {"intro": said["record.intro"], "keep": said["receipt.keep"]}
    return frame(part(lang, "record.heading") | words | {"json_label": said["record.json"]}) | {
        "rows": [(said["record.number"], "7"), (said["record.given"], VALUES["answered"])],
        "json_url": "record.json",
    }


CONTEXTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "mail/question.html.j2": mail_context,
    "mail/question.txt.j2": mail_context,
    "page/question.html.j2": question_context,
    "page/thanks.html.j2": thanks_context,
    "page/declined.html.j2": declined_context,
    "page/data_sent.html.j2": data_sent_context,
    "page/erase.html.j2": erase_context,
    "page/erased.html.j2": erased_context,
    "page/record.html.j2": record_context,
    "page/message.html.j2": message_context,
}
PAGES = [name for name in CONTEXTS if name.startswith("page/")]
HTML = [name for name in CONTEXTS if name.endswith(".html.j2")]
WITH_A_FORM = {f"page/{kind}.html.j2" for kind in ("question", "thanks", "declined", "erase")}


def render(name: str, lang: str, /, **changed: Any) -> str:
    """Return the template; what was *changed* is of the frame, or of every part of it."""
    context = CONTEXTS[name](lang)
    for said in context["languages"]:
        said |= {key: value for key, value in changed.items() if key in said}
    return environment.get_template(name).render(
        context | {key: value for key, value in changed.items() if key in context}
    )


@every_language
@pytest.mark.parametrize("name", CONTEXTS)
def test_a_template_needs_no_more_than_its_context(name: str, lang: str) -> None:
    assert render(name, lang).strip()


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_template_refuses_to_render_without_its_words(name: str) -> None:
    with pytest.raises(UndefinedError):
        environment.get_template(name).render(lang="nl")


@every_language
@pytest.mark.parametrize("name", HTML)
def test_html_starts_at_once_and_says_its_language(name: str, lang: str) -> None:
    html = render(name, lang)

    assert html.startswith("<!doctype html>\n")
    assert parsed(html).all("html") == [{"lang": lang}]


@every_language
def test_text_and_html_say_the_same_in_the_same_order(lang: str) -> None:
    says_the_same(mail_context(lang))


def test_text_and_html_say_the_same_where_the_languages_stand_one_below_the_other() -> None:
    says_the_same(mail_context("nl", "fr", "de"))


def test_text_and_html_say_the_same_where_there_are_several_purposes() -> None:
    context = mail_context("nl", "fr")
    for said in context["languages"]:
        said["purposes"] = PURPOSES
    says_the_same(context)
    html = environment.get_template("mail/question.html.j2").render(context)

    assert len(parsed(html).all("li")) == 2 * len(PURPOSES)


def test_where_the_rights_are_stands_on_a_line_in_each_language() -> None:
    context = mail_context("nl", "fr", "de")
    lines = environment.get_template("mail/question.txt.j2").render(context).splitlines()

    for lang in ("nl", "fr", "de"):
        said = words_of(lang)
        assert f"{said['mail.data_and_rights']} {PRIVACY_URL}" in lines
        assert f"{said['mail.complaint']} {VALUES['authority']}" in lines


def says_the_same(context: dict[str, Any]) -> None:
    """Check that both parts of a mail have the same words in the same order."""
    text = environment.get_template("mail/question.txt.j2").render(context)
    html = parsed(environment.get_template("mail/question.html.j2").render(context))
    spoken = text.replace(YES_URL, "").replace(NO_URL, "").replace("* * *", "")
    spoken = spoken.replace("\n- ", "\n")

    assert in_one_line(" ".join(html.words)) == in_one_line(spoken)


@every_language
def test_each_answer_of_the_text_mail_has_its_link_on_the_next_line(lang: str) -> None:
    said = words_of(lang)
    lines = render("mail/question.txt.j2", lang).splitlines()

    assert lines[lines.index(said["button.yes"]) + 1] == YES_URL
    assert lines[lines.index(said["button.no"]) + 1] == NO_URL


@every_language
@pytest.mark.parametrize("name", HTML)
def test_nothing_is_fetched_and_nothing_runs(name: str, lang: str) -> None:
    html = render(name, lang)
    page = parsed(html)

    assert not re.search(r"<script|<img|<link|<iframe|<object|\bsrc=|url\(|@import|\bon\w+=", html)
    assert not {"http-equiv", "srcset", "background"} & {key for _, at in page.tags for key in at}


@every_language
def test_the_mail_links_to_four_places_only(lang: str) -> None:
    html = render("mail/question.html.j2", lang)
    links = [link["href"] for link in parsed(html).all("a")]

    assert links == [YES_URL, NO_URL, f"mailto:{VALUES['email']}", PRIVACY_URL]
    assert html.count("http") == 4  # the privacy address is also written out


@every_language
def test_the_buttons_of_the_mail_differ_in_nothing_but_link_and_words(lang: str) -> None:
    page = parsed(render("mail/question.html.j2", lang))
    yes, no = (link for link in page.all("a") if link.get("class") == "press")
    cells = [cell for cell in page.all("td") if cell.get("class") == "button"]

    assert yes | {"href": ""} == no | {"href": ""}
    assert cells == [cells[0]] * 2


@every_language
def test_a_real_mail_has_no_trace_of_the_test_banner(lang: str) -> None:
    html = render("mail/question.html.j2", lang, test_banner="")
    text = render("mail/question.txt.j2", lang, test_banner="")

    assert not [at for _, at in parsed(html).tags if at.get("class") == "banner"]
    assert text.startswith(words_of(lang)["mail.greeting_question"])


@pytest.mark.parametrize("name", [*PAGES[:-1], "mail/question.html.j2", "mail/question.txt.j2"])
def test_what_the_controller_does_not_have_leaves_no_empty_line(name: str) -> None:
    shown = render(name, "en", authority="", privacy_url="", sender_lines=["Bakery"])

    assert "Complaints" not in shown
    assert "Your data and rights" not in shown
    assert "http" not in shown.replace(YES_URL, "").replace(NO_URL, "")


@every_language
@pytest.mark.parametrize("name", PAGES)
def test_a_page_stays_under_20_kilobytes(name: str, lang: str) -> None:
    assert len(render(name, lang).encode()) < 20_000


@pytest.mark.parametrize("name", HTML)
def test_what_the_controller_wrote_is_never_markup(name: str) -> None:
    hostile = '"><script>alert(1)</script>'
    words: dict[str, Any] = {
        key: hostile
        for context in (CONTEXTS[name]("en"), CONTEXTS[name]("en")["languages"][0])
        for key, value in context.items()
        if isinstance(value, str)
    }
    for lines in ("sender_lines", "details"):
        words |= {lines: [hostile]}
    words |= {"receipt": [(hostile, hostile)], "rows": [(hostile, hostile)]}

    assert "<script" not in render(name, "en", **words)


def test_the_style_of_every_page_is_the_same() -> None:
    """So that a Content-Security-Policy can name it by one hash."""
    styles = {
        tuple(re.findall(r"<style>(.*?)</style>", render(name, lang), re.DOTALL))
        for name in PAGES
        for lang in LANGUAGES
    }

    assert [len(style) for style in styles] == [1]
    assert not any("style" in at for name in PAGES for _, at in parsed(render(name, "en")).tags)


@every_language
@pytest.mark.parametrize("no_first", [True, False])
def test_the_buttons_of_the_page_differ_in_nothing_but_value_and_words(
    lang: str, no_first: bool
) -> None:
    page = parsed(render("page/question.html.j2", lang, no_first=no_first))
    buttons = page.all("button")[:2]

    assert [button["value"] for button in buttons] == (["no", "yes"] if no_first else ["yes", "no"])
    assert buttons[0] | {"value": ""} == buttons[1] | {"value": ""}
    assert {button["name"] for button in buttons} == {"answer"}
    assert not any("autofocus" in at for _, at in page.tags)


@pytest.mark.parametrize("name", PAGES)
def test_a_form_posts_to_its_own_address(name: str) -> None:
    page = parsed(render(name, "en"))
    forms = page.all("form")

    assert forms == [{"method": "post", "autocomplete": "off"}] * len(forms)
    assert len([at for at in page.all("input") if at.get("name") == "nonce"]) == len(forms)
    assert bool(forms) == (name in WITH_A_FORM)


def test_one_purpose_needs_no_box() -> None:
    page = parsed(render("page/question.html.j2", "en"))

    assert {at["type"] for at in page.all("input")} == {"hidden"}


@every_language
def test_several_purposes_are_boxes_and_none_is_ticked(lang: str) -> None:
    html = render("page/question.html.j2", lang, purposes=PURPOSES)
    boxes = [at for at in parsed(html).all("input") if at["type"] == "checkbox"]

    assert boxes == [{"type": "checkbox", "name": "purpose", "value": p["id"]} for p in PURPOSES]
    assert in_one_line(" ".join(parsed(html).words)).count(PURPOSES[1]["text"]) == 1


def test_enter_in_a_box_is_no_answer() -> None:
    """Enter presses the first submit button, which would be a yes that nobody pressed.

    Source: HTML, 4.10.22.2 Implicit submission. Chromium passes over a disabled button,
    so the first one is enabled and hidden; it has the name of the answers, without which a form
    on the page of the unsubscribe link would be taken for the press of a mail program.
    """
    page = parsed(render("page/question.html.j2", "en", purposes=PURPOSES))
    presses = [at for tag, at in page.tags if tag == "button" or at.get("type") == "submit"]

    assert presses[0] == {"type": "submit", "name": "answer", "value": "", "hidden": None}
    assert {press.get("name") for press in presses[1:]} == {"answer"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_title_and_a_heading_in_every_language(name: str) -> None:
    page = parsed(render(name, "en"))

    assert len(page.all("title")) == len(page.all("main")) == 1
    assert len(page.all("h1")) == len(page.all("section"))


def test_a_question_leads_to_a_record_only_where_there_is_one() -> None:
    url = "../yes/x/record"
    page = parsed(render("page/question.html.j2", "en", record_url=url))

    assert next(at["href"] for at in page.all("a")) == url
    assert words_of("en")["receipt.record"] not in render("page/question.html.j2", "en")


def test_what_just_happened_is_a_status() -> None:
    for name in ("page/question.html.j2", "page/thanks.html.j2", "page/declined.html.j2"):
        assert [at for at in parsed(render(name, "en")).all("p") if at.get("role") == "status"]
    assert 'role="status"' not in render("page/question.html.j2", "en", notice="", banner="")


def test_thanks_without_a_receipt_still_offers_to_withdraw() -> None:
    page = parsed(render("page/thanks.html.j2", "en", receipt=[]))

    assert page.all("button")[0]["value"] == "no"
    assert not page.all("dl")


def test_a_no_can_be_corrected_only_while_it_may() -> None:
    may = parsed(render("page/declined.html.j2", "en"))
    may_not = parsed(render("page/declined.html.j2", "en", may_change=False))

    assert [at["value"] for at in may.all("button")] == ["yes", "data", "erase"]
    assert [at["value"] for at in may_not.all("button")] == ["data", "erase"]


def test_a_message_stands_in_every_language_under_its_own_tag() -> None:
    page = parsed(render("page/message.html.j2", "nl"))

    assert [at["lang"] for at in page.all("section")] == ["nl", "de", "en", "fr"]
    assert [at["href"] for at in page.all("a")] == [VALUES["signup_url"]] * 4


def test_the_languages_of_belgium_stand_one_below_the_other() -> None:
    """Each part has its own buttons; the first lines lead to each."""
    context = question_context("nl", "fr", "de")
    page = parsed(environment.get_template("page/question.html.j2").render(context))

    assert [at["lang"] for at in page.all("section")] == ["nl", "fr", "de"]
    assert [at["href"] for at in page.all("a")][:3] == ["#nl", "#fr", "#de"]
    assert [at["id"] for at in page.all("section")] == ["nl", "fr", "de"]
    assert [at["value"] for at in page.all("button")] == ["yes", "no", "data", "erase"] * 3


def test_a_logo_stands_beside_the_name_and_says_nothing_twice() -> None:
    logo = "data:image/png;base64,iVBORw0KGgo="
    page = parsed(render("page/question.html.j2", "en", logo=logo))

    assert page.all("img") == [{"src": logo, "alt": ""}]
    assert VALUES["who"] in page.words


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_on_a_page_stand_out(scheme: int) -> None:
    """Source: WCAG 2.2, 1.4.3 (text, 4.5 to 1) and 1.4.11 (edges, 3 to 1)."""
    roots = re.findall(r":root \{(.*?)\}", render("page/message.html.j2", "en"), re.DOTALL)
    written = dict(re.findall(r"--([\w-]+): (#\w+);", roots[scheme]))
    colour = {name: "#ffffff" if it == "#fff" else it for name, it in written.items()}

    for text, ground in [
        *[(text, ground) for text in ("ink", "soft", "press") for ground in ("sheet", "ground")],
        *[("on-press", "press"), ("on-press", "over"), ("ink", "note"), ("on-test", "test")],
    ]:
        assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
    assert contrast(colour["edge"], colour["sheet"]) >= 3


NIGHT = palette(DEFAULT).night


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *[(text, "#ffffff") for text in ("#1d2327", "#4d5a64", DEFAULT)],
        *[(text, "#1d2327") for text in ("#eceff1", "#b6c0c7", NIGHT.press)],
        *[("#ffffff", DEFAULT), (NIGHT.words, NIGHT.press)],
        *[("#4a3a00", "#fff3c4"), ("#fff3c4", "#4a3a00")],
    ],
)
def test_words_in_the_mail_stand_out(text: str, ground: str) -> None:
    """Source: WCAG 2.2, 1.4.3."""
    html = render("mail/question.html.j2", "en")

    assert text in html
    assert ground in html
    assert contrast(text, ground) >= 4.5
