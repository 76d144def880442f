import asyncio
import logging
import re
from base64 import b64encode, urlsafe_b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repermit.domain.standing import CONTRARY_WINDOW, Answer
from repermit.domain.token import Scope
from repermit.ledger.store import notices
from repermit.ledger.transaction import Transaction
from tests.builders import FakeClock, asked, press
from tests.hindrances import locked, read_only, soon
from tests.respond.builders import ONE_CLICK, Page, Site, page_code, served

ADDRESS = "an@voorbeeld.example"
METHODS = (
    "GET",
    "HEAD",
    "OPTIONS",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "GRAB",
)
LARGEST = 16_384
PURPOSES = ["fair", "newsletter"]
SECOND = 1_000_000  # in microseconds


def everywhere(site: Site, recipient_id: int) -> list[str]:
    """Return every URL of the server, and some that it does not have."""
    links = [site.link(kind, recipient_id) for kind in ("yes", "no", "u")]
    pressed = [f"{link}?answer=yes&List-Unsubscribe=One-Click" for link in links]
    odd = [f"{link}{end}" for link in links for end in ("/", "/yes", "%2F", "%00", ".", "?")]
    return [
        *links,
        *pressed,
        *odd,
        "/",
        "/healthz",
        "/privacy",
        "/yes",
        "/yes/",
        "/yes/x",
        "//",
        "*",
    ]


