"""The report of a purge and the notices about one, in each of their languages."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from repermit.cli.begin import write_campaign
from repermit.cli.purgecontent import require_no_trace
from repermit.cli.purgereport import mailed, make
from repermit.cli.purging import watch_of
from repermit.cli.telling import told
from repermit.domain.clock import SystemClock
from repermit.domain.due import Reason
from repermit.domain.question import day_in_words
from repermit.errors import ProofBroken
from repermit.ledger.log import canonical
from repermit.purge.report import BEYOND, IMAP, MAILDIR, SERVER
from repermit.report import papers
from repermit.runtime import Runtime
from tests.cli.sample_report import a_report
from tests.test_templates import parsed

_LANGUAGES = ("nl", "fr", "de", "en")
_CODES = (
    *("outage", "last_hours", "unknown", "gap", "outside_clock", "clock", "links", "leaving"),
    "revoked",
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
    html = papers.page(make(runtime, a_report(**changes)), runtime.templates)
    return " ".join(" ".join(parsed(html).words).split())


@every_language
def test_a_report_says_all_of_it_on_a_page_that_needs_nothing(
    tmp_path: Path, language: str
) -> None:
    runtime = campaign_in(tmp_path, language)
    html = papers.page(make(runtime, a_report()), runtime.templates)
    page, words = parsed(html), page_of(runtime)

    assert page.all("html")[0]["lang"] == language
    assert not page.all("script")
    assert not page.all("img")
    assert not page.all("link")
    for said in ("An", "6", "3", "Jan Claes", "Mailchimp", "744 h 00 min"):
        assert said in words
    report = a_report()
    assert report["manifest"]["sha256"] in words
    assert str(report["manifest"]["entry"]) in words
    assert report["log"]["after"].splitlines()[-1] in words
    assert day_in_words(date(2026, 12, 22), language) in words.partition("Mailchimp")[2][:80]
    assert "SP 800-88" in words
    assert "repermit handover" in words
    assert "journald" in words
    assert len(page.all("li")) >= 6 + 5 + 2
    assert "@" not in words.replace("@page", "")
    (signed,) = runtime.signing.verifying.reports_in(html)
    assert (signed.number, signed.hash) == (1, sha256(canonical(report)).hexdigest())


@every_language
def test_a_report_names_each_place_to_which_nobody_was_named(tmp_path: Path, language: str) -> None:
    runtime = campaign_in(tmp_path, language)
    places = [each | {"named": False} for each in a_report()["places"]]
    nowhere = {
        "nl": "geen overdracht vóór",
        "fr": "aucune remise avant",
        "de": "keine Übergabe vor",
        "en": "no hand-over before",
    }[language]

    assert page_of(runtime).count(nowhere) == 0
    assert page_of(runtime, places=places).count(nowhere) == 2


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
        "missing": 1,
        "unread": 0,
        "names": ["earlier.csv"],
        "ledger": 2,
    }

    words = page_of(runtime, scan=scan | {"traces": [["opted-in.csv", 3]]}, places=[])

    assert "Traces found: 5." in words
    assert "opted-in.csv: 3" in words
    assert f"{runtime.config.ledger_path.name}: 2" in words
    assert "earlier.csv" in words
    assert "no.csv: 7" in words
    assert "No other place was named." in words


@every_language
def test_a_report_says_all_of_it_in_words_of_its_language(tmp_path: Path, language: str) -> None:
    why = [{"code": "unknown", "text": "x", "until": "2027-01-02T00:00:00Z"}]
    readings = a_report()["readings"] | {
        "extended_until": "2026-12-30T23:00:00Z",
        "accepted": {"reason": "we sat by it", "refusals": why},
        "postponed": [
            {"to": "2026-12-28T23:00:00Z", "people": 37, "why": why, "until": why[0]["until"]}
        ],
    }
    scan = a_report()["scan"] | {"missing": 3, "unread": 8}
    given = {"by": "the schedule in the config", "accepted_outage": "we sat by it"}

    words = page_of(campaign_in(tmp_path, language), readings=readings, scan=scan, **given)

    assert ("the schedule in the config" in words) is (language == "en")
    for raw in (
        "refusals",
        "postponed",
        "extended_until",
        "outside ahead",
        "told 1",
        "last hours:",
    ):
        assert raw not in words
    assert "backup/repermit.db" in words
    assert "37" in words
    assert re.search(r"\b3 \D+\b8 ", words)
    assert "30 " in words


@every_language
def test_a_report_names_the_mailboxes_that_no_purge_reads(tmp_path: Path, language: str) -> None:
    runtime = campaign_in(tmp_path, language)
    words = page_of(runtime, beyond=[*BEYOND, MAILDIR, IMAP])

    assert "repermit-handled" in words
    assert "repermit-quarantine" in words
    assert re.search(r"\bmaildir\b", words, re.IGNORECASE)
    assert not any(name in words for name in (*BEYOND, IMAP))


@every_language
def test_a_report_says_what_of_a_shared_database_only_the_destroyed_keys_reach(
    tmp_path: Path, language: str
) -> None:
    words = page_of(campaign_in(tmp_path, language), beyond=[*BEYOND, SERVER])

    assert "VACUUM" in words
    assert SERVER not in words


@every_language
def test_a_report_names_the_machines_that_may_hold_the_old_keys(
    tmp_path: Path, language: str
) -> None:
    runtime = campaign_in(tmp_path, language)

    assert "web2" in page_of(runtime, machines=["web2"])
    assert "web2" not in page_of(runtime)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("", ()),
        ('maildir = "inbound"', ()),
        ('maildir = "/var/mail/garden"', (MAILDIR,)),
        ('imap = "imaps://bounces@mail.example"', (IMAP,)),
    ],
)
async def test_a_purge_is_told_which_mailboxes_it_does_not_read(
    tmp_path: Path, line: str, named: tuple[str, ...]
) -> None:
    config = campaign_in(tmp_path, "en").config.path
    text = config.read_text("utf-8").replace("[inbound]\n", f"[inbound]\n{line}\n")
    config.write_text(text, "utf-8")

    assert (await watch_of(Runtime.of(config, SystemClock()))).beyond == named


@every_language
def test_the_mail_says_the_same_in_plain_text(tmp_path: Path, language: str) -> None:
    runtime = campaign_in(tmp_path, language)
    report = a_report()

    mail = mailed(runtime, 1, report, make(runtime, report))

    subject, _, text = mail.text.partition("\n")
    assert runtime.config.campaign.name in subject
    assert "6" in subject
    assert report["log"]["after"].strip() in text
    assert len(runtime.signing.verifying.reports_in(text)) == 1
    assert not re.search(r"\*\*|`|\\[-_.(]|^#", text, re.MULTILINE)
    assert mail.once == "purged 1"


@every_language
def test_every_reason_and_every_refusal_has_its_words(tmp_path: Path, language: str) -> None:
    runtime = campaign_in(tmp_path, language)
    moment = datetime(2026, 12, 29, 10, tzinfo=UTC)

    for code in _CODES:
        reasons = [{"code": code, "text": "so much", "until": moment}]
        text = told(runtime, "refused", "x", {"due": 412, "reasons": reasons}).text
        assert re.search(rf"^- {code}: \S.{{10,}}\n  so much\n  .*2026", text, re.MULTILINE), text
    facts = {
        "first": moment,
        "due": 412,
        "in_all": 800,
        "days": 7,
        "reasons": list(map(str, Reason)),
    }
    coming = told(runtime, "purge", "x", facts).text
    assert coming.count("\n- ") == len(Reason) + 3
    for said in ("412", "800", "repermit pause", "person --hold", "purge.scheduled = []"):
        assert said in coming


@every_language
def test_a_report_says_what_would_open_an_older_copy_after_all(
    tmp_path: Path, language: str
) -> None:
    assert "keys/burn" in page_of(campaign_in(tmp_path, language))


def test_somebody_in_two_files_is_one_person() -> None:
    scan = {"gone": 31, "ledger": 0}
    content = {"traces": 62, "traced": {"a.csv": 31, "b.csv": 31}, "report": {"scan": scan}}

    with pytest.raises(ProofBroken, match="31 purged people in 2 files can still be read"):
        require_no_trace(content)


@every_language
def test_a_report_names_the_copies_of_keys_that_are_out_of_reach(
    tmp_path: Path, language: str
) -> None:
    runtime = campaign_in(tmp_path, language)
    gone = {"destroyed": 41, "out_of_reach": []}
    away = {**gone, "out_of_reach": ["/mnt/nas/burn/1.key"]}
    said = {"nl": "41 vernietigd", "fr": "41 détruites", "de": "41 zerstört", "en": "41 destroyed"}

    assert "/mnt/nas/burn/1.key" in page_of(runtime, key_copies=away)
    assert f"{said[language]}." in page_of(runtime, key_copies=gone)
    assert said[language] not in page_of(runtime)
