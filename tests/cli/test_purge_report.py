"""The report of a purge and the notices about one, in each of their languages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from repermit.cli.begin import write_campaign
from repermit.cli.purgereport import mailed, make
from repermit.cli.telling import told
from repermit.domain.clock import SystemClock
from repermit.domain.due import Reason
from repermit.report import papers
from repermit.runtime import Runtime
from tests.cli.sample_report import CHECKPOINT, a_report
from tests.test_templates import parsed

_LANGUAGES = ("nl", "fr", "de", "en")
_CODES = (
    *("outage", "last_hours", "unknown", "gap", "outside_clock", "clock", "links", "leaving"),
    *("log", "running", "older_copy", "at_most", "not_scheduled", "untold", "paused"),
    *("elsewhere", "import"),
)
every_language = pytest.mark.parametrize("language", _LANGUAGES)


def campaign_in(folder: Path, language: str) -> Runtime:
    """Return a campaign whose default language is *language*."""
    write_campaign(folder / "campaign", {})
    config = folder / "campaign" / "config.toml"
    text = re.sub(
        r'^default_language = "..".*$',
        f'default_language = "{language}"',
        config.read_text("utf-8"),
        flags=re.MULTILINE,
    )
    config.write_text(text, "utf-8")
    return Runtime.of(config, SystemClock())


def page_of(runtime: Runtime, **changes: Any) -> str:
    """Return the words of the page of a report, in one line."""
    html = papers.page(make(runtime, json.loads(a_report(**changes))), runtime.templates)
    return " ".join(" ".join(parsed(html).words).split())


@every_language
def test_a_report_says_all_of_it_on_a_page_that_needs_nothing(
    tmp_path: Path, language: str
) -> None:
    runtime = campaign_in(tmp_path, language)
    html = papers.page(make(runtime, json.loads(a_report())), runtime.templates)
    page, words = parsed(html), page_of(runtime)

    assert page.all("html")[0]["lang"] == language
    assert not page.all("script")
    assert not page.all("img")
    assert not page.all("link")
    for said in ("An Peeters", "410", "400", "12", "4711", "ab" * 32, "Jan Claes", "Mailchimp"):
        assert said in words
    assert "SP 800-88" in words
    assert "4711" in words
    assert CHECKPOINT.format(4720).splitlines()[-1] in words
    assert "repermit handover" in words
    assert "1 h 35 min" in words
    assert len(page.all("li")) >= 6 + 5 + 2
    assert "@" not in words.replace("@page", "")


def test_a_report_of_a_campaign_that_is_closed_says_so(tmp_path: Path) -> None:
    words = page_of(campaign_in(tmp_path, "en"), reasons=["withheld", "never_sent"])

    assert "has closed this campaign" in words


def test_a_report_says_it_when_nobody_knew_and_a_person_went_on(tmp_path: Path) -> None:
    runtime = campaign_in(tmp_path, "en")
    reason = "the monitor of the host had it up: 100 %"

    words = page_of(runtime, accepted_outage=reason, scheduled=False, readings={})

    assert f"said why: “{reason}”" in words
    assert "No readings were kept." in words
    assert "on schedule" not in words


def test_a_report_names_the_files_with_traces(tmp_path: Path) -> None:
    runtime = campaign_in(tmp_path, "en")
    scan = {
        "files": 3,
        "bytes": 9,
        "removal": [["no.csv", 7]],
        "missing": 0,
        "unread": 0,
        "ledger": 2,
    }

    words = page_of(runtime, scan=scan | {"traces": [["opted-in.csv", 3]]}, places=[])

    assert "Traces found: 5." in words
    assert "opted-in.csv: 3" in words
    assert "repermit.db: 2" in words
    assert "no.csv: 7" in words
    assert "No other place was named." in words


@every_language
def test_the_mail_says_the_same_in_plain_text(tmp_path: Path, language: str) -> None:
    runtime = campaign_in(tmp_path, language)
    report = json.loads(a_report())

    mail = mailed(runtime, 7, report, make(runtime, report))

    subject, _, text = mail.text.partition("\n")
    assert runtime.config.campaign.name in subject
    assert "410" in subject
    assert CHECKPOINT.format(4720).strip() in text
    assert not re.search(r"\*\*|`|\\[-_.(]|^#", text, re.MULTILINE)
    assert mail.once == "purged 7"


@every_language
def test_every_reason_and_every_refusal_has_its_words(tmp_path: Path, language: str) -> None:
    runtime = campaign_in(tmp_path, language)
    moment = datetime(2026, 12, 29, 10, tzinfo=UTC)

    for code in _CODES:
        reasons = [{"code": code, "text": "so much", "until": moment}]
        text = told(runtime, "refused", "x", {"due": 412, "reasons": reasons}).text
        assert re.search(rf"^- {code}: \S.{{10,}}\n  so much\n  .*2026", text, re.MULTILINE), text
    facts = {"first": moment, "due": 412, "in_all": 800, "reasons": list(map(str, Reason))}
    coming = told(runtime, "purge", "x", facts).text
    assert coming.count("\n- ") == len(Reason) + 3
    for said in ("412", "800", "repermit pause", "person --hold", "purge.scheduled = []"):
        assert said in coming


@every_language
def test_a_report_says_what_would_open_an_older_copy_after_all(
    tmp_path: Path, language: str
) -> None:
    assert "keys/burn" in page_of(campaign_in(tmp_path, language))