# Promise 4: GET, HEAD and OPTIONS change nothing


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("standing", ["asked", "opted_in", "opted_out", "suspect"])
async def test_promise_4_no_method_but_post_changes_anything_on_any_url(
    a_site: Site, method: str, standing: str
) -> None:
    """With the very fields of a press in the body, and whoever opens it."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    for answer in {"opted_in": ["yes"], "opted_out": ["no"], "suspect": ["yes", "no"]}.get(
        standing, []
    ):
        await press(a_site.ledger, an, Answer(answer))
    fields = (await a_site.page(a_site.link("yes", an))).hidden | {"answer": "yes"}
    body = "&".join(f"{name}={quote(value)}" for name, value in (fields | ONE_CLICK).items())
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Purpose": "prefetch"}
    before = await a_site.everything()

    for path in everywhere(a_site, an):
        plain = await a_site.client.request(method, path)
        filled = await a_site.client.request(method, path, content=body, headers=headers)
        assert {plain.status_code, filled.status_code} <= {200, 404, 405}

    assert await a_site.everything() == before


async def test_promise_4_a_method_in_another_ones_place_changes_nothing(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()

    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        await a_site.client.get(a_site.link("u", an), headers={header: "POST"})

    assert await a_site.everything() == before


async def test_a_method_that_a_link_does_not_know_is_told_which_it_does(a_site: Site) -> None:
    """Source: RFC 9110 section 15.5.6."""
    (an,) = await asked(a_site.ledger, ADDRESS)

    response = await a_site.client.put(a_site.link("yes", an))

    assert (response.status_code, response.text) == (405, "method not allowed\n")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


# What every response carries


async def every_response(site: Site) -> AsyncIterator[Response]:
    """Yield one response of each sort."""
    (an,) = await asked(site.ledger, ADDRESS)
    yield await site.client.get(site.link("yes", an))
    yield await site.client.head(site.link("yes", an))
    yield await site.post(site.link("yes", an), {"answer": "no"})
    yield await site.post(site.link("u", an), ONE_CLICK)
    yield await site.client.get("/yes/x")
    yield await site.client.get("/nothing")
    yield await site.client.delete(site.link("yes", an))
    yield await site.client.get("/healthz")
    yield await site.post(site.link("u", an), {"x": "y" * LARGEST})
    await site.ledger.write(soon)
    with locked(site.ledger):
        yield await site.post(site.link("yes", an), {"answer": "no"})


async def test_no_response_sets_a_cookie_or_leads_elsewhere(a_site: Site) -> None:
    responses = [response async for response in every_response(a_site)]

    assert {response.status_code for response in responses} == {200, 404, 405, 413, 503}
    for response in responses:
        assert not {"set-cookie", "location", "link", "refresh"} & set(response.headers)
        assert not re.search(r"<(script|img|link|iframe|object|svg|base)\b", response.text)
        assert not re.search(r"\b(src|srcset|action|onclick|onload)=", response.text)


async def test_every_response_is_guarded(a_site: Site) -> None:
    async for response in every_response(a_site):
        found = {name: response.headers.get(name) for name in GUARDS}
        assert found == GUARDS, response


GUARDS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",  # the URL is a key to somebody's answer
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
    "cross-origin-opener-policy": "same-origin",
}


async def test_only_the_style_of_the_page_is_let_in(a_site: Site) -> None:
    """Source: CSP 3, section 2.3.1, hash-source."""
    async for response in every_response(a_site):
        policy = response.headers["content-security-policy"].split("; ")
        styles = re.findall(r"<style>(.*?)</style>", response.text, re.DOTALL)
        hashes = [b64encode(sha256(style.encode()).digest()).decode() for style in styles]

        assert policy[0] == "default-src 'none'"
        assert policy[2:] == ["form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
        assert all(policy[1] == f"style-src 'sha256-{one}'" for one in hashes)
        assert " style=" not in response.text


# Where the pages stand


@pytest.mark.parametrize("path", ["/antwoord", "/a/b/", "/merk%20a"])
async def test_the_pages_can_stand_below_a_path(
    campaign_folder: Path, a_clock: FakeClock, path: str
) -> None:
    """Whether the web server in front takes the path away or not."""
    url = f'public_url = "https://antwoord.voorbeeld.example{path}"'
    async with served(campaign_folder, a_clock, public_url=url) as site:
        ids = await asked(site.ledger, ADDRESS, "jan@voorbeeld.example")

        for prefix, one in zip((path.rstrip("/"), ""), ids, strict=True):
            assert (await site.page(f"{prefix}{site.link('yes', one)}")).buttons == ["yes", "no"]
            assert (await site.page(f"{prefix}{site.link('no', one)}")).buttons == ["no", "yes"]
            assert (await site.client.get(f"{prefix}/healthz")).status_code == 200
            link = f"{prefix}{site.link('u', one)}"
            assert (await site.post(f"{link}/", ONE_CLICK)).status_code == 404  # never a redirect
            assert (await site.post(link, ONE_CLICK)).status_code == 200
            assert await site.standing(one) == "opted_out"


async def test_promise_6_enter_in_a_box_of_the_unsubscribe_page_answers_nothing(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    """It presses the first button there is, which carries an answer that is none."""
    async with served(campaign_folder, a_clock, several=True) as site:
        (one,) = await asked(site.ledger, ADDRESS)
        before = await site.everything()
        page = await site.page(site.link("u", one))
        fields = {**page.hidden, "answer": "", "purpose": "newsletter"}

        assert (await site.post(site.link("u", one), fields)).status_code == 200
        assert await site.everything() == before


async def test_a_privacy_notice_in_a_file_is_shown(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    (campaign_folder / "privacy.txt").write_text("Wat we bewaren: één adres.", "utf-8")
    changes = {"privacy_url": "", "privacy_file": 'privacy_file = "privacy.txt"'}
    async with served(campaign_folder, a_clock, **changes) as site:
        (an,) = await asked(site.ledger, ADDRESS)
        page = await site.page(site.link("yes", an))
        notice = await site.client.get("/privacy")

    assert notice.text == "Wat we bewaren: één adres."
    assert notice.headers["content-type"] == "text/plain; charset=utf-8"
    assert 'href="http://127.0.0.1:8080/privacy"' in page.text


async def test_promise_9_the_notice_that_is_shown_is_the_one_that_answers_point_to(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    """A change of the file shows once it was approved, and not before; no restart is needed."""
    file, old, new = campaign_folder / "privacy.txt", "Wij delen niets.", "Wij delen alles."
    file.write_text(old, "utf-8")
    changes = {"privacy_url": "", "privacy_file": 'privacy_file = "privacy.txt"'}

    def counts(tx: Transaction, text: str) -> None:
        hashed = notices.keep_notice(tx, "nl", text)
        tx.run("UPDATE campaign SET notice = ?", hashed)

    async with served(campaign_folder, a_clock, **changes) as site:
        await site.ledger.write(counts, old)
        file.write_text(new, "utf-8")
        assert (await site.client.get("/privacy")).text == old
        await site.ledger.write(counts, new)
        assert (await site.client.get("/privacy")).text == new
        file.unlink()
        await site.ledger.write(counts, old)
        assert (await site.client.get("/privacy")).text == new


async def test_without_a_file_there_is_no_privacy_notice(a_site: Site) -> None:
    assert (await a_site.client.get("/privacy")).status_code == 404


# Bodies that are no form of ours


async def test_a_body_that_says_it_is_too_large_is_not_read(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()

    for kind in ("yes", "no", "u"):
        fields = {"answer": "no", "x": "y" * LARGEST}
        response = await a_site.post(a_site.link(kind, an), fields)
        assert (response.status_code, response.text) == (413, "too large\n")

    assert await a_site.everything() == before


@pytest.mark.parametrize(
    ("content_type", "begins", "goes_on"),
    [
        (
            "application/x-www-form-urlencoded",
            b"answer=no&List-Unsubscribe=One-Click",
            b"&x=" + b"y" * 1_000,
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="answer"\r\n\r\nno\r\n',
            b'--x\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + b"y" * 1_000 + b"\r\n",
        ),
    ],
)
async def test_a_body_that_goes_on_and_on_is_ended(
    a_site: Site, content_type: str, begins: bytes, goes_on: bytes
) -> None:
    """Chunked: it does not say beforehand how large it is."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield begins
        while taken < 100 * LARGEST:
            taken += len(goes_on)
            yield goes_on

    headers = {"Content-Type": content_type}
    for kind in ("yes", "no", "u"):
        link = a_site.link(kind, an)
        response = await a_site.client.post(link, content=endless(), headers=headers)
        assert (response.status_code, response.text) == (413, "too large\n")

    assert taken < 5 * LARGEST
    assert await a_site.everything() == before


