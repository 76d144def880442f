"""What a person may ask for from their own link, over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from repermit.cli.assembly import approval_facts, digest, pages
from repermit.domain.address import parse
from repermit.domain.hold import Why
from repermit.domain.record import SCHEMA
from repermit.domain.standing import Standing
from repermit.domain.token import FIRST_PROBE, MONITOR, TEST_RECIPIENT, Scope
from repermit.ledger.store import (
    answering,
    approval,
    campaign,
    elsewhere,
    extending,
    holding,
    outbox,
    reading,
)
from repermit.ledger.store.personal import open_person
from repermit.ledger.tables import Recipient
from repermit.ledger.transaction import Transaction
from repermit.respond.rights import Rights
from repermit.runtime import Runtime
from tests.builders import asked, deliver_outbox, verified
from tests.respond.builders import ONE_CLICK, Page, Site, rows_of

AN, JAN = "an@voorbeeld.example", "jan@voorbeeld.example"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
links = pytest.mark.parametrize("kind", ["yes", "no", "u"])
validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


async def an_asked(site: Site, address: str = AN) -> int:
    (an,) = await asked(site.ledger, address)
    return an


async def owed(site: Site) -> list[tuple[str, str]]:
    """Return the kind and language of what the outbox owes."""
    sql = "SELECT kind, language FROM outbox WHERE standing = 'waiting' ORDER BY id"
    return await site.ledger.read(lambda tx: [tuple(row) for row in tx.rows(sql)])


@links
async def test_a_person_gets_everything_that_is_held_by_mail(a_site: Site, kind: str) -> None:
    """On the page only the masked address; what is asked for goes to the address itself."""
    an = await an_asked(a_site)

    page = await a_site.press(a_site.link(kind, an), "data")

    assert "a•••@voorbeeld.example" in page.text
    assert AN not in page.text
    assert await owed(a_site) == [("data", "nl")]
    assert await a_site.standing(an) == "asked"


async def test_asking_again_owes_no_second_mail_and_says_so(a_site: Site) -> None:
    """While it waits, within a day after it was sent, and once it may be asked for again."""
    an = await an_asked(a_site)
    question = a_site.runtime.question
    known = question.variables("nl") | {"masked": "a•••@voorbeeld.example"}
    names = ("data_title", "data_once", "data_sent", "data_owed", "data_was_sent", "data_was_tried")

    async def said(kind: str) -> list[str]:
        shown = unescape((await a_site.press(a_site.link(kind, an), "data")).text)
        words = question.wordings["nl"]
        return [name for name in names if f">{words.say(f'rights.{name}', **known)}<" in shown]

    assert await said("yes") == ["data_title", "data_sent"]
    assert await said("no") == ["data_title", "data_owed"]
    assert await owed(a_site) == [("data", "nl")]
    assert await deliver_outbox(a_site.ledger) == 1
    assert await said("no") == ["data_once", "data_was_sent"]
    await settle_all(a_site, "doubtful")
    assert await said("u") == ["data_once", "data_was_tried"]
    assert await owed(a_site) == []
    a_site.clock.advance(DAY)
    assert await said("yes") == ["data_title", "data_sent"]


async def settle_all(site: Site, standing: str) -> None:
    """Let the outbox stand so, as a sender that was lost would leave it."""
    await site.ledger.write(lambda tx: tx.run("UPDATE outbox SET standing = ?", standing))


@links
async def test_whoever_was_forwarded_the_mail_learns_nothing_and_changes_nothing_of_the_person(
    a_site: Site, kind: str
) -> None:
    """Of all that may be pressed beside an answer, only the second press of erasing touches what
    is on file about them; the mail goes to their own address, which no form can name."""
    an = await an_asked(a_site)
    link, person = a_site.link(kind, an), await row_of(a_site, an)
    other = {"address": JAN, "email": JAN, "mailbox": JAN, "language": "fr", "country": "FR"}

    pages = [await a_site.page(link)]
    pages.append(await a_site.press_on(pages[0], link, "erase"))
    fields = {**pages[0].hidden, **other, "answer": "data"}
    pages.append(Page((await a_site.post(link, fields)).text))

    assert await row_of(a_site, an) == person
    assert await a_site.ledger.read(lambda tx: tx.value("SELECT count(*) FROM answer")) == 0
    for page in pages:
        assert AN not in page.text
        assert JAN not in page.text
    ((address, language),) = await a_site.ledger.read(_goes_to)
    assert (address, language) == (AN, "nl")
    await a_site.post(link, {**pages[0].hidden, **other, "answer": "no"})
    after = await row_of(a_site, an)
    changed = {name for name in person if after[name] != person[name]}
    assert changed <= {"standing", "before", "no_at"}, "an answer, and nothing else of them"
    assert {address for address, _ in await a_site.ledger.read(_goes_to)} == {AN}


async def row_of(site: Site, recipient_id: int) -> dict[str, Any]:
    """Return everything that the recipient's own row holds, by the names of its columns."""

    def part(tx: Transaction) -> dict[str, Any]:
        return rows_of(tx, Recipient, f"WHERE id = {recipient_id}")[0]

    return await site.ledger.read(part)


