"""Whatever happens to recipients, in any order: the promises hold after every step."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from repermit.domain.address import parse
from repermit.domain.envelope import Of, SignedName
from repermit.domain.policy import Outcome, Rules
from repermit.domain.provider import NO_CAPS
from repermit.domain.standing import Answer, Standing, Way
from repermit.inbound import settle as settling
from repermit.inbound.reading import Kind, Reading
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.mark import Mark
from repermit.ledger.store import (
    answering,
    campaign,
    doubt,
    due,
    erasing,
    leases,
    outbox,
    outbox_doubt,
    owing,
    screening,
    sending,
    suppression,
    waves,
)
from repermit.ledger.store.sending import Reserved, Settlement
from repermit.ledger.tables import Purge
from repermit.ledger.transaction import Transaction
from repermit.ledger.vault import Vault
from repermit.ledger.verify import Verified, verify
from tests.builders import (
    ANSWER_TIME,
    EVERYTHING,
    RULES,
    FakeClock,
    a_newcomer,
    a_press,
    intend_one,
    keep_shown,
    mark_of,
    take_in,
    terms,
)

P = ParamSpec("P")
T = TypeVar("T")
FORBID = Rules(reasons=RULES.reasons, overrides={"BE.signed_up_no_proof": Outcome.WITHHOLD})
ADDRESSES = [f"r{number}@voorbeeld.example" for number in range(12)]
GAPS = [timedelta(seconds=1), timedelta(seconds=11), timedelta(minutes=16), timedelta(days=32)]

addresses = st.sampled_from(ADDRESSES)
owners = st.sampled_from(["one", "two"])
picks = st.integers(0, 1_000)
verdicts = st.sampled_from(
    [
        Standing.ASKED,
        Standing.ASKED,
        Standing.DEFERRED,
        Standing.UNDELIVERABLE,
        Standing.LISTED,
        Standing.DOUBTFUL,
    ]
)


messages = st.sampled_from(
    [
        *(Kind.HARD, Kind.HARD, Kind.HARD, Kind.DELIVERED, Kind.DELIVERED),
        *(Kind.COMPLAINT, Kind.NO, Kind.UNSUBSCRIBE, Kind.YES, Kind.OTHER),
        *(Kind.TEMPORARY, Kind.UNCLEAR, Kind.AUTOMATIC, Kind.ABOUT_US),
    ]
)


class Life(RuleBasedStateMachine):
    """A campaign over a real ledger, and what a bystander remembers of it."""

    def __init__(self, empty: Path, folder: Path) -> None:
        super().__init__()
        self.folder = folder / str(len(list(folder.iterdir())))
        shutil.copytree(empty, self.folder)
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.ledger = self.opened()
        self.reserved: list[tuple[str, Reserved]] = []
        self.out: set[int] = set()  # a mail of theirs left, or may have, and was not taken back
        self.never: set[str] = set()  # suppressed by others than themselves
        self.purged: set[str] = set()
        self.acknowledged: set[int] = set()
        self.said_no: set[str] = set()  # by mail, or they complained
        self.complained: set[int] = set()
        self.handled: list[bytes] = []
        self.digests = (number.to_bytes(32, "big") for number in count())
        self.purge: Purge | None = None

    def opened(self) -> Ledger:
        """Open the ledger, as a process that starts does."""
        vault = Vault(keys.load(self.folder / "keys"))
        return Ledger.open(self.folder / "ledger.db", vault, self.clock)

    def write(
        self, part: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run one part, durably."""
        return self.runner.run(self.ledger.write(part, *args, **kwargs))

    def ids(self, *standings: Standing) -> list[int]:
        """Return those who stand there, or everyone."""

        def part(tx: Transaction) -> list[int]:
            rows = tx.rows("SELECT id, standing FROM recipient ORDER BY id")
            return [row[0] for row in rows if not standings or row[1] in standings]

        return self.runner.run(self.ledger.read(part))

    def on_file(self) -> dict[int, str]:
        """Return the address of everyone by id."""
        return self.runner.run(self.ledger.read(_addresses))

    @initialize()
    def the_campaign_begins(self) -> None:
        self.write(take_in, [a_newcomer(name) for name in ADDRESSES[:6]])
        self.write(keep_shown)

    @rule(names=st.lists(addresses, max_size=4), known=st.sampled_from([True, True, False]))
    def a_list_is_imported(self, names: list[str], known: bool) -> None:
        relationship = "signed_up_no_proof" if known else "bought_or_unknown"
        newcomers = [a_newcomer(name, relationship=relationship) for name in names]
        tally = self.write(take_in, newcomers)
        assert tally.read == tally.admitted + tally.duplicates + tally.suppressed
        assert not self.purged & set(self.on_file().values()), "promise 1: asked once"

    @rule(changes=st.sampled_from([[RULES], [FORBID, RULES], [FORBID]]))
    def the_policy_is_applied_again(self, changes: list[Rules]) -> None:
        for rules in changes:
            today = self.clock.now().date()
            self.write(screening.screen_slice, rules, today=today, after_id=0, slice_rows=100)

    @precondition(lambda self: len(self.never) < 3)
    @rule(name=addresses, by_hash=st.booleans())
    def an_address_is_suppressed(self, name: str, by_hash: bool) -> None:
        if by_hash:
            hashed = self.ledger.vault.suppression(name)
            self.write(suppression.suppress_hashes, [hashed], source="list", reason="")
        else:
            self.write(suppression.suppress, [parse(name)], source="list", reason="")
        self.never.add(name)

    @rule(owner=owners, limit=st.integers(1, 4))
    def a_sender_reserves(self, owner: str, limit: int) -> None:
        found = self.write(
            sending.reserve, owner, approved_size=EVERYTHING, limit=limit, caps=NO_CAPS
        )
        self.reserved += [(owner, one) for one in found]

    @rule(
        owner=owners,
        words=st.lists(st.none() | verdicts, min_size=1, max_size=4),
        meanwhile=st.none() | addresses,
    )
    def a_wave_leaves(
        self, owner: str, words: list[Standing | None], meanwhile: str | None
    ) -> None:
        """None: the relay has not said its word when the step ends."""
        first = len(self.reserved)
        self.a_sender_reserves(owner, len(words))
        if meanwhile and len(self.never) < 3:
            self.an_address_is_suppressed(meanwhile, by_hash=True)
        for place, word in zip(range(first, len(self.reserved)), words, strict=False):
            self.a_sender_intends(place)
            if word is not None:
                self.the_relay_says(place, word)

    @precondition(lambda self: self.reserved)
    @rule(pick=picks)
    def a_sender_intends(self, pick: int) -> None:
        owner, one = self.reserved[pick % len(self.reserved)]
        due = self.clock.now() + ANSWER_TIME
        if self.write(intend_one, one, owner, due=due):
            assert one.id not in self.out, "promise 1: one mail"
            unwilling = self.never | self.said_no
            assert one.person.address.canonical not in unwilling, "promise 2: never mailed"
            self.out.add(one.id)

    @precondition(lambda self: self.reserved)
    @rule(pick=picks, standing=verdicts)
    def the_relay_says(self, pick: int, standing: Standing) -> None:
        owner, one = self.reserved[pick % len(self.reserved)]
        try_at = self.clock.now() if standing is Standing.DEFERRED else None
        word = Settlement(standing, "250", try_at)
        claimed = one.id in self.ids(Standing.CLAIMED)
        settled = one.id in self.write(sending.settle, owner, {one.id: word})
        assert claimed or not settled, "an answer that came first wins"
        if settled and standing in (Standing.DEFERRED, Standing.LISTED):
            self.out.discard(one.id)

    @rule(owner=owners)
    def a_sender_dies(self, owner: str) -> None:
        self.reserved = [(name, one) for name, one in self.reserved if name != owner]
        self.write(leases.doubt_claims, [owner])
        self.write(leases.free_leases, [owner])

    @rule()
    def leases_are_looked_after(self) -> None:
        self.write(leases.doubt_claims, [])

    @rule(resend=st.booleans())
    def a_person_decides_on_the_doubtful(self, resend: bool) -> None:
        doubtful = self.ids(Standing.DOUBTFUL)
        self.write(doubt.decide_doubt, doubtful, resend=resend)
        if resend:
            self.out -= set(doubtful)

    @rule()
    def the_relay_had_refused_us(self) -> None:
        refused = self.ids(Standing.UNDELIVERABLE)
        self.write(sending.relist, refused)
        self.out -= set(refused)

    @rule(pick=picks, answer=st.sampled_from(Answer), one_click=st.booleans())
    def a_button_is_pressed(self, pick: int, answer: Answer, one_click: bool) -> None:
        everyone = self.ids()
        if not everyone:
            return
        way = Way.ONE_CLICK if one_click and answer is Answer.NO else Way.FORM
        recipient_id = everyone[pick % len(everyone)]
        row = self.write(answering.file_answer, recipient_id, a_press(answer, way=way))
        if row is None:
            return
        if way is Way.ONE_CLICK:
            assert row.presses.standing is Standing.OPTED_OUT
        if row.presses.standing is Standing.OPTED_IN:
            self.never.discard(row.person.address.canonical)
            self.said_no.discard(row.person.address.canonical)
            self.complained.discard(recipient_id)

    @rule(pick=picks)
    def a_person_asks_for_their_data(self, pick: int) -> None:
        if everyone := self.ids():
            self.write(owing.owe_data, everyone[pick % len(everyone)], language="nl")

    @rule(owner=owners, word=st.none() | st.sampled_from(outbox.Standing))
    def a_mail_of_the_outbox_leaves(self, owner: str, word: outbox.Standing | None) -> None:
        """None: the relay has not said its word when the sender is lost."""
        due = self.write(outbox.next_due)
        if due is None:
            return
        owed = self.write(outbox.look, due.id)
        if owed is None:
            assert self.write(outbox.drop, due.id)
            return
        assert self.write(outbox.take, owner, owed)
        if owed.kind is owing.Kind.ACKNOWLEDGEMENT:
            assert owed.recipient_id not in self.acknowledged, "promise 1: one mail"
            assert owed.recipient_id in self.ids(Standing.OPTED_OUT), "of that very no"
            assert owed.recipient_id not in self.complained, "a complaint is never acknowledged"
            if word is None or word in (outbox.Standing.SENT, outbox.Standing.DOUBTFUL):
                self.acknowledged.add(owed.recipient_id)
        if word is None:
            self.write(outbox_doubt.doubt, [owner])
        elif word is not outbox.Standing.CLAIMED:
            self.write(outbox.settle, owner, owed.id, outbox.Settled(word, "250"))

    @rule(pick=picks, kind=messages, again=st.booleans())
    def a_message_comes_back(self, pick: int, kind: Kind, again: bool) -> None:
        everyone = self.on_file()
        recipient_id = list(everyone)[pick % len(everyone)] if everyone else 1
        before = self.standings()
        outcome = self.settled(Reading(kind, SignedName(Of.QUESTION, recipient_id)), again=again)
        stood, after = before.get(recipient_id), self.standings()
        moved = {number for number in before if before[number] != after[number]}
        assert moved <= {recipient_id}
        if outcome in (settling.Outcome.REPEATED, settling.Outcome.LATER):
            assert not moved
        elif kind in (Kind.COMPLAINT, Kind.NO, Kind.UNSUBSCRIBE) and stood:
            assert after[recipient_id] == "opted_out"
            self.said_no.add(everyone[recipient_id])
            if kind is Kind.COMPLAINT:
                self.complained.add(recipient_id)
        elif stood in ("opted_in", "opted_out"):
            assert not moved, "an answer outweighs every report"
        elif moved:
            assert (kind, after[recipient_id]) in (
                (Kind.HARD, "undeliverable"),
                (Kind.DELIVERED, "asked"),
            )

    @rule(pick=picks, kind=messages)
    def a_message_about_a_mail_of_the_outbox_comes_back(self, pick: int, kind: Kind) -> None:
        before = self.standings()
        owed = self.write(lambda tx: tx.rows("SELECT id, recipient_id FROM outbox"))
        number, recipient_id = owed[pick % len(owed)] if owed else (1, None)
        self.settled(Reading(kind, SignedName(Of.OWED, number)))
        after = self.standings()
        moved = {each for each in before if before[each] != after[each]}
        assert moved <= {recipient_id}
        assert all(after[each] == "opted_out" for each in moved)
        if kind in (Kind.COMPLAINT, Kind.NO, Kind.UNSUBSCRIBE) and recipient_id in after:
            self.said_no.add(self.on_file()[recipient_id])
            if kind is Kind.COMPLAINT:
                self.complained.add(recipient_id)

    def settled(self, reading: Reading, *, again: bool = False) -> settling.Outcome:
        """Settle a message; *again* one that was handled before."""
        digest = self.handled[-1] if again and self.handled else next(self.digests)
        settled = settling.settle(self.ledger, digest, reading, language_of=_dutch)
        outcome = self.runner.run(settled)
        assert (outcome is settling.Outcome.REPEATED) is (digest in self.handled)
        if outcome is not settling.Outcome.LATER:
            self.handled.append(digest)
        return outcome

    def standings(self) -> dict[int, str]:
        """Return where everyone stands."""
        return self.write(lambda tx: dict(tx.rows("SELECT id, standing FROM recipient")))

    @rule()
    def a_person_looks(self) -> None:
        self.write(waves.look, by="An")

    @precondition(lambda self: len(self.never) < 5)
    @rule(pick=picks)
    def a_person_is_erased(self, pick: int) -> None:
        everyone = self.ids()
        if everyone:
            gone = everyone[pick % len(everyone)]
            self.never.add(self.on_file()[gone])
            assert self.write(erasing.erase_person, gone)

    @precondition(lambda self: self.purge is None)
    @rule(wait=st.sampled_from([timedelta(0), ANSWER_TIME]), steps=st.sampled_from([0, 2, 100]))
    def a_purge_begins(self, wait: timedelta, steps: int) -> None:
        self.clock.advance(wait)
        found = terms(self.clock.now())
        if self.runner.run(self.ledger.read(due.counts, found)):
            self.purge = self.write(erasing.begin_purge, found, by="An", facts={})
            self.a_purge_goes_on(steps)

    @precondition(lambda self: self.purge is not None)
    @rule(steps=st.sampled_from([1, 1, 100]))
    def a_purge_goes_on(self, steps: int) -> None:
        while self.purge and steps:
            self.a_slice_is_purged(self.purge)
            steps -= 1

    def a_slice_is_purged(self, purge: Purge) -> None:
        """Do the next thing that a purge does; it may be killed after each."""
        assert purge.id is not None
        before, said_yes = self.on_file(), self.ids(Standing.OPTED_IN)
        if self.write(erasing.erase_due, purge, slice_rows=1):
            gone = before.keys() - self.on_file().keys()
            assert not gone & set(said_yes), "a yes is never purged"
            self.purged |= {before[recipient_id] for recipient_id in gone}
            return
        number = purge.generation + 1
        keys.create_generation(self.ledger.vault.keys.burn, number)
        self.write(erasing.begin_generation, number)
        if self.write(erasing.reseal_slice, slice_rows=1):
            return
        assert self.runner.run(self.ledger.read(erasing.traces, purge)) == 0
        self.write(erasing.log_resealed, destroyed=number - 1)
        keys.destroy_generation(self.ledger.vault.keys.burn, number - 1)
        self.ledger.vault.forget(number - 1)
        self.write(erasing.finish_purge, purge.id, {"places": []})
        self.purge = None

    @rule(paused=st.sampled_from([False, False, True]))
    def the_campaign_is_held_or_goes_on(self, paused: bool) -> None:
        self.write(campaign.pause if paused else campaign.resume)

    @rule(gap=st.sampled_from(GAPS))
    def time_passes(self, gap: timedelta) -> None:
        self.clock.advance(gap)

    @rule()
    def the_process_starts_again(self) -> None:
        self.runner.run(self.ledger.close())
        self.ledger = self.opened()

    @invariant()
    def the_promises_hold(self) -> None:
        figures, opted_in, found = self.runner.run(self.ledger.read(_state, mark_of(self.ledger)))
        standing = sum(figures.standings.values())
        assert standing + figures.purged + figures.erased == figures.admitted
        assert found.holds, (found.false_entries, found.false_standings)
        assert opted_in == figures.standings["opted_in"], "promise 6: only a press is a yes"
        assert not self.runner.run(self.ledger.read(self.ledger.older_copy))
        assert not self.runner.run(self.ledger.read(_too_few)), "what is taken back was counted"

    def teardown(self) -> None:
        self.runner.run(self.ledger.close())
        self.runner.close()
        shutil.rmtree(self.folder)