@pytest.mark.parametrize("length", ["-1", "", "1e3", "0x10", "٣", "16385", "9" * 30, "9" * 5000])
async def test_a_length_that_makes_no_sense_is_refused(a_site: Site, length: str) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    headers = {b"Content-Length": length.encode("utf-8")}

    response = await a_site.client.request("POST", a_site.link("u", an), headers=headers)

    assert response.status_code == 413
    assert await a_site.standing(an) == "asked"


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'x' * 300}",
        "multipart/form-data; charset=undefined; boundary=x",
        "multipart/form-data; charset=idna; boundary=x",
        "multipart/form-data; charset=punycode; boundary=x",
        "multipart/form-data; charset=hex; boundary=x",
        "multipart/form-data; charset=utf-16; boundary=x",
        "multipart/form-data; charset=\0; boundary=x",
        "application/x-www-form-urlencoded; charset=\xff",
        "/;;=",
    ],
)
async def test_a_form_in_a_strange_encoding_is_read_or_is_none(
    a_site: Site, content_type: str
) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    content = b'--x\r\nContent-Disposition: form-data; name="x"\r\n\r\n\xff.xn--a\r\n--x--\r\n'
    headers = {b"Content-Type": content_type.encode("latin-1")}

    for kind in ("yes", "u"):
        response = await a_site.client.post(a_site.link(kind, an), content=content, headers=headers)
        assert response.status_code == 200