def _goes_to(tx: Transaction) -> list[tuple[str, str]]:
    """Return to whom and in which language each mail of the outbox will leave."""
    rows = tx.rows("SELECT recipient_id, language FROM outbox")
    person = "SELECT id, generation, sealed, relationship, country FROM recipient WHERE id = ?"
    return [(open_person(tx, tx.one(person, each)).address.mailbox, said) for each, said in rows]


@pytest.mark.parametrize("answer", ["data", "erase", "erase-now"])
@pytest.mark.parametrize("nonce", [None, "", "x", "other", "answer", "unsubscribe"])
async def test_promise_4_without_the_hidden_field_nothing_happens(
    a_site: Site, answer: str, nonce: str | None
) -> None:
    """As for a yes: a machine that posts to the link without its page gets the page again."""
    an, jan = await an_asked(a_site), await an_asked(a_site, JAN)
    tokens = a_site.runtime.tokens
    known = {
        "other": tokens.issue(Scope.FORM, jan),
        "answer": tokens.issue(Scope.ANSWER, an),
        "unsubscribe": tokens.issue(Scope.UNSUBSCRIBE, an),
    }
    before = await a_site.everything()
    fields = {"answer": answer} | ({} if nonce is None else {"nonce": known.get(nonce, nonce)})

    response = await a_site.post(a_site.link("yes", an), fields)

    assert response.status_code == 200
    assert 'value="yes"' in response.text
    assert await a_site.everything() == before


@links
async def test_no_single_press_erases(a_site: Site, kind: str) -> None:
    """The first page's own hidden field does not press the button of the next."""
    an = await an_asked(a_site)
    link = a_site.link(kind, an)
    page, before = await a_site.page(link), await a_site.everything()

    confirming = await a_site.press_on(page, link, "erase")
    assert confirming.rights == ["erase-now"]
    assert (await a_site.press_on(page, link, "erase-now")).buttons[:1] != []

    assert await a_site.everything() == before


@pytest.mark.sqlite  # on a server its own clock says how far apart two presses are
@links
async def test_promise_8_a_person_erases_themselves_in_two_presses(a_site: Site, kind: str) -> None:
    an, jan = await an_asked(a_site), await an_asked(a_site, JAN)
    link = a_site.link(kind, an)
    await a_site.press(link, "yes" if kind == "yes" else "no")

    a_site.clock.advance(MINUTE)

    page = await a_site.press_on(await a_site.press(link, "erase"), link, "erase-now")

    assert page.buttons == []
    assert AN not in page.text
    assert await a_site.ledger.read(reading.find, parse(AN)) is None
    never = await a_site.ledger.read(reading.suppressed, parse(AN))
    assert never is not None
    assert never.source in ("erased", "answer")
    figures = await a_site.ledger.read(campaign.figures)
    assert (figures.erased, figures.outbox["owed"]) == (1, 0)
    assert await a_site.standing(jan) == "asked"
    assert (await verified(a_site.ledger)).holds
    for each in ("yes", "no", "u"):
        assert (await a_site.client.get(a_site.link(each, an))).status_code == 404


@pytest.mark.sqlite  # on a server its own clock says how far apart two presses are
@pytest.mark.parametrize("is_exported", [True, False])
async def test_whoever_is_erased_is_told_of_the_lists_that_they_were_exported_to(
    a_site: Site, is_exported: bool
) -> None:
    """Only when a yes of theirs was; `export --opt-outs` then says what is to be removed there."""
    an = await an_asked(a_site)
    link = a_site.link("yes", an)
    await a_site.press(link, "yes")
    if is_exported:
        sight = await a_site.ledger.read(elsewhere.seen)
        written = elsewhere.Written(Standing.OPTED_IN, None, "csv", 1, "f" * 64)
        await a_site.ledger.write(elsewhere.note_export, sight, [written])
    a_site.clock.advance(MINUTE)

    page = await a_site.press_on(await a_site.press(link, "erase"), link, "erase-now")

    told = a_site.runtime.question.wordings["nl"].say("rights.erased_elsewhere")
    assert (told in page.text) is is_exported
    assert len(await a_site.ledger.read(elsewhere.to_remove)) == is_exported


