"""Exports of mail providers, in the columns that they have: written for this project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from csv import writer
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.standing import Answer
from repermit.errors import ListUnreadable, ListUnsure, OptionWrong
from repermit.intake.events import Event, event_of, flag_named, named, of_flag, of_reason
from repermit.intake.exports import Export, by_address, export_of, no_event_column
from repermit.intake.listfile import ListFile, Reading, open_lists
from repermit.intake.providerfile import Said, _parts, heard, settle
from repermit.ledger.engine import Ledger
from repermit.ledger.store import suppression, waves
from repermit.ledger.transaction import Transaction
from tests.builders import admit, asked, claim, press, standings, verified

AN, JAN, ELS, PIET, LOES, KEES = (
    f"{name}@voorbeeld.example" for name in ("an", "jan", "els", "piet", "loes", "kees")
)
EXPORTS = Path(__file__).parent / "exports"
# By file: who is dead, complained, unsubscribed.
SAYS: Mapping[str, Mapping[str, set[str]]] = {
    "mailchimp_cleaned": {"hard": {AN, JAN}},
    "mailchimp_unsubscribed": {"unsubscribe": {AN}},
    "mailchimp_campaign_bounces": {"hard": {AN}},
    "brevo_logs": {"hard": {AN, KEES}, "complaint": {PIET}, "unsubscribe": {LOES}},
    "brevo_french": {"hard": {AN}, "complaint": {PIET}, "unsubscribe": {LOES}},
    "sendgrid_bounces": {"hard": {AN}},
    "sendgrid_blocks": {},
    "sendgrid_activity": {"hard": {AN}, "complaint": {PIET}, "unsubscribe": {LOES}},
    "mailgun_bounces": {"hard": {AN}},
    "mailgun_events": {"hard": {AN}, "complaint": {PIET}, "unsubscribe": {LOES}},
    "ses_suppression": {"hard": {AN}, "complaint": {PIET}},
    "ses_events": {"hard": {AN}, "complaint": {PIET}},
    "postmark": {"hard": {AN, KEES}, "complaint": {PIET}},
    "postmark_suppressions": {"hard": {AN}, "complaint": {PIET}},
    "mailjet": {"hard": {AN}, "complaint": {PIET}, "unsubscribe": {LOES}},
    "sparkpost": {"hard": {AN}, "complaint": {PIET}, "unsubscribe": {LOES}},
    "mailerlite": {"complaint": {PIET}, "unsubscribe": {LOES}},
    "salesforce": {"hard": {AN}},
    "microsoft_trace": {},
    "own_dutch": {"hard": {AN}, "complaint": {PIET}, "unsubscribe": {LOES}},
    "own_german": {"hard": {AN}, "complaint": {PIET}, "unsubscribe": {LOES}},
}


_OPENED = ExitStack()


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close what a test has opened."""
    with _OPENED:
        yield


def opened(path: Path, mapping: Mapping[str, str]) -> ListFile:
    (source,) = open_lists(path, by_address(path, Reading(mapping=mapping)))
    return _OPENED.enter_context(source)


def an_export(path: Path, **mapping: str) -> Export:
    found = export_of(opened(path, mapping), mapping)
    assert found is not None
    return found


@pytest.mark.parametrize("name", SAYS)
async def test_who_is_dead_complained_or_left_by_the_export_of(name: str, a_ledger: Ledger) -> None:
    says = SAYS[name]
    people = dict(zip((AN, JAN, ELS, PIET, LOES, KEES), range(1, 7), strict=True))
    await asked(a_ledger, *people)

    found = an_export(EXPORTS / f"{name}.csv")
    said = heard(found)
    await settle(a_ledger, found)

    stand = await standings(a_ledger)
    moved = {
        "hard": {each for each in people if stand[people[each]] == "undeliverable"},
        "out": {each for each in people if stand[people[each]] == "opted_out"},
    }
    assert moved["hard"] == says.get("hard", set())
    assert moved["out"] == says.get("complaint", set()) | says.get("unsubscribe", set())
    assert {event: said.addresses[event] for event in ("hard", "complaint", "unsubscribe")} == {
        event: len(says.get(event, ())) for event in ("hard", "complaint", "unsubscribe")
    }
    assert not said.unknown
    assert said.rejected == 0
    assert (await verified(a_ledger)).holds


def a_file(folder: Path, text: str) -> Path:
    path = folder / "export.csv"
    path.write_text(text, "utf-8")
    return path


def everything(tx: Transaction) -> object:
    return (
        tx.rows("SELECT * FROM recipient"),
        tx.rows("SELECT * FROM suppression"),
        tx.rows("SELECT * FROM log"),
    )


@pytest.mark.parametrize("name", ["sendgrid_activity", "ses_suppression", "mailchimp_cleaned"])
async def test_the_same_export_again_changes_nothing(name: str, a_ledger: Ledger) -> None:
    await asked(a_ledger, AN, JAN)  # the others are nobody here
    found = an_export(EXPORTS / f"{name}.csv")
    await settle(a_ledger, found)
    before = await a_ledger.read(everything)

    again = await settle(a_ledger, found)

    assert (again.undeliverable, again.opted_out, again.suppressed) == (0, 0, 0)
    assert await a_ledger.read(everything) == before