def _addresses(tx: Transaction) -> dict[int, str]:
    rows = tx.rows("SELECT id, generation, sealed FROM recipient")
    return {
        row[0]: str(tx.vault.open(row[2], generation=row[1], recipient_id=row[0])["mailbox"])
        for row in rows
    }


def _dutch(language: str | None, country: str | None) -> str:
    return language or f"nl of {country}"


def _too_few(tx: Transaction) -> list[object]:
    return [
        *tx.rows("SELECT * FROM stretch WHERE undeliverable < bounces OR bounces < 0 OR mails < 0"),
        *tx.rows("SELECT * FROM provider_hour WHERE mails < 0 OR hard < 0 OR complaints < 0"),
    ]


def _state(tx: Transaction, mark: Mark | None) -> tuple[campaign.Figures, int, Verified]:
    """Return the figures, how many opted in with a yes on file, and what a replay finds."""
    proved = tx.value(
        "SELECT count(*) FROM recipient WHERE standing = 'opted_in' AND id IN"
        " (SELECT recipient_id FROM answer WHERE answer = 'yes' AND standing = 'opted_in')"
    )
    return campaign.figures(tx), proved, verify(tx, mark)


def test_the_promises_hold_through_any_life(
    empty_campaign: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("lives")

    class LifeHere(Life):
        def __init__(self) -> None:
            super().__init__(empty_campaign, folder)

    run_state_machine_as_test(
        LifeHere,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),  # a step does real work on a real disk
        ),
    )
