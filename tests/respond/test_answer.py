import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import Response

from repermit.domain.address import parse
from repermit.domain.standing import Answer, Standing, Way
from repermit.domain.token import TEST_RECIPIENT, Scope, Tokens
from repermit.ledger.store import erasing, suppression
from repermit.purge.guard import Watch
from repermit.purge.run import purge
from tests.builders import (
    ANSWER_TIME,
    FakeClock,
    a_newcomer,
    admit,
    ask,
    asked,
    claim,
    press,
    settle,
    take_in,
    verified,
)
from tests.purge.builders import ordered, signed
from tests.respond.builders import ONE_CLICK, Page, Site, served

LONGER = timedelta(seconds=11)  # than presses that contradict one another
QUESTION, THANKS, DECLINED = ["yes", "no"], ["no"], ["yes"]  # by their buttons
ADDRESS = "an@voorbeeld.example"


async def test_a_yes_is_thanked_for_and_on_file(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)

    thanks = await a_site.press(a_site.link("yes", an), "yes")

    assert thanks.buttons == THANKS
    assert await a_site.standing(an) == "opted_in"
    assert [one["answer"] for one in await a_site.answers()] == ["yes"]
    assert (await verified(a_site.ledger)).holds


async def test_a_no_is_acknowledged_and_on_file(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)

    declined = await a_site.press(a_site.link("no", an), "no")

    assert declined.buttons == DECLINED
    assert await a_site.standing(an) == "opted_out"
    assert [one["answer"] for one in await a_site.answers()] == ["no"]
    assert (await verified(a_site.ledger)).holds


async def test_an_answer_is_on_the_disk_before_it_is_thanked_for(
    a_site: Site, campaign_folder: Path
) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)

    await a_site.press(a_site.link("yes", an), "yes")

    with closing(a_site.ledger.database.connect(read_only=True)) as another:
        assert another.execute("SELECT answer, standing FROM answer").fetchall() == [
            ("yes", "opted_in")
        ]


@pytest.mark.parametrize("standing", [Standing.DOUBTFUL, Standing.UNDELIVERABLE])
async def test_a_mail_that_may_have_arrived_can_be_answered(
    a_site: Site, standing: Standing
) -> None:
    (an,) = await admit(a_site.ledger, ADDRESS)
    await claim(a_site.ledger, an)
    await settle(a_site.ledger, an, standing)

    await a_site.press(a_site.link("yes", an), "yes")

    assert await a_site.standing(an) == "opted_in"


async def test_an_answer_while_the_mail_is_still_leaving_wins(a_site: Site) -> None:
    (an,) = await admit(a_site.ledger, ADDRESS)
    await claim(a_site.ledger, an)

    await a_site.press(a_site.link("no", an), "no")

    assert not await settle(a_site.ledger, an, Standing.ASKED)
    assert await a_site.standing(an) == "opted_out"


@pytest.mark.sqlite  # on a server its own clock says how far apart two presses are
async def test_a_mind_can_be_changed_from_the_page_that_follows(a_site: Site) -> None:
    """Source: GDPR art. 7(3), withdrawing as easy as giving."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    link = a_site.link("yes", an)
    thanks = await a_site.press(link, "yes")
    a_site.clock.advance(LONGER)

    declined = await a_site.press_on(thanks, link, "no")
    withdrawn = await a_site.standing(an)
    a_site.clock.advance(LONGER)
    await a_site.press_on(declined, link, "yes")

    assert declined.buttons == DECLINED
    assert (withdrawn, await a_site.standing(an)) == ("opted_out", "opted_in")
    shown = [one["button"] for one in await a_site.answers()]
    assert shown == ["Ja, ik wil dit ontvangen", "Ik trek mijn ja in", "Ja, ik wil dit ontvangen"]


@pytest.mark.sqlite  # on a server its own clock says how far apart two presses are
async def test_the_page_says_what_was_chosen_before(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    await press(a_site.ledger, an, Answer.YES)
    a_site.clock.advance(LONGER)
    after_yes = await a_site.page(a_site.link("yes", an))
    await press(a_site.ledger, an, Answer.NO)
    after_no = await a_site.page(a_site.link("yes", an))

    assert "U koos ja op 21 november 2026." in after_yes.text
    assert "U koos nee op 21 november 2026." in after_no.text


async def test_nobody_is_told_that_they_chose_what_somebody_else_did(a_site: Site) -> None:
    """Their address stood on a list of opt-outs that came in after their yes."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    await press(a_site.ledger, an, Answer.YES)
    await a_site.ledger.write(suppression.suppress, [parse(ADDRESS)], source="list", reason="")

    page = await a_site.page(a_site.link("yes", an))

    assert "U koos" not in page.text
    assert page.buttons == QUESTION


