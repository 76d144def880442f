"""`inbound --csv`: what a provider's export says of bounces, complaints and unsubscribes."""

from __future__ import annotations

import csv
import signal
import zipfile
from pathlib import Path

import pytest

from tests.journeys.campaign import DOMAIN, LISTED, Campaign, address, wait_until
from tests.journeys.terminal import typed

pytestmark = pytest.mark.journey

_ROWS = (
    ("delivered", 0, ""),
    ("bounce", 1, "550 5.1.1 no such user"),
    ("hard bounce", 2, ""),
    ("soft bounce", 3, "552 5.2.2 full"),
    ("bounce", 4, "550 5.7.1 blocked"),
    ("bounced", 5, ""),
    ("spamreport", 6, ""),
    ("unsubscribe", 7, ""),
    ("zapped", 8, ""),
    ("unsubscribe", 70_000, ""),  # who is no recipient
    ("hard bounce", 70_001, ""),
)


def an_export(folder: Path, name: str = "events.csv") -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("event", "email", "reason", "sender"))
        for event, number, reason in _ROWS:
            writer.writerow((event, address(number), reason, "nieuws@tuinvrienden.example"))
    return path


def test_an_export_is_settled_once(asked: Campaign) -> None:
    export = an_export(asked.outside)
    looked = asked.here("inbound", "--csv", export, "--dry-run", "--json").json
    assert looked["addresses"] == {"hard": 3, "complaint": 1, "unsubscribe": 2}
    assert asked.standings()["asked"] == LISTED

    first = asked.run("inbound", "--csv", export)
    after = asked.status()
    again = asked.here("inbound", "--csv", export, "--json").json

    assert "3 dead addresses, 1 complaint, 2 unsubscribes" in first.err
    assert "'zapped' (1)" in first.err
    assert "2 recipients undeliverable, 2 opted out; 3 addresses newly suppressed" in first.out
    assert asked.standings()["undeliverable"] == 2
    assert asked.standings()["opted_out"] == 2
    assert again == looked | {
        "undeliverable": 0,
        "undeliverable_before": 2,
        "opted_out": 0,
        "opted_out_before": 2,
        "suppressed": 0,
        "untouched": 0,
        "unknown_addresses": 1,
        "leaving": 0,
    }
    rest = ("about_us", "temporary", "unclear", "other")
    assert {name: looked["rows"][name] for name in rest} == dict.fromkeys(rest, 1)
    assert looked["unknown"] == {"zapped": 1}
    assert asked.status() == after
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_an_archive_may_hold_lists_that_say_nothing(asked: Campaign) -> None:
    """As Mailchimp exports an audience: those who are subscribed, too."""
    archive = asked.outside / "audience.zip"
    with zipfile.ZipFile(archive, "w") as file:
        head = "Email Address,First Name"
        file.writestr("subscribed_export.csv", f"{head}\n{address(1)},An\n")
        file.writestr("cleaned_export.csv", f"{head},CLEAN_TIME\n{address(2)},Jan,2026-11-02\n")
        file.writestr(
            "unsubscribed_export.csv", f"{head},UNSUB_TIME\n{address(3)},Els,2026-11-02\n"
        )

    said = asked.here("inbound", "--csv", archive)

    assert "passed over: says nothing of what happened" in said.err
    assert asked.standings()["undeliverable"] == 1
    assert asked.standings()["opted_out"] == 1


def test_a_file_that_does_not_say_what_happened_is_refused(asked: Campaign) -> None:
    """Whatever its name says."""
    path = asked.outside / "suppression_spam_reports.csv"
    path.write_text(f"email,ip,created\n{address(1)},192.0.2.1,1793527872\n", "utf-8")

    refused = asked.here("inbound", "--csv", path, expect=1).err

    assert "no column says what happened to each address" in refused
    assert "--map event=complaint" in refused
    asked.here("inbound", "--csv", path, "--map", "event=complaint")
    assert asked.standings()["opted_out"] == 1
    wrong = asked.here("inbound", "--csv", path, "--map", "event=nothing", expect=2).err
    assert "names no column of this list" in wrong
    assert "go with --csv" in asked.here("inbound", "--map", "event=x", expect=2).err
    both = asked.here("inbound", "--csv", path, "--imap", expect=2).err
    assert "or --csv FILE" in both


def test_a_person_at_the_terminal_sees_the_counts_first(asked: Campaign) -> None:
    export = an_export(asked.outside)
    words = ("--config", asked.config, "inbound", "--csv", export)

    kept = typed(words, [("Settle that, for good?", "n")], cwd=asked.outside, code=1)
    assert "3 dead addresses" in kept
    assert asked.standings()["asked"] == LISTED
    typed(words, [("Settle that, for good?", "y")], cwd=asked.outside)
    assert asked.standings()["asked"] == LISTED - 4


def test_a_person_at_the_terminal_says_in_which_column_the_addresses_are(asked: Campaign) -> None:
    path = asked.outside / "events.csv"
    path.write_text(f"event,een,twee\nhard bounce,{address(1)},{address(2)}\n", "utf-8")
    words = ("--config", asked.config, "inbound", "--csv", path)

    shown = typed(words, [("Which is right", "2"), ("for good?", "y")], cwd=asked.outside)
    by_option = asked.here("inbound", "--csv", path, "--map", "address=3", "--json").json

    assert "2  address=3: 1 address" in shown
    assert by_option["undeliverable_before"] == 1


def test_killed_in_the_middle_it_is_run_again(asked: Campaign) -> None:
    path = asked.outside / "many.csv"
    people = [*(address(number) for number in range(LISTED)), *_strangers(20_000)]
    path.write_text("email,event\n" + "".join(f"{each},unsubscribe\n" for each in people), "utf-8")
    running = asked.start("inbound", "--csv", path)
    wait_until(lambda: asked.standings().get("opted_out", 0) > 0)
    running.signal(signal.SIGKILL)
    assert running.process.wait() != 0

    asked.here("inbound", "--csv", path)

    assert asked.standings()["opted_out"] == LISTED
    assert asked.here("inbound", "--csv", path, "--json").json["suppressed"] == 0


def _strangers(count: int) -> list[str]:
    return [f"vreemd-{number}@{DOMAIN}" for number in range(count)]