async def test_a_dead_address_moves_only_who_was_asked(a_ledger: Ledger, tmp_path: Path) -> None:
    """Not who has answered, has no mail yet, or has one on its way; and nobody is suppressed."""
    said_yes, said_no, plain = await asked(a_ledger, AN, JAN, ELS)
    await press(a_ledger, said_yes, Answer.YES)
    await press(a_ledger, said_no, Answer.NO)
    listed, leaving = await admit(a_ledger, PIET, LOES)
    await claim(a_ledger, leaving)
    everybody = "".join(f"{each},hard\n" for each in (AN, JAN, ELS.upper(), PIET, LOES, KEES))

    found = an_export(a_file(tmp_path, f"email,event\n{everybody}"))
    done = await settle(a_ledger, found)

    assert await standings(a_ledger) == {
        said_yes: "opted_in",
        said_no: "opted_out",
        plain: "undeliverable",
        listed: "listed",
        leaving: "claimed",
    }
    assert (done.undeliverable, done.dead["claimed"], done.dead.total()) == (1, 1, 5)
    assert not await a_ledger.read(suppression.is_suppressed, ELS)
    assert (await a_ledger.read(waves.state)).outcomes.undeliverable == 1


async def test_a_complaint_counts_for_the_waves_only_of_who_had_our_mail(
    a_ledger: Ledger, tmp_path: Path
) -> None:
    """Both are suppressed, and so is who is no recipient at all."""
    had, waits = *await asked(a_ledger, AN), *await admit(a_ledger, JAN)
    text = f"email,event\n{AN},complaint\n{JAN},complaint\n{ELS},complaint\n{PIET},unsubscribed\n"
    found = an_export(a_file(tmp_path, text))

    done = await settle(a_ledger, found)

    assert await standings(a_ledger) == {had: "opted_out", waits: "opted_out"}
    assert (done.opted_out, done.suppressed) == (2, 4)
    assert (await a_ledger.read(waves.state)).complaints == 1
    for address in (AN, JAN, ELS, PIET):
        assert await a_ledger.read(suppression.is_suppressed, address)


def test_a_word_that_nobody_knows_is_told_with_its_count(tmp_path: Path) -> None:
    text = f"email,event\n{AN},hard\n{JAN},zapped\n{ELS},zapped\n{PIET},\n{LOES},{KEES}\n?,hard\n"
    said = heard(an_export(a_file(tmp_path, text)))

    assert said.unknown == {"zapped": 2, "…": 1}
    assert (said.rows["hard"], said.silent) == (1, 1)
    assert (said.rejected, said.lines) == (1, [7])


def test_an_export_without_a_word_that_is_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match="says only 'zapped', which nobody knows") as refused:
        heard(an_export(a_file(tmp_path, f"email,event\n{AN},zapped\n")))
    assert "--map event=COLUMN" in refused.value.hint
    with pytest.raises(ListUnreadable, match="says nothing of any address"):
        heard(an_export(a_file(tmp_path, f"email,event\n{AN},\n")))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sendgrid_spam_reports", f"email,ip,created\n{AN},192.0.2.1,1793527872\n"),
        ("mailgun_complaints", f"address,created_at\n{AN},2026-11-02\n"),
        ("addresses", f"{AN}\n{JAN}\n"),
    ],
)
def test_an_export_without_a_column_of_events_is_not_guessed_at(
    name: str, text: str, tmp_path: Path
) -> None:
    """Whatever the name of its file says: a list of customers may be called so, too."""
    path = a_file(tmp_path, text).rename(tmp_path / f"{name}.csv")
    source = opened(path, {})
    assert export_of(source, {}) is None
    assert "--map event=complaint" in no_event_column(source).hint
    whole = export_of(source, {"event": "complaint"})
    assert whole is not None
    assert heard(whole).addresses["complaint"] >= 1
    assert "every row is taken for: complaint" in whole.told


def test_the_report_of_an_ip_address_is_refused(tmp_path: Path) -> None:
    """As Microsoft's SNDS writes it: it names no recipient, only one of the senders."""
    row = (
        '192.0.2.1,11/1/2026,11/2/2026,40,39,38,GREEN,"< 0.1%",0,mta.tuin.example,b@tuin.example\n'
    )
    assert export_of(opened(a_file(tmp_path, row * 3), {}), {}) is None


def test_columns_are_named_by_their_number_or_name(tmp_path: Path) -> None:
    text = f"from,whom,what,why\na@b.example,{AN},kaput,550 5.1.1 unknown\n"
    path = a_file(tmp_path, text)
    found = an_export(path, address="whom", event="3", reason="why")
    assert heard(found).addresses == {"hard": 1}
    assert found.told == "what happened is read from: 'what', 'why'"
    for mapping in ({"event": "nowhere"}, {"reason": "9"}):
        with pytest.raises(OptionWrong):
            export_of(found.source, mapping)


