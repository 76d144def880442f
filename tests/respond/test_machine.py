"""Promises 5 and 6, as whatever machine or person presses whatever buttons at whatever times."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.builders import FakeClock, asked
from tests.respond.builders import ONE_CLICK, SCOPES, Page, Site, served

WINDOW = timedelta(seconds=10)
Opened = tuple[str, Page]


def is_lone(moment: datetime, others: list[datetime]) -> bool:
    """Return whether none of *others* comes within ten seconds of *moment*."""
    return all(abs(moment - other) > WINDOW for other in others)


class Pressing(RuleBasedStateMachine):
    """One recipient, the pages of their three links, and all that follows from them."""

    runner: asyncio.Runner
    site: Site
    numbers = iter(range(1_000_000))
    pages = Bundle("pages")

    @initialize()
    def begin(self) -> None:
        """Somebody has their mail."""
        address = f"r{next(self.numbers)}@voorbeeld.example"
        (self.one,) = self.runner.run(asked(self.site.ledger, address))
        self.yes: list[datetime] = []
        self.no: list[datetime] = []
        self.last_for_good: datetime | None = None
        self.is_erased = False

    @precondition(lambda self: not self.is_erased)
    @rule(target=pages, kind=st.sampled_from(sorted(SCOPES)))
    def open(self, kind: str) -> Opened:
        """Open a link: it changes nothing."""
        before = self.runner.run(self.site.standing(self.one))
        link = self.site.link(kind, self.one)
        page = self.runner.run(self.site.page(link))
        assert self.runner.run(self.site.standing(self.one)) == before
        return link, page

    @precondition(lambda self: not self.is_erased)
    @rule(target=pages, opened=pages, button=st.integers(0, 5), tick=st.sets(st.sampled_from("ab")))
    def press(self, opened: Opened, button: int, tick: set[str]) -> Opened:
        """Press a button of a page that was once opened, also twice."""
        link, page = opened
        buttons = [*page.buttons, *page.rights]
        answer = buttons[button % len(buttons)] if buttons else ""
        chosen = {"a": "newsletter", "b": "fair"}
        ticked = [chosen[one] for one in sorted(tick)]
        follows = self.runner.run(self.site.press_on(page, link, answer, tick=ticked))
        if answer == "no":
            self.no.append(self.site.clock.now())
            if link.startswith("/u/"):
                self.last_for_good = self.site.clock.now()
        elif answer == "yes" and ticked:
            self.yes.append(self.site.clock.now())
        if answer == "erase-now":
            self.is_erased = self.runner.run(self.site.standing(self.one)) == "None"
            assert not self.is_erased or is_lone(self.site.clock.now(), [*self.yes, *self.no])
        return link, follows

    @precondition(lambda self: not self.is_erased)
    @rule()
    def press_in_the_mail_program(self) -> None:
        """A no by RFC 8058."""
        response = self.runner.run(self.site.post(self.site.link("u", self.one), ONE_CLICK))
        assert response.status_code == 200
        assert self.runner.run(self.site.standing(self.one)) == "opted_out"
        self.no.append(self.site.clock.now())
        self.last_for_good = self.site.clock.now()

    @rule(seconds=st.sampled_from([0, 1, 5, 9, 10, 11, 25]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.site.clock.advance(timedelta(seconds=seconds))

    @invariant()
    def a_yes_is_a_lone_press(self) -> None:
        """Whoever stands as opted in pressed yes once when nobody pressed no around it, and after
        the last no that always wins."""
        if hasattr(self, "one") and self.runner.run(self.site.standing(self.one)) == "opted_in":
            counted = [
                moment
                for moment in self.yes
                if is_lone(moment, self.no)
                and (self.last_for_good is None or moment > self.last_for_good)
            ]
            assert counted, (self.yes, self.no)


def test_promise_5_no_order_of_presses_yields_a_yes_that_a_lone_press_would_not(
    campaign_folder: Path,
) -> None:
    with asyncio.Runner() as runner:
        context = served(campaign_folder, FakeClock(), several=True)
        Pressing.runner, Pressing.site = runner, runner.run(context.__aenter__())
        try:
            run_state_machine_as_test(
                Pressing, settings=settings(max_examples=40, stateful_step_count=25, deadline=None)
            )
        finally:
            runner.run(context.__aexit__(None, None, None))
