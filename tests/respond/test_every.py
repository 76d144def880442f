"""Every page is made once before anybody sees one, so that what is wrong with one is found then."""

from __future__ import annotations

from pathlib import Path

import pytest

from repermit.cli.assembly import pages
from repermit.errors import WordingIncomplete
from repermit.respond.every import LARGEST_PAGE, check
from repermit.respond.view import KINDS, NOTICES
from repermit.runtime import Runtime, shipped
from tests.builders import FakeClock
from tests.respond.builders import write_config

REASONS = ("signed_up_no_proof", "past_customer", "customer", "gave_address_only")


def checked(folder: Path, *, several: bool = False, **changes: str) -> None:
    runtime = Runtime.of(write_config(folder, several=several, **changes), FakeClock())
    check(pages(runtime))


def say(folder: Path, **sentences: int) -> None:
    """Let those sentences in the campaign's own Dutch be so many letters long."""
    own = folder / "templates" / "wording"
    own.mkdir(parents=True, exist_ok=True)
    lines = [f'{key.replace("__", ".")} = "{"x" * size}"' for key, size in sentences.items()]
    (own / "nl.toml").write_text("\n".join(lines), "utf-8")


@pytest.mark.parametrize("several", [False, True])
def test_the_pages_of_this_release_are_all_right(campaign_folder: Path, *, several: bool) -> None:
    checked(campaign_folder, several=several)
    checked(campaign_folder, several=several, sensitive="sensitive = true")


@pytest.mark.parametrize("kind", [*KINDS, "message"])
def test_a_template_that_is_broken_is_found(campaign_folder: Path, kind: str) -> None:
    own = campaign_folder / "templates" / "page"
    own.mkdir(parents=True)
    name = f"{kind}.html.j2"
    text = (shipped() / "page" / name).read_text("utf-8")
    broken = text.replace("{% block screen %}", "{% block screen %}{{ said.nothing }}")
    (own / name).write_text(broken, "utf-8")

    with pytest.raises(WordingIncomplete, match=f"template page/{kind}.html.j2"):
        checked(campaign_folder)


@pytest.mark.parametrize(
    "condition",
    [
        *(f"said.notice == {notice!r}" for notice in NOTICES if notice),
        *("said.no_first", "said.details | length == 3", "banner"),
    ],
)
def test_what_is_broken_on_some_pages_only_is_found(campaign_folder: Path, condition: str) -> None:
    """Each notice, No first, a sensitive list, a test: the page that breaks is made."""
    own = campaign_folder / "templates"
    (own / "page").mkdir(parents=True)
    (own / "wording").mkdir()
    keys = [notice.partition(".")[2] for notice in NOTICES if notice]
    told = "\n".join(f'{key} = "page.{key}"' for key in keys)
    (own / "wording" / "nl.toml").write_text(f"[page]\n{told}\n", "utf-8")
    text = (shipped() / "page" / "question.html.j2").read_text("utf-8")
    breaks = "{% block screen %}{% if " + condition + " %}{{ said.nothing }}{% endif %}"
    broken = text.replace("{% block screen %}", breaks)
    (own / "page" / "question.html.j2").write_text(broken, "utf-8")

    with pytest.raises(WordingIncomplete, match=r"template page/question\.html\.j2"):
        checked(campaign_folder)


@pytest.mark.parametrize(
    "key",
    [
        *(f"why__{reason}" for reason in (*REASONS, "company_mailbox")),
        *("page__suspect", "page__declined_mistake", "receipt__keep", "record__intro"),
        *("rights__data_sent", "rights__erase_sentence", "rights__erased", "page__failure"),
    ],
)
def test_a_page_that_is_too_large_is_found(campaign_folder: Path, key: str) -> None:
    say(campaign_folder, **{key: LARGEST_PAGE})
    with pytest.raises(WordingIncomplete, match=r"has .* bytes, and 20000 are the most"):
        checked(campaign_folder)


def test_what_is_too_large_only_together_is_found(campaign_folder: Path) -> None:
    """One reason and one notice, each of which would do with any other."""
    for alone in ("why__customer", "page__suspect"):
        say(campaign_folder, **{alone: 5_000})
        checked(campaign_folder)
    say(campaign_folder, why__customer=5_000, page__suspect=5_000)

    with pytest.raises(WordingIncomplete, match=r"in nl\+fr\+de has"):
        checked(campaign_folder)
