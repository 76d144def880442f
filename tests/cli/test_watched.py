import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.cli.glance import Glance
from repermit.cli.next_step import step_lines
from repermit.cli.watched import HOURS, Rate, Seen, alarm, lines, sparkline
from repermit.domain.situation import Situation
from repermit.ledger.store.waves import Wave
from repermit.runtime import Runtime
from tests.builders import NOW, FakeClock
from tests.report.courses import ROOT, Row, figures_of, people
from tests.respond.builders import write_config

DAY = timedelta(days=1)
QUIET = tuple([(0, 0)] * HOURS)
INBOX = 'maildir = "inbox"'
OPEN = Situation(
    *(NOW, True),
    admitted=9,
    knows_opt_outs=True,
    has_asked=True,
    is_page_up=True,
    open=9,
    first_due=NOW + 5 * DAY,
)


@pytest.fixture
def a_runtime(tmp_path: Path) -> Runtime:
    """A campaign whose ledger nobody opens."""
    return Runtime.of(write_config(tmp_path), FakeClock())


def seen(runtime: Runtime, now: Situation = OPEN, **changes: object) -> Seen:
    """Return one look at a campaign; *changes* are of its figures."""
    return Seen(Glance(runtime, now, figures_of(people(), **changes)), 500, QUIET, None)


def text_of(found: Seen, *, width: int = 100, rate: float | None = None) -> str:
    """Return what is shown of it."""
    runtime = found.glance.runtime
    return "\n".join(line.plain for line in lines(found, runtime, rate, width=width))


def test_the_rate_is_that_of_the_last_minute() -> None:
    rate = Rate()

    assert rate.of(100, 0.0) is None
    assert rate.of(100, 0.0) is None
    assert rate.of(120, 2.0) == 10
    assert rate.of(120, 62.5) == 0
    assert rate.of(0, 64.0) == 0  # another ledger was put in its place


def test_a_sparkline_has_a_column_for_each_count() -> None:
    assert sparkline([0, 1, 4, 8]) == " ▁▄█"
    assert sparkline([0, 0]) == "  "
    assert sparkline([10**9, 1]) == "█▁"


def test_nothing_is_wrong_where_nothing_is(a_runtime: Runtime) -> None:
    assert "!" not in text_of(seen(a_runtime))


def test_what_is_wrong_and_what_comes_next_is_what_repermit_says(a_runtime: Runtime) -> None:
    now = replace(OPEN, replies=2, due=3, must_hand_over=True, is_paused=True)
    found = seen(a_runtime, now)
    shown = " ".join(text_of(found, width=60).split())

    assert len(found.glance.faults) == 2
    for _, what, do in found.glance.faults:
        assert f"! {what} what to do: {do}" in shown
    for line in step_lines(found.glance.step, None):
        assert line.strip() in shown


@pytest.mark.parametrize(
    ("now", "command"),
    [
        (replace(OPEN, due=3, must_hand_over=True), "repermit handover DIR"),
        (replace(OPEN, due=3, replies=1), "repermit inbound review"),
        (replace(OPEN, due=3), "repermit purge --dry-run"),
    ],
)
def test_once_the_time_is_over_the_step_alone_names_a_command(
    a_runtime: Runtime, now: Situation, command: str
) -> None:
    found = seen(a_runtime, now, first_due=NOW - 5 * DAY, last_due=NOW - 5 * DAY)

    shown = text_of(found).splitlines()

    assert f"Next: `{command}`" in shown
    assert "last day to answer: 2026-11-16 (over)" in shown


def test_the_last_day_to_answer_is_told_with_the_days_left(a_runtime: Runtime) -> None:
    soon = seen(a_runtime, first_due=NOW + 5 * DAY, last_due=NOW + 7 * DAY)

    assert "last day to answer: 2026-11-26 (5 days left), for the last 2026-11-28" in text_of(soon)


def test_the_wave_and_the_next_try_are_told(tmp_path: Path) -> None:
    runtime = Runtime.of(write_config(tmp_path, maildir=INBOX), FakeClock())
    wave = Wave(2, 1, 500, 120, False, 0, None, None, 0)
    done = replace(wave, mails=500, ended_at=NOW - timedelta(hours=1))
    found = seen(runtime)

    assert "wave 2: 120 of 500 mails" in text_of(replace(found, wave=wave))
    assert "wave 2: 120 mails" in text_of(replace(found, wave=replace(wave, size=None)))
    assert "wave 2 is done" in text_of(replace(found, wave=done))
    assert "put off: 2026-11-21 10:30" in text_of(seen(runtime, next_try=NOW))


def test_the_bars_are_what_a_report_counts(a_runtime: Runtime) -> None:
    """Whoever said no before any mail was not asked; a yes and a no at once is no silence."""
    rows: list[Row] = [
        *(("", None, "opted_out", False, False, 1), ("", None, "opted_out", False, True, 2)),
        *(("", None, "asked", False, True, 3), ("", None, "asked", True, True, 4)),
        *(("", None, "claimed", False, True, 5), ("", None, "doubtful", False, True, 6)),
    ]
    shown = text_of(Seen(Glance(a_runtime, OPEN, figures_of(rows)), 0, QUIET, None))

    assert dict(re.findall(r"^(\D+?) +(\d+) +█+$", shown, re.MULTILINE)) == {
        "to be asked": "5",
        "not asked": "1",
        "asked, silent": "3",
        "said no": "2",
        "yes and no": "4",
        "doubtful": "6",
    }


def test_it_says_where_a_campaign_stands(a_runtime: Runtime) -> None:
    assert text_of(seen(a_runtime, Situation(NOW))).splitlines()[0].endswith(": no list yet")
    assert text_of(seen(a_runtime)).splitlines()[0].endswith(": waiting for answers")
    assert "12.5 a second" in text_of(seen(a_runtime), rate=12.5)


@pytest.mark.parametrize("width", [1, 10, 40, 200])
def test_no_line_is_wider_than_the_terminal(a_runtime: Runtime, width: int) -> None:
    found = text_of(seen(a_runtime, replace(OPEN, is_paused=True)), width=width)

    assert max(map(len, found.splitlines())) <= width
    assert (ROOT in found) is (width == 200)


def test_what_a_terminal_would_obey_is_not_shown_of_a_failure() -> None:
    """Such as the name of a folder, or the words of a database server."""
    told = alarm("no \x1b[2Jledger", "look at \x1b]0;x\x07it", width=80)
    assert [line.plain for line in told] == [
        "! no \ufffd[2Jledger",
        "  what to do: look at \ufffd]0;x\ufffdit",
    ]