@pytest.mark.sqlite  # on a server its own clock says how far apart two presses are
@pytest.mark.parametrize("answer", ["yes", "no", "one-click"])
async def test_within_ten_seconds_of_an_answer_nobody_is_erased(a_site: Site, answer: str) -> None:
    """A machine presses whatever there is, one after the other; a person reads why, and waits."""
    an = await an_asked(a_site)
    link = a_site.link("yes", an)
    confirming = await a_site.press(link, "erase")
    if answer == "one-click":
        await a_site.post(a_site.link("u", an), ONE_CLICK)
    else:
        await a_site.press(link, answer)
    before = await a_site.everything()

    a_site.clock.advance(timedelta(seconds=10))
    refused = await a_site.press_on(confirming, link, "erase-now")

    told = a_site.runtime.question.wordings["nl"].say("rights.erase_wait")
    assert told in refused.text
    assert refused.rights == ["erase-now"]
    assert await a_site.everything() == before
    a_site.clock.advance(timedelta(seconds=1))
    assert (await a_site.press_on(refused, link, "erase-now")).rights == []
    assert await a_site.ledger.read(reading.find, parse(AN)) is None


async def test_erasing_again_says_that_the_link_is_gone(a_site: Site) -> None:
    an = await an_asked(a_site)
    link = a_site.link("yes", an)
    confirming = await a_site.press(link, "erase")
    await a_site.press_on(confirming, link, "erase-now")

    again = await a_site.post(link, {**confirming.hidden, "answer": "erase-now"})

    assert again.status_code == 404
    assert (await a_site.ledger.read(campaign.figures)).erased == 1


async def test_two_things_at_once_are_neither(a_site: Site) -> None:
    an = await an_asked(a_site)
    link = a_site.link("yes", an)
    page, before = await a_site.page(link), await a_site.everything()

    await a_site.post(link, {**page.hidden, "answer": ["data", "erase"]})

    assert await a_site.everything() == before


async def test_a_test_link_shows_the_pages_and_records_nothing(a_site: Site) -> None:
    link, before = a_site.link("yes", TEST_RECIPIENT), await a_site.everything()

    await a_site.press(link, "data")
    confirming = await a_site.press(link, "erase")
    gone = await a_site.press_on(confirming, link, "erase-now")
    page = await a_site.page(f"{link}/record")
    content = (await a_site.client.get(f"{link}/record.json")).json()

    assert gone.buttons == []
    assert "test" in page.text
    assert list(validator.iter_errors(content)) == []
    assert await a_site.everything() == before


async def test_the_rights_of_a_probe_are_shown_and_do_nothing(a_site: Site) -> None:
    link, before = a_site.link("yes", FIRST_PROBE + 5), await a_site.everything()

    await a_site.press(link, "data")
    confirming = await a_site.press(link, "erase")
    gone = await a_site.press_on(confirming, link, "erase-now")

    assert gone.buttons == []
    assert (await a_site.client.get(f"{link}/record.json")).status_code == 404
    assert await a_site.everything() == before


@pytest.mark.parametrize(("answer", "seen"), [("yes", 1), ("no", 0), ("one-click", 0)])
async def test_only_a_yes_with_the_link_of_a_monitor_tells_that_the_page_works(
    a_site: Site, answer: str, seen: int
) -> None:
    """A No proves less: it needs no hidden field of ours."""
    if answer == "one-click":
        await a_site.post(a_site.link("u", MONITOR), ONE_CLICK)
    else:
        await a_site.press(a_site.link("yes", MONITOR), answer)

    assert await a_site.ledger.read(lambda tx: tx.value("SELECT count(*) FROM probe")) == seen


async def record_of(site: Site, recipient_id: int) -> dict[str, Any]:
    """Return the record of a yes, as a program gets it."""
    response = await site.client.get(f"{site.link('yes', recipient_id)}/record.json")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/ld+json")
    content: dict[str, Any] = response.json()
    assert [each.message for each in validator.iter_errors(content)] == []
    return content


