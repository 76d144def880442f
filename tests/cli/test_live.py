"""What `send` shows of itself while it runs."""

from __future__ import annotations

import pytest

from repermit.cli.live import Live
from repermit.dispatch.plan import Sent


class Ticking:
    """A clock that is turned by hand."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_plain_lines_come_every_ten_seconds_however_many_mails_leave(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Ticking()
    live, sent = Live(None, terminal=False, clock=clock), Sent(to_send=5000)

    for _ in range(2500):
        sent.asked += 1
        live(sent)
    assert capsys.readouterr().err == ""
    clock.seconds += 10
    sent.deferred, sent.in_flight = 5, 3
    live(sent)

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("  2,505 of 5,000 · ")
    assert " 3 in flight · 5 deferred · 0 undeliverable · " in line
    assert line.endswith(" left")
    live.end(sent)
    assert capsys.readouterr().err == ""


def test_a_terminal_has_one_line_that_is_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Ticking()
    live, sent = Live(10, terminal=True, clock=clock), Sent(to_send=5000, asked=4)
    live(sent)
    assert capsys.readouterr().err == ""
    clock.seconds += 2
    live(sent)
    sent.asked = 10
    live.end(sent)

    shown = capsys.readouterr().err
    assert shown.startswith("\r  4 of 10 · 2/s · ")
    assert "3 s left" in shown
    assert shown.count("\r") == 2
    assert shown.endswith("\n")


@pytest.mark.parametrize(
    ("to_send", "left"), [(1_500, "5 s left"), (20_000, "3 min left"), (1_000_000, "2 h 46 min")]
)
def test_the_time_that_is_left_is_told(
    capsys: pytest.CaptureFixture[str], to_send: int, left: str
) -> None:
    clock = Ticking()
    live = Live(None, terminal=False, clock=clock)
    clock.seconds += 10
    live(Sent(to_send=to_send, asked=1000))

    assert left in capsys.readouterr().err
