"""Whether a recipient can answer: against the real server, and whatever else may stand there."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from repermit.cli.answers import answer_app
from repermit.domain import token
from repermit.domain.token import FIRST_PROBE, Tokens
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.store import probing
from repermit.ledger.store.probing import Sight, Vantage
from repermit.respond.probe import Found, Probe, look_from_elsewhere, monitor_link, why_in_general
from repermit.runtime import Runtime
from tests.builders import FakeClock, admit
from tests.certificates import write_certificate
from tests.hindrances import full
from tests.respond.builders import hash_of_tables, write_config
from tests.respond.servers import listening, saying, serving, through_to

HOST = "http://127.0.0.1"
EMPTY = b"HTTP/1.1 {} x\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Campaign:
    """A campaign whose pages can be served and probed."""

    runtime: Runtime
    ledger: Ledger

    @property
    def app(self) -> ASGIApp:
        return answer_app(self.runtime, self.ledger)

    async def probed(self, port: int, path: str = "", **options: Any) -> Found:
        options = {"seconds": 30.0, **options}
        url = options.pop("host", HOST)
        return await Probe(
            self.ledger, self.runtime.tokens, f"{url}:{port}{path}", **options
        ).look()

    async def record(self) -> list[tuple[str, int]]:
        """Return what is on record of probes: code and count."""
        rows = await self.ledger.read(lambda tx: tx.rows("SELECT code, probes FROM probe"))
        return [tuple(row) for row in rows]


@asynccontextmanager
async def opened(folder: Path, **config: Any) -> AsyncIterator[Campaign]:
    runtime = Runtime.of(write_config(folder, **config), FakeClock())
    async with runtime.ledger() as ledger:
        yield Campaign(runtime, ledger)


@pytest.fixture
async def campaign(campaign_folder: Path, a_database_url: str) -> AsyncIterator[Campaign]:
    """A campaign whose server is not running yet."""
    async with opened(campaign_folder, database=a_database_url) as campaign:
        yield campaign


def in_front_of(app: ASGIApp, method: str, status: int) -> ASGIApp:
    """Return what answers every request of *method* itself, as a web server in front may."""

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != method:
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return front


@pytest.mark.parametrize("several", [False, True])
async def test_a_server_that_works_is_found_and_nobody_is_touched(
    campaign_folder: Path, several: bool
) -> None:
    async with opened(campaign_folder, several=several) as campaign:
        await admit(campaign.ledger, "an@people.example")
        log = "SELECT size FROM log_head"
        before = await campaign.ledger.read(lambda tx: tx.value(log))
        async with serving(campaign.app) as port:
            found = await campaign.probed(port)

        assert (found.code, found.why, found.hint, found.certificate_ends) == ("", "", "", None)
        assert 0 < found.seconds < 10
        rows = await campaign.ledger.read(
            lambda tx: tx.one("SELECT count(*), min(number) FROM probe_press")
        )
        assert rows[0] == 1
        assert rows[1] >= FIRST_PROBE
        counts = "SELECT (SELECT count(*) FROM answer), (SELECT count(*) FROM snapshot), standing"
        assert await campaign.ledger.read(lambda tx: tuple(tx.one(f"{counts} FROM recipient"))) == (
            0,
            0,
            "listed",
        )
        assert await campaign.ledger.read(lambda tx: tx.value(log)) == before
        assert await campaign.record() == [("", 1)]


async def test_a_server_below_a_path_is_found(campaign_folder: Path) -> None:
    url = 'public_url = "http://127.0.0.1:8080/answer"'
    async with opened(campaign_folder, public_url=url) as campaign, serving(campaign.app) as port:
        assert (await campaign.probed(port, "/answer")).code == ""


async def test_looking_at_its_page_changes_nothing(campaign: Campaign) -> None:
    link = campaign.runtime.tokens.issue(token.Scope.ANSWER, FIRST_PROBE + 5)
    before = await campaign.ledger.read(hash_of_tables)

    async with serving(campaign.app) as port:
        for request in (b"GET", b"HEAD", b"OPTIONS"):
            await raw(port, request + f" /yes/{link} HTTP/1.0\r\n\r\n".encode())

    assert await campaign.ledger.read(hash_of_tables) == before


async def raw(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    said = await reader.read()
    writer.transport.abort()
    return said


async def test_what_is_at_another_address_does_not_go_on_record(campaign: Campaign) -> None:
    async with serving(campaign.app) as port:
        assert (await campaign.probed(port, is_public=False)).code == ""
    assert await campaign.record() == []


# ── From elsewhere: with the link for a monitor, and nothing else ────────────────────────────────


async def from_elsewhere(campaign: Campaign, port: int, link: str = "", **options: Any) -> Found:
    made = link or monitor_link(campaign.runtime.tokens, "")
    return await look_from_elsewhere(
        f"{HOST}:{port}", made.rpartition("/")[2], seconds=30.0, **options
    )


@pytest.mark.parametrize("several", [False, True])
async def test_a_monitor_finds_a_server_that_works_and_the_server_keeps_when(
    campaign_folder: Path, several: bool
) -> None:
    async with opened(campaign_folder, several=several) as campaign:
        async with serving(campaign.app) as port:
            found = await from_elsewhere(campaign, port)
            await from_elsewhere(campaign, port)

        assert (found.code, found.vantage) == ("", Vantage.ELSEWHERE)
        assert found.url == f"{HOST}:{port}"
        assert await campaign.record() == [("", 2)]
        seen = await campaign.ledger.read(probing.last_seen)
        assert seen == Sight(campaign.ledger.clock.now(), Vantage.ELSEWHERE)


async def test_what_a_monitor_opens_and_does_not_press_goes_on_no_record(
    campaign: Campaign,
) -> None:
    link = monitor_link(campaign.runtime.tokens, "")
    before = await campaign.ledger.read(hash_of_tables)
    async with serving(campaign.app) as port:
        for request in (b"GET", b"HEAD", b"OPTIONS"):
            await raw(port, request + f" {link} HTTP/1.0\r\n\r\n".encode())
        for name in ("record", "record.json"):
            assert b" 404 " in await raw(port, f"GET {link}/{name} HTTP/1.0\r\n\r\n".encode())
    assert await campaign.ledger.read(hash_of_tables) == before


async def test_a_monitor_finds_a_ledger_that_cannot_be_written(campaign: Campaign) -> None:
    with full(campaign.ledger, "probe"):
        async with serving(campaign.app) as port:
            found = await from_elsewhere(campaign, port)

    assert (found.code, "503" in found.why) == ("unwritable", True)


async def test_a_monitor_finds_that_its_link_was_never_made_here(campaign: Campaign) -> None:
    """Another campaign answers there, or the link was forged."""
    forged = monitor_link(Tokens([b"f" * 32]), "")
    async with serving(campaign.app) as port:
        found = await from_elsewhere(campaign, port, forged)

    assert (found.code, "404" in found.why) == ("foreign", True)
    assert str(found.failure()).startswith(f"nobody can answer at {HOST}:{port}, seen from elsew")
    assert await campaign.record() == []


async def test_a_monitor_presses_on_no_page_of_a_person(campaign: Campaign) -> None:
    """Whatever stands there shows a page that was made for somebody."""
    (an,) = await admit(campaign.ledger, "an@people.example")
    link = campaign.runtime.tokens.issue(token.Scope.ANSWER, an)
    async with serving(campaign.app) as port:
        page = await raw(port, f"GET /yes/{link} HTTP/1.0\r\n\r\n".encode())
    async with listening(saying(page)) as port:
        assert (await from_elsewhere(campaign, port)).code == "foreign"


async def test_a_monitor_finds_that_nobody_listens(campaign: Campaign) -> None:
    async with serving(campaign.app) as port:
        pass
    assert (await from_elsewhere(campaign, port)).code == "refused"
    assert await campaign.record() == []


# ── What keeps people from answering ─────────────────────────────────────────────────────────────


async def test_nobody_listens(campaign: Campaign) -> None:
    async with serving(campaign.app) as port:
        pass

    assert (await campaign.probed(port)).code == "refused"
    assert (await campaign.probed(port, host="http://localhost")).code == "refused"
    assert await campaign.record() == [("refused", 2)]


@pytest.mark.parametrize("host", ["https://nowhere.invalid", "https://a..b", "https://" + "a" * 70])
async def test_the_name_does_not_resolve(campaign: Campaign, host: str) -> None:
    assert (await campaign.probed(443, host=host)).code == "name"


@pytest.mark.parametrize(
    ("said", "code", "why"),
    [
        (EMPTY.replace(b"{}", b"502"), "status", "it answers 502"),
        (EMPTY.replace(b"{}", b"503"), "status", "it answers 503"),
        (EMPTY.replace(b"{}", b"404"), "foreign", "does not know this link: 404"),
        (EMPTY.replace(b"{}", b"301"), "redirect", "it answers 301, a redirect"),
        (EMPTY.replace(b"{}", b"200"), "foreign", "it has no Yes and No"),
        (b"220 mail.example ESMTP\r\n", "nonsense", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", "nonsense", "hangs up"),
        (b"", "nonsense", "hangs up"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000, "large", "much larger"),
        (b"HTTP/1.1 103 Early\r\n\r\n" + EMPTY.replace(b"{}", b"500"), "status", "500"),
    ],
)
async def test_something_else_answers(campaign: Campaign, said: bytes, code: str, why: str) -> None:
    async with listening(saying(said)) as port:
        found = await campaign.probed(port)

    assert found.code == code
    assert why in found.why
    assert found.hint
    assert str(found.failure()).startswith(
        f"nobody can answer at {HOST}:{port}, seen from this machine: "
    )
    assert await campaign.record() == [(code, 1)]


async def test_no_answer_comes_in_time(campaign: Campaign) -> None:
    async def dripping(reader: Any, writer: Any) -> None:
        await reader.read(1)
        while not writer.is_closing():
            writer.write(b"HTTP/1.1 200 OK\r\nA: b\r\n")
            await reader.read(65_536)

    async with listening(dripping) as port:
        found = await campaign.probed(port, seconds=0.2)

    assert found.code == "silent"
    assert found.why == "no answer came within 0.2 seconds"


async def test_another_campaign_answers(campaign: Campaign, tmp_path: Path) -> None:
    """Its keys are not ours, so that it does not know the link."""
    other = tmp_path / "other"
    other.mkdir()
    vault_keys = keys.create(other / "keys")
    assert vault_keys.campaign != campaign.runtime.keys.campaign
    runtime = Runtime.of(write_config(other), FakeClock())
    async with runtime.ledger(create=True) as ledger, serving(answer_app(runtime, ledger)) as port:
        assert (await campaign.probed(port)).code == "foreign"


async def test_a_page_that_a_cache_has_kept_is_not_taken_for_one(campaign: Campaign) -> None:
    """It was made for another link."""
    link = campaign.runtime.tokens.issue(token.Scope.ANSWER, FIRST_PROBE + 5)
    async with serving(campaign.app) as port:
        kept = await raw(port, f"GET /yes/{link} HTTP/1.0\r\n\r\n".encode())
    forged = kept.replace(b'name="nonce" value="', b'name="nonce" value="x')

    for page in (kept, forged):
        async with listening(saying(page)) as port:
            found = await campaign.probed(port)
        assert (found.code, "kept by a cache" in found.why) == ("foreign", True)


@pytest.mark.parametrize(
    ("status", "code"), [(403, "status"), (404, "foreign"), (302, "redirect"), (503, "unwritable")]
)
async def test_a_page_on_which_nobody_can_press_is_found(
    campaign: Campaign, status: int, code: str
) -> None:
    async with serving(in_front_of(campaign.app, "POST", status)) as port:
        assert (await campaign.probed(port)).code == code


async def test_a_press_that_is_not_taken_is_found(campaign: Campaign) -> None:
    """Something in front swallows it and shows a page of its own."""
    async with serving(in_front_of(campaign.app, "POST", 200)) as port:
        found = await campaign.probed(port)
    assert (found.code, "does not take the press" in found.why) == ("foreign", True)


async def test_a_server_that_dies_between_page_and_press_is_found(campaign: Campaign) -> None:
    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            raise ConnectionResetError
        await campaign.app(scope, receive, send)

    async with serving(front) as port:
        assert (await campaign.probed(port)).code in ("status", "nonsense")


async def test_a_ledger_that_cannot_be_written_is_found(campaign: Campaign) -> None:
    with full(campaign.ledger, "probe_press"):
        async with serving(campaign.app) as port:
            found = await campaign.probed(port)

    assert found.code == "unwritable"
    assert "503" in found.why


async def test_a_failure_that_cannot_be_noted_is_told_all_the_same(campaign: Campaign) -> None:
    with full(campaign.ledger, "probe"):
        async with serving(campaign.app) as port:
            pass
    assert (await campaign.probed(port)).code == "refused"


@pytest.mark.sqlite
async def test_a_server_on_another_ledger_is_found(campaign: Campaign, tmp_path: Path) -> None:
    """Somebody has copied the folder, and serves the copy."""
    source = campaign.ledger.path.parent
    await campaign.ledger.checkpoint()
    copied = shutil.copytree(source, tmp_path / "copied")
    runtime = Runtime.of(copied / "config.toml", FakeClock())
    async with runtime.ledger() as ledger, serving(answer_app(runtime, ledger)) as port:
        found = await campaign.probed(port)

    assert found.code == "elsewhere"
    assert await campaign.ledger.read(probing.has_answered) is False


# ── Certificates ─────────────────────────────────────────────────────────────────────────────────


async def test_the_end_of_a_certificate_is_told(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "tls.pem", ends=dt.timedelta(days=9))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async with (
        serving(campaign.app) as inner,
        listening(through_to(inner), certificate=certificate) as port,
    ):
        found = await campaign.probed(port, host="https://localhost")

    assert found.code == ""
    assert found.certificate_ends is not None
    left = found.certificate_ends - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=8) < left <= dt.timedelta(days=9)


async def test_an_expired_certificate_is_found(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "tls.pem", ends=-dt.timedelta(days=1))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async with listening(saying(b""), certificate=certificate) as port:
        found = await campaign.probed(port, host="https://localhost")

    assert (found.code, found.why) == (
        "certificate",
        "its certificate is not valid (certificate has expired)",
    )


async def test_a_certificate_that_nobody_vouches_for_is_found(
    campaign: Campaign, tmp_path: Path
) -> None:
    certificate = write_certificate(tmp_path / "tls.pem")
    async with listening(saying(b""), certificate=certificate) as port:
        assert (await campaign.probed(port, host="https://localhost")).code == "certificate"


async def test_plain_text_where_tls_should_be_is_found(campaign: Campaign) -> None:
    async with listening(saying(b"HTTP/1.1 400 x\r\n\r\n")) as port:
        assert (await campaign.probed(port, host="https://localhost")).code == "tls"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("refused", "the connection is refused"),
        ("unreachable", "it cannot be reached"),
        ("silent", "no answer came within 10 seconds"),
        ("certificate", "its certificate is not valid"),
        ("status", "it answers an error"),
        ("redirect", "it answers 3xx, a redirect"),
        ("foreign", "it is no page of this campaign"),
        ("unwritable", "the press cannot be put on file"),
    ],
)
def test_why_nobody_could_answer_is_known_afterwards_from_the_code(code: str, why: str) -> None:
    assert why_in_general(code) == why