async def test_promise_9_the_record_says_what_was_shown_and_pressed(a_site_of_two: Site) -> None:
    site = a_site_of_two
    an = await an_asked(site)
    site.clock.advance(MINUTE)
    await site.press(site.link("yes", an), "yes", tick=["fair"])
    (answer,) = await site.answers()

    content = await record_of(site, an)

    asked_, given = content["dpv:hasConsentStatus"]
    assert given["schema:text"] == answer["button"]
    assert given["dpv:isIndicatedAtTime"] == "2026-11-21T09:31:00Z"
    assert asked_["dpv:isIndicatedAtTime"] == "2026-11-21T09:30:00Z"
    assert [one["dct:identifier"] for one in content["dpv:hasProcess"]] == ["fair"]
    notices = {one.get("dct:type"): one.get("dct:identifier") for one in content["dpv:hasNotice"]}
    assert notices["page"] == f"sha256:{answer['page']}"
    assert notices["mail"] == f"sha256:{answer['mail']}"
    figures = await site.ledger.read(campaign.figures)
    proof = content["repermit:proof"]
    assert (proof["repermit:leaf"], proof["repermit:logRoot"]) == (answer["leaf"], figures.log_root)
    withdraw = content["dpv:hasConsentControl"]["schema:url"]
    assert withdraw == site.runtime.config.web.public_url
    for name in ("record", "record.json"):  # it may be handed on, and the link is a key
        shown = await site.client.get(f"{site.link('yes', an)}/{name}")
        assert site.link("yes", an).rpartition("/")[2] not in shown.text
    assert AN not in json.dumps(content)


async def test_promise_9_the_record_says_what_was_approved_whatever_the_config_says_now(
    a_site: Site,
) -> None:
    """After the yes the purpose has other words and another id, and the controller its name."""
    an = await an_asked(a_site)
    await a_site.ledger.write(campaign.state_no_opt_outs, "nobody ever did")
    facts = approval_facts(a_site.runtime, None)
    await a_site.ledger.write(
        approval.approve, by="An", informed="Jan", digest=digest(facts), facts=facts
    )
    await a_site.press(a_site.link("yes", an), "yes")
    path = a_site.runtime.config.path
    text = path.read_text("utf-8")
    for was, now in (
        ("onze nieuwsbrief", "reclame van onze partners"),
        ("Tuinvrienden Voorbeeld vzw", "Koper bv"),
        ('id = "newsletter"', 'id = "nieuws"'),
    ):
        assert was in text
        text = text.replace(was, now)
    path.write_text(text, "utf-8")
    later = Runtime.of(path, a_site.clock)
    rights = Rights(a_site.ledger, later.tokens, pages(later), public_url="https://a.example")
    asked_ = await a_site.ledger.read(answering.asked, an)
    assert asked_ is not None

    found = await rights.record(asked_)

    assert found is not None
    assert list(validator.iter_errors(found.content)) == []
    (process,) = found.content["dpv:hasProcess"]
    assert process["dct:identifier"] == "newsletter"
    for said in (json.dumps(found.content, ensure_ascii=False), found.page):
        assert "onze nieuwsbrief" in said
        assert "Tuinvrienden Voorbeeld vzw" in said
        assert "partners" not in said
    assert "Koper" not in json.dumps(found.content)


async def test_the_record_can_be_read_as_a_page_and_changes_nothing(a_site: Site) -> None:
    an = await an_asked(a_site)
    await a_site.press(a_site.link("yes", an), "yes")
    before, content = await a_site.everything(), await record_of(a_site, an)

    page = await a_site.page(f"{a_site.link('yes', an)}/record")

    assert content["dct:identifier"] in page.text
    assert "a•••@voorbeeld.example" in page.text
    assert AN not in page.text
    assert 'href="record.json"' in page.text
    assert page.buttons == []
    assert await a_site.everything() == before


async def test_there_is_no_record_but_of_a_yes_that_stands(a_site: Site) -> None:
    an = await an_asked(a_site)
    link = a_site.link("yes", an)
    gone = (await a_site.client.get("/yes/x")).text

    async def has_record() -> list[int]:
        found = [await a_site.client.get(f"{link}/{name}") for name in ("record", "record.json")]
        assert all(each.text == gone for each in found if each.status_code == 404)
        return [each.status_code for each in found]

    assert await has_record() == [404, 404]
    await a_site.press(link, "yes")
    assert await has_record() == [200, 200]
    a_site.clock.advance(MINUTE)
    await a_site.press(link, "no")
    assert await has_record() == [404, 404]