async def test_a_press_that_was_cut_off_on_its_way_records_nothing(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()
    app = a_site.client._transport.app  # type: ignore[attr-defined]  # our own app
    messages: Iterator[dict[str, Any]] = iter(
        [
            {"type": "http.request", "body": b"answer=n", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(_: Any) -> None:
        """Nobody is there."""

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": a_site.link("no", an),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    await app(scope, receive, send)

    assert await a_site.everything() == before


# Nobody is thanked for what was not saved


async def refuses_to_thank(site: Site, recipient_id: int) -> None:
    """Every press gets the page that says "not saved yet", in every language."""
    issue = site.runtime.tokens.issue
    form = {"nonce": issue(Scope.FORM, recipient_id), "page": page_code(site)}
    for kind, fields in (
        ("yes", {**form, "answer": "yes"}),
        ("no", {**form, "answer": "no"}),
        ("u", ONE_CLICK),
    ):
        response = await site.post(site.link(kind, recipient_id), fields)
        assert (response.status_code, response.headers["retry-after"]) == (503, "120")
        assert all(text in response.text for text in ("Nog niet bewaard", "Not saved yet"))
        assert not Page(response.text).buttons


async def test_a_locked_ledger_thanks_nobody(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()
    await a_site.ledger.write(soon)

    with locked(a_site.ledger):
        assert (await a_site.client.get(a_site.link("yes", an))).status_code == 200
        await refuses_to_thank(a_site, an)

    assert await a_site.everything() == before
    await a_site.press(a_site.link("yes", an), "yes")
    assert await a_site.standing(an) == "opted_in"


async def test_a_read_only_ledger_thanks_nobody(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    before = await a_site.everything()
    await a_site.ledger.write(read_only)

    await refuses_to_thank(a_site, an)

    assert await a_site.everything() == before


@pytest.mark.sqlite
async def test_on_a_full_disk_whoever_is_thanked_is_on_file(a_site: Site) -> None:
    ids = await asked(a_site.ledger, *(f"r{number}@voorbeeld.example" for number in range(40)))
    await a_site.ledger.write(lambda tx: tx.value("PRAGMA max_page_count = 1"))

    statuses = [(await a_site.post(a_site.link("u", one), ONE_CLICK)).status_code for one in ids]

    thanked = [one for one, status in zip(ids, statuses, strict=True) if status == 200]
    assert {*statuses} >= {503}
    assert {*statuses} <= {200, 503}
    assert [one["recipient_id"] for one in await a_site.answers()] == thanked


@pytest.mark.sqlite
async def test_a_ledger_that_was_deleted_thanks_nobody(a_site: Site) -> None:
    """Its file is still open, and writing to it would be writing to nowhere."""
    (an,) = await asked(a_site.ledger, ADDRESS)
    a_site.ledger.path.unlink()

    await refuses_to_thank(a_site, an)


@pytest.mark.sqlite
async def test_a_ledger_that_was_replaced_thanks_nobody(a_site: Site, empty_campaign: Path) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)
    copy = a_site.ledger.path.with_name("copy.db")
    copy.write_bytes((empty_campaign / "ledger.db").read_bytes())
    copy.replace(a_site.ledger.path)

    await refuses_to_thank(a_site, an)


async def test_a_ledger_without_its_keys_thanks_nobody(
    campaign_folder: Path, a_clock: FakeClock
) -> None:
    async with served(campaign_folder, a_clock) as site:
        (an,) = await asked(site.ledger, ADDRESS)
    (campaign_folder / "keys" / "burn" / "1.key").unlink()
    async with served(campaign_folder, a_clock) as site:
        await refuses_to_thank(site, an)


# Promise 12: no address in a log line, a URL or a header


async def test_promise_12_no_address_leaves_but_masked(
    a_site: Site,
    campaign_folder: Path,
    a_database_url: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    ids = await asked(a_site.ledger, "Angela.Merckx@voorbeeld.example", "jan@voorbeeld.example")
    said = ""
    for path in [path for one in ids for path in everywhere(a_site, one)]:
        for response in (await a_site.client.get(path), await a_site.post(path, {"answer": "no"})):
            said += f"{response.url} {response.headers!r} {response.text}"
    (campaign_folder / "keys" / "burn" / "1.key").unlink()
    async with served(campaign_folder, FakeClock(), database=a_database_url) as keyless:
        said += (await keyless.client.get(a_site.link("yes", ids[0]))).text

    assert "An•••@voorbeeld.example" in said
    logged = [line for line in caplog.text.splitlines() if "httpx" not in line]
    for text in (said, "\n".join(logged), *capfd.readouterr()):
        assert "angela.merckx" not in text.casefold()
        assert "jan@" not in text.casefold()
    for token in (
        a_site.link(kind, one).rpartition("/")[2] for kind in ("yes", "u") for one in ids
    ):
        assert token not in "\n".join(logged)  # a link is a key to somebody's answer


async def test_promise_12_no_token_holds_an_address(a_site: Site) -> None:
    (an,) = await asked(a_site.ledger, ADDRESS)

    payload = a_site.link("yes", an).rpartition("/")[2].partition(".")[0]

    assert int.from_bytes(urlsafe_b64decode(payload + "==")) == an


# Whatever comes in


@contextmanager
def on_a_loop(folder: Path) -> Iterator[tuple[asyncio.Runner, Site]]:
    """Serve a campaign for the examples of one test, which all share it."""
    with asyncio.Runner() as runner:
        context = served(folder, FakeClock(), several=True)
        site = runner.run(context.__aenter__())
        try:
            yield runner, site
        finally:
            runner.run(context.__aexit__(None, None, None))


examples = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
requests = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "GRAB"]),
        "kind": st.sampled_from(["yes", "no", "u", "", "privacy", "healthz"]),
        "path": st.one_of(st.none(), st.binary(max_size=40)),
        "query": st.binary(max_size=20),
        "content": st.one_of(
            st.binary(max_size=400),
            st.lists(
                st.tuples(
                    st.sampled_from(["answer", "nonce", "page", "purpose", "x"]),
                    st.sampled_from(["yes", "no", "question.0.", "thanks.1.page.suspect", "é", ""]),
                ),
                max_size=25,
            ).map(lambda pairs: "&".join("=".join(pair) for pair in pairs).encode()),
        ),
        "type": st.sampled_from(
            [
                b"application/x-www-form-urlencoded",
                b"multipart/form-data; boundary=x",
                b"multipart/form-data",
                b"text/plain",
            ]
        )
        | st.binary(max_size=30),
        "host": st.sampled_from([b"127.0.0.1", b"[", b"a b/c?", b""]),
    }
)


def test_nothing_that_can_be_sent_ends_in_a_failure(campaign_folder: Path) -> None:
    with on_a_loop(campaign_folder) as (runner, site):
        (an,) = runner.run(asked(site.ledger, ADDRESS))

        @examples
        @given(requests)
        def check(request: dict[str, Any]) -> None:
            path = f"/{request['kind']}/{site.runtime.tokens.issue(Scope.ANSWER, an)}"
            if request["path"] is not None:
                path = f"/{request['kind']}/{quote(request['path'])}"
            response = runner.run(
                site.client.request(
                    request["method"],
                    f"{path}?{quote(request['query'])}",
                    content=request["content"],
                    headers={"Content-Type": request["type"], "Host": request["host"]},
                )
            )
            assert response.status_code in {200, 404, 405, 429}

        check()
        assert runner.run(site.standing(an)) != "opted_in"


def test_a_token_with_one_byte_changed_is_no_good_or_the_same_persons(
    campaign_folder: Path,
) -> None:
    """The last character of a base64 text can be written in several ways."""
    with on_a_loop(campaign_folder) as (runner, site):
        an, jan = runner.run(asked(site.ledger, ADDRESS, "jan@voorbeeld.example"))
        link = site.link("u", an)
        start = link.rindex("/") + 1
        before = runner.run(site.everything())
        opened = []

        @settings(examples, max_examples=300)
        @given(st.integers(start, len(link) - 1), st.integers(1, 255))
        def check(place: int, flip: int) -> None:
            changed = quote(bytes([ord(link[place]) ^ flip]))
            path = link[:place] + changed + link[place + 1 :]
            response = runner.run(site.client.get(path))
            if response.status_code not in {404, 429}:
                opened.append(place)
                assert "an@" not in response.text
                assert "a•••@voorbeeld.example" in response.text

        check()
        assert set(opened) <= {len(link) - 1}
        assert runner.run(site.everything()) == before
        assert runner.run(site.standing(jan)) == "asked"


def test_promise_5_a_machine_that_presses_every_button_in_any_order_never_says_yes(
    campaign_folder: Path,
) -> None:
    """Ten seconds or less between one answer and the next, on the pages of all three links, and on
    the pages that follow, with the mail program's own button among them; nor does it erase anybody
    who has just answered."""
    with on_a_loop(campaign_folder) as (runner, site):
        numbers = iter(range(1_000_000))

        @settings(examples, max_examples=20)
        @given(st.data())
        def check(data: st.DataObject) -> None:
            runner.run(press_everything(data))

        async def press_everything(data: st.DataObject) -> None:
            (one,) = await asked(site.ledger, f"r{next(numbers)}@voorbeeld.example")
            buttons: dict[tuple[str, str, str], Page] = {}
            pressed: set[tuple[str, str, str]] = set()
            answered: list[datetime] = []

            def found(path: str, page: Page) -> None:
                for answer in (*page.buttons, *page.rights):
                    buttons.setdefault((path, page.hidden["page"], answer), page)

            buttons[site.link("u", one), "", "one-click"] = Page("")
            for kind in ("yes", "no", "u"):
                found(site.link(kind, one), await site.page(site.link(kind, one)))
            while left := sorted(buttons.keys() - pressed):
                chosen = data.draw(st.sampled_from(left))
                pressed.add(chosen)
                path, _, answer = chosen
                fields = {**buttons[chosen].hidden, "answer": answer, "purpose": PURPOSES}
                sent = ONE_CLICK if answer == "one-click" else fields
                was_there, now = await is_there(one), site.clock.now()
                response = await site.post(path, sent)
                assert response.status_code == (200 if was_there else 404)
                if was_there:
                    found(path, Page(response.text))
                is_answer = answer in ("yes", "no", "one-click")
                if is_answer:
                    answered.append(now)
                if was_there and not await is_there(one):
                    assert answer == "erase-now"
                    assert all(now - each > CONTRARY_WINDOW for each in answered)
                seconds = data.draw(st.integers(0, 10)) if is_answer else 0
                site.clock.advance(timedelta(seconds=seconds))
            assert len(pressed) >= 13
            if await is_there(one):
                assert await site.standing(one) == "opted_out"

        async def is_there(one: int) -> bool:
            sql = "SELECT count(*) FROM recipient WHERE id = ?"
            return bool(await site.ledger.read(lambda tx: tx.value(sql, one)))

        check()