@pytest.mark.parametrize("field", ["email", "mail", "country"])
def test_a_field_that_no_export_has_is_refused_before_anything_else(
    tmp_path: Path, field: str
) -> None:
    path = a_file(tmp_path, f"what,whom,who\nbounce,{AN},{AN}\n")
    for place in (path, None):
        with pytest.raises(OptionWrong, match=rf"--map {field}=\.\.\. is no field of an export"):
            by_address(place, Reading(mapping={field: "2"}))


def test_the_column_of_addresses_has_the_name_that_an_export_gives_it(tmp_path: Path) -> None:
    unsure = a_file(tmp_path, f"what,whom,who\nbounce,{AN},{AN}\n")
    with pytest.raises(ListUnsure) as ways:
        opened(unsure, {})
    assert [value for value, _ in ways.value.readings] == ["address=2", "address=3"]

    path = a_file(tmp_path, f"event,,x\nbounce,{AN},1\n")
    with pytest.raises(ListUnreadable) as refused:
        opened(path, {})
    assert refused.value.hint == "pass --map address=2"
    with pytest.raises(OptionWrong, match=r"--map address=\.\.\. names no column"):
        opened(path, {"address": "whom"})


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("550 5.1.1 <a@b.example>: user unknown", Event.HARD),
        ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", Event.HARD),
        ("550-No such user here", Event.HARD),
        ("5.1.10", Event.HARD),
        ("550 5.1.1 rejected: listed by a blocklist", Event.ABOUT_US),
        ("550 5.7.515 Access denied, sending domain does not pass DMARC", Event.ABOUT_US),
        ("552 5.2.2 mailbox full", Event.TEMPORARY),
        ("450 4.2.0 greylisted", Event.TEMPORARY),
        ("550", Event.UNCLEAR),
        ("554 5.0.0 something went wrong", Event.UNCLEAR),
        ("550 5.3.0 no", Event.UNCLEAR),
        ("250 2.0.0 OK", None),
        ("", None),
        ("Jan heeft gebeld", None),
    ],
)
def test_what_a_reason_says(text: str, event: Event | None) -> None:
    assert of_reason(text) == event


def test_a_bare_bounce_is_not_a_dead_address() -> None:
    """Tools say "bounced" of repeated soft ones, too."""
    for word in ("bounce", "Bounced", "failed", "dropped", "rebond", "unzustellbar"):
        assert event_of(word, "status") is Event.UNCLEAR
    assert event_of("10", "bounce_class") is Event.HARD
    assert event_of("10", "status") is None
    assert event_of("999", "bounce_class") is Event.UNCLEAR


def test_a_column_of_dates_says_what_its_name_says() -> None:
    says = flag_named("CLEAN_TIME")
    assert says is Event.HARD
    assert of_flag("2026-11-02 10:11:12", says) is Event.HARD
    assert of_flag("true", says) is Event.HARD
    assert of_flag("2", says) is Event.HARD
    for nothing in ("", "0", "false", "-", "whenever"):
        assert of_flag(nothing, says) is None
    assert flag_named("OPTIN_TIME") is None


def test_no_word_opts_anybody_in() -> None:
    for word in ("subscribed", "resubscribe", "opt-in", "ja", "yes", "actief"):
        assert event_of(word, "event") in {None, Event.OTHER}


@given(st.text(max_size=400), st.text(max_size=40))
def test_any_cell_says_one_thing_or_nothing(cell: str, column: str) -> None:
    assert event_of(cell, column) in {*Event, None}
    assert named(cell) in {*Event, None}
    assert of_flag(cell, Event.HARD) in {Event.HARD, None}


_CELLS = st.sampled_from(
    [
        "",
        AN,
        f"{JAN}, {ELS}",
        "hard",
        "bounced",
        "complaint",
        "x\x00y",
        "550 5.1.1",
        "é;",
        '"',
        "\n",
    ]
)


@given(
    st.lists(st.sampled_from(["email", "event", "reason", "status", "", "UNSUB_TIME"]), max_size=4),
    st.lists(st.lists(_CELLS, max_size=5), max_size=6),
)
def test_any_export_is_read_or_refused(header: list[str], rows: list[list[str]]) -> None:
    """Rows are lost nowhere: each is counted once."""
    with TemporaryDirectory() as folder:
        text = StringIO()
        writer(text).writerows([header, *rows])
        path = a_file(Path(folder), text.getvalue())
        try:
            sources = open_lists(path, by_address(path, Reading()))
        except ListUnreadable:
            return
        for source in sources:
            with source:
                found = export_of(source, {})
                said = Said()
                if found:
                    for _ in _parts(found, said):
                        pass
                    counted = said.rows.total() + said.unknown.total() + said.silent + said.rejected
                    assert counted == len(list(source.rows()))