# Promise 5: doubt never yields a yes


@pytest.mark.parametrize(("first", "second"), [("yes", "no"), ("no", "yes")])
@pytest.mark.parametrize("seconds", [0, 10])
async def test_promise_5_two_presses_that_contradict_each_other_are_void(
    a_site: Site, first: str, second: str, seconds: int
) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    await a_site.press(a_site.link(first, an), first)
    a_site.clock.advance(timedelta(seconds=seconds))

    again = await a_site.press(a_site.link(second, an), second)

    assert sorted(again.buttons) == sorted(QUESTION)
    assert "We kregen een ja en een nee, kort na elkaar." in again.text
    assert await a_site.standing(an) == "asked"
    assert [one["suspect"] for one in await a_site.answers()] == [0, 1]


@pytest.mark.sqlite  # on a server its own clock says how far apart two presses are
async def test_promise_5_the_next_lone_press_counts(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    await a_site.press(a_site.link("yes", an), "yes")
    again = await a_site.press(a_site.link("no", an), "no")
    a_site.clock.advance(LONGER)

    await a_site.press_on(again, a_site.link("no", an), "yes")

    assert await a_site.standing(an) == "opted_in"
    assert [one["suspect"] for one in await a_site.answers()] == [0, 1, 0]


@pytest.mark.sqlite  # on a server its own clock says how far apart two presses are
async def test_promise_5_after_ten_seconds_a_no_wins(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    await a_site.press(a_site.link("yes", an), "yes")
    a_site.clock.advance(LONGER)

    await a_site.press(a_site.link("no", an), "no")

    assert await a_site.standing(an) == "opted_out"


async def test_promise_5_a_no_from_the_mail_program_always_wins(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    await a_site.press(a_site.link("yes", an), "yes")

    await a_site.post(a_site.link("u", an), ONE_CLICK)

    assert await a_site.standing(an) == "opted_out"


async def test_promise_5_a_no_on_the_page_of_the_unsubscribe_link_always_wins(
    a_site: Site,
) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    await a_site.press(a_site.link("yes", an), "yes")

    await a_site.press(a_site.link("u", an), "no")

    assert await a_site.standing(an) == "opted_out"


async def test_promise_5_a_yes_just_after_a_no_that_said_nothing_new_is_void(
    a_site: Site,
) -> None:
    """The yes came 3 seconds after a no, 12 seconds after the first of two."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    await a_site.press(a_site.link("no", an), "no")
    a_site.clock.advance(timedelta(seconds=9))
    await a_site.press(a_site.link("no", an), "no")
    a_site.clock.advance(timedelta(seconds=3))

    await a_site.press(a_site.link("yes", an), "yes")

    assert await a_site.standing(an) != "opted_in"


async def test_promise_5_a_yes_just_after_the_no_of_someone_suppressed_is_void(
    a_site: Site,
) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    await a_site.ledger.write(suppression.suppress, [parse(ADDRESS)], source="list", reason="")
    await a_site.press(a_site.link("no", an), "no")
    a_site.clock.advance(timedelta(seconds=3))

    await a_site.press(a_site.link("yes", an), "yes")

    assert await a_site.standing(an) == "opted_out"


@pytest.mark.parametrize("kind", ["no", "u"])
async def test_promise_5_the_page_of_a_no_link_shows_no_first(a_site: Site, kind: str) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)

    assert (await a_site.page(a_site.link(kind, an))).buttons == ["no", "yes"]
    assert (await a_site.page(a_site.link("yes", an))).buttons == ["yes", "no"]


async def test_promise_5_a_no_link_shows_no_first_also_when_it_asks_again(
    a_site_of_two: Site,
) -> None:
    site = a_site_of_two
    (an,) = await asked(site.ledger, ADDRESS)
    link = site.link("no", an)

    nothing_ticked = await site.press(link, "yes")
    await site.press(link, "no")
    contrary = await site.press(link, "yes", tick=["fair"])

    assert nothing_ticked.buttons == ["no", "yes"]
    assert contrary.buttons == ["no", "yes"]


async def test_promise_5_a_machine_that_presses_the_first_button_of_each_page(
    a_site: Site,
) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    for kind in ("yes", "no", "u"):
        path = a_site.link(kind, an)
        page = await a_site.page(path)
        await a_site.press_on(page, path, page.buttons[0])

    assert await a_site.standing(an) == "opted_out"


# Promise 6: silence is no


async def yes_without(site: Site, recipient_id: int, **wrong: str | None) -> Response:
    """Send a yes as the page would, with some of its hidden fields changed or left out."""
    link = site.link("yes", recipient_id)
    page = await site.page(link)
    fields = {**page.hidden, "answer": "yes"} | wrong
    return await site.post(
        link, {name: value for name, value in fields.items() if value is not None}
    )


AGAIN = "Deze keuze is niet bewaard"


async def kept(site: Site, hashed: str) -> bool:
    """Return whether the page of that hash is on file, with the sentence that says why."""
    sql = "SELECT content FROM snapshot WHERE hash = ?"
    return AGAIN in await site.ledger.read(lambda tx: tx.value(sql, hashed))


async def test_promise_6_a_yes_without_the_hidden_fields_of_the_page_is_none(
    a_site: Site,
) -> None:
    an, jan = await asked(a_site.ledger, ADDRESS, "jan@voorbeeld.example")
    issue = a_site.runtime.tokens.issue
    before = await a_site.everything()

    for wrong in (
        {"nonce": None},
        {"nonce": ""},
        {"nonce": issue(Scope.FORM, jan)},
        {"nonce": issue(Scope.ANSWER, an)},
        {"nonce": issue(Scope.UNSUBSCRIBE, an)},
        {"nonce": issue(Scope.FORM, TEST_RECIPIENT)},
        {"nonce": Tokens([b"x" * 32]).issue(Scope.FORM, an)},
        {"nonce": "é" * 300},
        {"page": None},
        {"page": "thanks.0."},
        {"page": "nonsense"},
    ):
        response = await yes_without(a_site, an, **wrong)
        assert (response.status_code, Page(response.text).buttons) == (200, QUESTION), wrong
        assert AGAIN in response.text

    assert await a_site.everything() == before


async def test_who_is_asked_again_is_told_why_and_ticks_anew(a_site_of_two: Site) -> None:
    """A tick was put beside words that may have changed since. Source: CJEU C-673/17."""
    (an,) = await asked(a_site_of_two.ledger, ADDRESS)
    link = a_site_of_two.link("yes", an)
    page = await a_site_of_two.page(link)
    page.hidden["page"] = "question.nl.0..0123456789abcdef"  # of yesterday's words

    again = await a_site_of_two.press_on(page, link, "yes", tick=["fair"])
    assert AGAIN in again.text
    assert not any("checked" in box for box in again.boxes)
    await a_site_of_two.press_on(again, link, "yes", tick=["fair"])

    assert await a_site_of_two.standing(an) == "opted_in"
    (filed,) = await a_site_of_two.answers()
    assert await kept(a_site_of_two, filed["page"])
    assert filed["page"].startswith(again.hidden["page"].rpartition(".")[2])


@pytest.mark.parametrize("kind", ["yes", "no", "u"])
@pytest.mark.parametrize("answer", ["", "YES", "ja", "on", "1"])
async def test_promise_6_an_answer_that_no_button_gives_is_none(
    a_site: Site, kind: str, answer: str
) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()

    page = await a_site.press(a_site.link(kind, an), answer)

    assert sorted(page.buttons) == sorted(QUESTION)
    assert await a_site.everything() == before


@pytest.mark.parametrize("kind", ["yes", "no", "u"])
async def test_promise_6_both_answers_in_one_form_are_none(a_site: Site, kind: str) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    link = a_site.link(kind, an)
    page = await a_site.page(link)
    before = await a_site.everything()

    response = await a_site.post(link, {**page.hidden, "answer": ["no", "yes"]})

    assert sorted(Page(response.text).buttons) == sorted(QUESTION)
    assert await a_site.everything() == before


@pytest.mark.parametrize("kind", ["yes", "no"])
@pytest.mark.parametrize("fields", [{}, {"answer": "no"} | ONE_CLICK, ONE_CLICK])
async def test_promise_6_a_no_needs_no_hidden_field(
    a_site: Site, kind: str, fields: dict[str, str]
) -> None:
    """And a form without an answer is none."""
    (an,) = await asked(a_site.ledger, ADDRESS)

    await a_site.post(a_site.link(kind, an), fields)

    assert await a_site.standing(an) == ("opted_out" if "answer" in fields else "asked")


async def test_promise_6_a_token_of_one_link_is_worthless_in_another(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()
    for kind, scope in (
        ("yes", Scope.UNSUBSCRIBE),
        ("no", Scope.UNSUBSCRIBE),
        ("u", Scope.ANSWER),
        ("yes", Scope.FORM),
        ("u", Scope.FORM),
    ):
        path = f"/{kind}/{a_site.runtime.tokens.issue(scope, an)}"
        nonce = a_site.runtime.tokens.issue(Scope.FORM, an)
        fields = {"answer": "yes", "nonce": nonce, "page": "question.0."}
        assert (await a_site.post(path, fields)).status_code == 404

    assert await a_site.everything() == before


async def test_promise_6_opening_every_link_answers_nothing(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()

    for kind in ("yes", "no", "u"):
        await a_site.page(a_site.link(kind, an))

    assert await a_site.everything() == before


# RFC 8058


async def test_a_no_by_one_click_in_either_encoding(a_site: Site) -> None:
    """Source: RFC 8058 sections 3.1 and 3.2: no cookie is sent, no redirect is followed."""
    ids = await asked(a_site.ledger, ADDRESS, "jan@voorbeeld.example")
    urlencoded = await a_site.client.post(a_site.link("u", ids[0]), data=ONE_CLICK)
    multipart = await a_site.client.post(
        a_site.link("u", ids[1]),
        files={name: (None, value) for name, value in ONE_CLICK.items()},
    )

    assert "multipart/form-data" in multipart.request.headers["content-type"]
    assert (urlencoded.status_code, multipart.status_code) == (200, 200)
    assert [await a_site.standing(one) for one in ids] == ["opted_out", "opted_out"]
    assert [(one["way"], one["button"], one["page"]) for one in await a_site.answers()] == [
        (Way.ONE_CLICK, "List-Unsubscribe=One-Click", None)
    ] * 2


@pytest.mark.parametrize("content", [b"", b"whatever=else", b"\xff\xfe\0&;=%zz"])
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
    ],
)
async def test_a_post_to_the_unsubscribe_link_is_a_no_whatever_stands_in_it(
    a_site: Site, content: bytes, content_type: str
) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    headers = {"Content-Type": content_type} if content_type else {}

    response = await a_site.client.post(a_site.link("u", an), content=content, headers=headers)

    assert response.status_code == 200
    assert await a_site.standing(an) == "opted_out"


async def test_a_no_by_one_click_twice_is_on_file_once(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)

    for _ in range(2):
        response = await a_site.post(a_site.link("u", an), ONE_CLICK)
        assert Page(response.text).buttons == DECLINED

    assert len(await a_site.answers()) == 1


# Links that are no good


async def test_links_that_are_no_good_get_one_and_the_same_page(a_site: Site) -> None:
    """Forged, damaged, unknown, never mailed, of another campaign, purged, erased."""
    purged, erased = await asked(a_site.ledger, "purged@voorbeeld.example", ADDRESS)
    await a_site.ledger.write(erasing.erase_person, erased)
    a_site.clock.advance(ANSWER_TIME)
    await purge(a_site.ledger, ordered(a_site.ledger, 1), Watch(), sign=signed, tell=lambda _: None)
    (listed,) = await admit(a_site.ledger, "listed@voorbeeld.example")
    issue = a_site.runtime.tokens.issue
    tokens = {
        "purged": issue(Scope.ANSWER, purged),
        "erased": issue(Scope.ANSWER, erased),
        "never mailed": issue(Scope.ANSWER, listed),
        "unknown": issue(Scope.ANSWER, 999),
        "another campaign's": Tokens([b"x" * 32]).issue(Scope.ANSWER, listed),
        "damaged": issue(Scope.ANSWER, listed)[:-3],
        "nonsense": "x",
    }
    before = await a_site.everything()
    fields = {"answer": "yes", "nonce": issue(Scope.FORM, purged), "page": "question.0."}

    seen = set()
    for token in tokens.values():
        for response in (
            await a_site.client.get(f"/yes/{token}"),
            await a_site.client.get(f"/no/{token}"),
            await a_site.client.get(f"/u/{token}"),
            await a_site.post(f"/yes/{token}", fields),
            await a_site.post(f"/u/{token}", ONE_CLICK),
        ):
            seen.add((response.status_code, response.content, tuple(response.headers.items())))

    assert len(seen) == 1
    status, content, _ = seen.pop()
    assert status == 404
    assert all(f'lang="{one}"'.encode() in content for one in ("nl", "fr", "de", "en"))
    assert await a_site.everything() == before


# Several purposes


async def test_what_was_ticked_is_what_the_yes_is_for(a_site_of_two: Site) -> None:
    (an,) = await asked(a_site_of_two.ledger, ADDRESS)

    thanks = await a_site_of_two.press(a_site_of_two.link("yes", an), "yes", tick=["fair"])

    (answer,) = await a_site_of_two.answers()
    assert json.loads(answer["purposes"]) == ["fair"]
    assert "plantenbeurs" in thanks.text
    assert "nieuwsbrief" not in thanks.text


async def test_nothing_is_ticked_beforehand(a_site_of_two: Site) -> None:
    (an,) = await asked(a_site_of_two.ledger, ADDRESS)
    link = a_site_of_two.link("yes", an)
    asks = await a_site_of_two.page(link)
    await a_site_of_two.press(link, "yes", tick=["fair", "newsletter"])
    a_site_of_two.clock.advance(LONGER)
    asks_again = await a_site_of_two.page(link)

    for page in (asks, asks_again):
        assert [box["value"] for box in page.boxes] == ["newsletter", "fair"]
        assert not any("checked" in box for box in page.boxes)


@pytest.mark.parametrize("tick", [[], ["parties"], [""]])
async def test_a_yes_with_nothing_ticked_asks_again(a_site_of_two: Site, tick: list[str]) -> None:
    (an,) = await asked(a_site_of_two.ledger, ADDRESS)
    before = await a_site_of_two.everything()

    page = await a_site_of_two.press(a_site_of_two.link("yes", an), "yes", tick=tick)

    assert page.buttons == QUESTION
    assert "U koos ja, maar kruiste niets aan." in page.text
    assert await a_site_of_two.everything() == before


async def test_enter_in_a_box_answers_nothing(a_site_of_two: Site) -> None:
    """The first button of the form has no name: the boxes go out, the answer does not."""
    (an,) = await asked(a_site_of_two.ledger, ADDRESS)
    link = a_site_of_two.link("yes", an)
    page = await a_site_of_two.page(link)
    before = await a_site_of_two.everything()

    response = await a_site_of_two.post(link, {**page.hidden, "purpose": ["fair"]})

    assert Page(response.text).buttons == QUESTION
    assert await a_site_of_two.everything() == before


async def test_a_yes_to_more_is_another_answer(a_site_of_two: Site) -> None:
    (an,) = await asked(a_site_of_two.ledger, ADDRESS)
    link = a_site_of_two.link("yes", an)

    await a_site_of_two.press(link, "yes", tick=["fair"])
    await a_site_of_two.press(link, "yes", tick=["fair"])
    await a_site_of_two.press(link, "yes", tick=["fair", "newsletter"])

    recorded = [json.loads(one["purposes"]) for one in await a_site_of_two.answers()]
    assert recorded == [["fair"], ["newsletter", "fair"]]


@pytest.mark.sqlite  # on a server its own clock says how far apart two presses are
async def test_a_yes_after_a_no_asks_what_for(a_site_of_two: Site) -> None:
    """The page that follows a no has no boxes, so nobody is told that they ticked none."""
    site = a_site_of_two
    (an,) = await asked(site.ledger, ADDRESS)
    link = site.link("no", an)
    declined = await site.press(link, "no")
    site.clock.advance(LONGER)

    asks = await site.press_on(declined, link, "yes")
    stood = await site.standing(an)
    await site.press_on(asks, link, "yes", tick=["fair"])

    assert [box["value"] for box in asks.boxes] == ["newsletter", "fair"]
    assert "Er is nog niets veranderd. Kruis aan wat u wilt ontvangen" in asks.text
    assert "Ja, laat me kiezen" in declined.text
    assert (stood, await site.standing(an)) == ("opted_out", "opted_in")


async def test_a_no_is_to_everything(a_site_of_two: Site) -> None:
    (an,) = await asked(a_site_of_two.ledger, ADDRESS)

    await a_site_of_two.press(a_site_of_two.link("no", an), "no", tick=["fair"])

    (answer,) = await a_site_of_two.answers()
    assert (answer["standing"], json.loads(answer["purposes"])) == ("opted_out", [])


# The links of a test mail


@pytest.mark.parametrize("kind", ["yes", "no", "u"])
@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_a_test_mail_shows_the_pages_and_records_nothing(
    a_site: Site, kind: str, answer: str
) -> None:
    path = a_site.link(kind, TEST_RECIPIENT)
    before = await a_site.everything()
    page = await a_site.page(path)

    follows = await a_site.press_on(page, path, answer)

    for shown in (page, follows):
        assert "Dit is een test. Er wordt niets geregistreerd." in shown.text
    assert follows.buttons == (THANKS if answer == "yes" else DECLINED)
    assert await a_site.everything() == before


async def test_a_test_mail_thanks_for_what_was_ticked(a_site_of_two: Site) -> None:
    """As a real one does."""
    path = a_site_of_two.link("yes", TEST_RECIPIENT)

    thanks = await a_site_of_two.press(path, "yes", tick=["fair"])

    assert "U krijgt uitnodigingen voor onze plantenbeurs." in thanks.text
    assert "nieuwsbrief" not in thanks.text


async def test_one_click_on_a_test_mail_records_nothing(a_site: Site) -> None:
    before = await a_site.everything()

    response = await a_site.post(a_site.link("u", TEST_RECIPIENT), ONE_CLICK)

    assert Page(response.text).buttons == DECLINED
    assert await a_site.everything() == before


# The page speaks the recipient's language


@pytest.mark.parametrize(
    ("language", "shown"), [("fr", "fr"), ("de", "de"), ("en", "en"), ("pt", "nl"), (None, "nl")]
)
async def test_the_page_speaks_the_language_of_the_recipient(
    campaign_folder: Path, a_clock: FakeClock, language: str | None, shown: str
) -> None:
    async with served(campaign_folder, a_clock) as site:
        await site.ledger.write(take_in, [a_newcomer(ADDRESS, language=language)])
        await ask(site.ledger, 1)

        asks = await site.page(site.link("yes", 1))
        thanks = await site.press(site.link("yes", 1), "yes")

        assert (asks.language, thanks.language) == (shown, shown)
        assert [one["language"] for one in await site.answers()] == [shown]
