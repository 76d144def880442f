from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from repermit.cli.watched import HOURS, Rate, Seen, alarm, lines, sparkline, wrong
from repermit.dispatch.objection import Objection
from repermit.ledger.store.campaign import LastPurge
from repermit.ledger.store.probing import Sight, Vantage
from repermit.ledger.store.returns import Returns
from repermit.ledger.store.waves import Wave
from repermit.runtime import Runtime
from tests.builders import NOW, FakeClock
from tests.report.courses import ROOT, figures_of, people
from tests.respond.builders import write_config

DAY = timedelta(days=1)
QUIET = tuple([(0, 0)] * HOURS)
INBOX = 'maildir = "inbox"'


@pytest.fixture
def a_runtime(tmp_path: Path) -> Runtime:
    """A campaign whose ledger nobody opens."""
    return Runtime.of(write_config(tmp_path), FakeClock())


def seen(**changes: object) -> Seen:
    """Return one look at a campaign in which nothing is wrong, but for *changes* of its figures."""
    healthy = {"returns": Returns(0, NOW, 0, {}, {}, {})}
    rows = [row for row in people() if row[2] != "doubtful"]
    return Seen(figures_of(rows, **(healthy | changes)), 500, QUIET, None, NOW)


def text_of(found: Seen, runtime: Runtime, *, width: int = 100, rate: float | None = None) -> str:
    """Return what is shown of it."""
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
    assert list(wrong(seen(), a_runtime)) == []
    assert "!" not in text_of(seen(), a_runtime)


@pytest.mark.parametrize(
    ("changes", "what", "do"),
    [
        ({"paused_at": NOW}, "paused", "`repermit resume`"),
        (
            {"stopped_at": NOW, "stopped_for": vars(Objection("complaints", 1, 500, 7))},
            *("7 recipients complained", "`repermit send --continue`"),
        ),
        (
            {"page_failed": Sight(NOW, Vantage.HERE, "refused")},
            *("the connection is refused", "`repermit probe`"),
        ),
        (
            {"returns": Returns(2, NOW, 2, {}, {}, {})},
            *("2 replies wait", "`repermit inbound review`"),
        ),
        ({"last_purge": LastPurge(1, 5, None)}, "a purge", "`repermit purge`"),
        (
            {"outbox": {"owed": 0, "doubtful": 1, "failed": 1}},
            *("2 mails of the outbox", "`repermit doubt list`"),
        ),
    ],
)
def test_what_is_wrong_comes_with_what_to_do(
    a_runtime: Runtime, changes: dict[str, object], what: str, do: str
) -> None:
    ((told, cure),) = wrong(seen(**changes), a_runtime)

    assert what in told
    assert do in cure


def test_whoever_may_or_may_not_have_had_the_mail_is_told(a_runtime: Runtime) -> None:
    figures = figures_of([("customer", None, "doubtful", False, True, 1)])

    ((told, _),) = wrong(replace(seen(), figures=figures), a_runtime)

    assert told.startswith("1 person may or may not")


@pytest.mark.parametrize("ago", [None, 2 * DAY])
def test_bounces_that_nobody_reads_are_told(tmp_path: Path, ago: timedelta | None) -> None:
    runtime = Runtime.of(write_config(tmp_path, maildir=INBOX), FakeClock())
    last = None if ago is None else NOW - ago

    ((told, cure),) = wrong(seen(returns=Returns(0, last, 0, {}, {}, {})), runtime)

    assert "what comes back was" in told
    assert cure == "`repermit inbound`"


def test_the_last_day_to_answer_is_told_with_the_days_left(a_runtime: Runtime) -> None:
    soon = seen(first_due=NOW + 5 * DAY, last_due=NOW + 7 * DAY)
    over = seen(first_due=NOW - 5 * DAY, last_due=NOW - 5 * DAY)

    assert "last day to answer: 2026-11-26 (5 days left), for the last 2026-11-28" in text_of(
        soon, a_runtime
    )
    assert "(over: `repermit purge --dry-run`)" in text_of(over, a_runtime)


def test_the_next_wave_and_the_next_try_are_told(tmp_path: Path) -> None:
    runtime = Runtime.of(write_config(tmp_path, maildir=INBOX), FakeClock())
    wave = Wave(2, 1, 500, 120, False, 0, None, None, 0)
    done = replace(wave, mails=500, ended_at=NOW - timedelta(hours=1))
    waited = replace(done, ended_at=NOW - 100 * DAY)

    assert "wave 2: 120 of 500 mails" in text_of(replace(seen(), wave=wave), runtime)
    assert "wave 2: 120 mails" in text_of(replace(seen(), wave=replace(wave, size=None)), runtime)
    assert "the next one may begin 2026-11-" in text_of(replace(seen(), wave=done), runtime)
    assert "may begin now: `repermit send`" in text_of(replace(seen(), wave=waited), runtime)
    assert "put off: 2026-11-21 10:30" in text_of(seen(next_try=NOW), runtime)
    for held in ("paused_at", "closed_at"):
        found = text_of(replace(seen(**{held: NOW}), wave=waited), runtime)
        assert "wave 2 is done" in found
        assert "repermit send" not in found


def test_it_says_where_a_campaign_stands(a_runtime: Runtime) -> None:
    nobody = replace(seen(), figures=figures_of(), mails=0)

    assert "nobody is imported yet" in text_of(nobody, a_runtime)
    assert "nobody is asked yet" in text_of(replace(seen(), mails=0), a_runtime)
    assert "closed" in text_of(seen(closed_at=NOW), a_runtime)
    assert "12.5 a second" in text_of(seen(), a_runtime, rate=12.5)
    assert "25 wait for their mail" in text_of(seen(), a_runtime)


@pytest.mark.parametrize("width", [1, 10, 40, 200])
def test_no_line_is_wider_than_the_terminal(a_runtime: Runtime, width: int) -> None:
    found = text_of(seen(paused_at=NOW), a_runtime, width=width)

    assert max(map(len, found.splitlines())) <= width
    assert (ROOT in found) is (width == 200)


def test_what_a_terminal_would_obey_is_not_shown_of_a_failure() -> None:
    """Such as the name of a folder, or the words of a database server."""
    told = alarm("no \x1b[2Jledger", "look at \x1b]0;x\x07it", width=80)
    assert [line.plain for line in told] == [
        "! no \ufffd[2Jledger",
        "  what to do: look at \ufffd]0;x\ufffdit",
    ]