@pytest.mark.parametrize("name", ["record", "record.json"])
async def test_only_the_link_of_an_answer_has_a_record(a_site: Site, name: str) -> None:
    an = await an_asked(a_site)
    await a_site.press(a_site.link("yes", an), "yes")
    tokens = a_site.runtime.tokens

    for path in (
        f"/yes/{tokens.issue(Scope.UNSUBSCRIBE, an)}/{name}",
        f"/yes/{tokens.issue(Scope.FORM, an)}/{name}",
        f"/u/{tokens.issue(Scope.UNSUBSCRIBE, an)}/{name}",
        f"/no/{tokens.issue(Scope.ANSWER, an)}/{name}",
        f"/yes/x/{name}",
    ):
        assert (await a_site.client.get(path)).status_code == 404, path
    assert (await a_site.post(f"{a_site.link('yes', an)}/{name}", {})).status_code == 405


async def test_a_no_on_the_page_or_by_the_mail_program_owes_an_acknowledgement(
    a_site: Site,
) -> None:
    an, jan = await an_asked(a_site), await an_asked(a_site, JAN)
    await a_site.press(a_site.link("no", an), "no")
    await a_site.post(a_site.link("u", jan), {"List-Unsubscribe": "One-Click"})

    assert await owed(a_site) == [("acknowledgement", "nl")] * 2
    assert await a_site.ledger.read(outbox.next_due) is None
    a_site.clock.advance(MINUTE)
    assert await a_site.ledger.read(outbox.next_due) is not None


@pytest.mark.parametrize(("kind", "article"), [(Why.CONTRACT, "3, b"), (Why.DISPUTE, "3, e")])
async def test_whoever_is_held_is_told_why_nothing_is_erased_and_what_they_may_do(
    a_site: Site, kind: Why, article: str
) -> None:
    """GDPR art. 17(3); the first press says so already, and a no still counts."""
    an = await an_asked(a_site)
    link, first = a_site.link("yes", an), await a_site.page(a_site.link("yes", an))
    confirm = await a_site.press_on(first, link, "erase")
    until = datetime(2027, 12, 31, 23, tzinfo=UTC)
    await a_site.ledger.write(
        holding.hold, an, kind=kind, until=until, by="Bo", reason="file 12/2026"
    )

    for page in (
        await a_site.press_on(first, link, "erase"),
        await a_site.press_on(confirm, link, "erase-now"),
    ):
        assert "tot en met 31 december 2027" in page.text
        assert f"artikel 17, lid {article}" in page.text
        assert "beperken" in page.text
        assert "Gegevensbeschermingsautoriteit" in page.text
        assert "12/2026" not in page.text
        assert "Bo" not in page.text.split()
    assert await a_site.standing(an) == "asked"
    await a_site.press(link, "no")
    assert await a_site.standing(an) == "opted_out"


async def test_a_hold_that_has_ended_keeps_nobody_from_being_erased(a_site: Site) -> None:
    an = await an_asked(a_site)
    link, until = a_site.link("yes", an), a_site.clock.now() + DAY
    await a_site.ledger.write(
        holding.hold, an, kind=Why.DISPUTE, until=until, by="Bo", reason="a claim"
    )
    a_site.clock.advance(DAY)
    confirm = await a_site.press_on(await a_site.page(link), link, "erase")
    await a_site.press_on(confirm, link, "erase-now")

    assert await a_site.ledger.read(lambda tx: tx.value("SELECT count(*) FROM recipient")) == 0


async def test_the_page_says_the_date_to_which_the_deadline_was_moved(a_site: Site) -> None:
    an = await an_asked(a_site)
    assert "22 december 2026" in (await a_site.page(a_site.link("yes", an))).text
    until = datetime(2027, 1, 31, 23, tzinfo=UTC)
    await a_site.ledger.write(
        extending.extend, until, reason="an outage", by="Bo", informed="Cy", approval=1
    )

    page = await a_site.page(a_site.link("yes", an))
    assert "31 januari 2027" in page.text
    a_site.clock.advance(40 * DAY)
    declined = await a_site.press(a_site.link("no", an), "no")
    assert "31 januari 2027" in declined.text
