"""The pages behind nginx and Caddy as `deploy/` sets them up: real programs, on this machine."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from httpx2 import AsyncClient, AsyncHTTPTransport, RemoteProtocolError

from repermit.cli.answers import answer_app
from repermit.domain.token import Scope, Tokens
from repermit.ledger import keys
from repermit.ledger.engine import Ledger
from repermit.ledger.vault import Vault
from tests.builders import FakeClock, asked
from tests.deploy.proxies import NAMES, Proxy, nobody, program_of, proxy, site
from tests.respond.builders import ONE_CLICK, Site, served
from tests.respond.servers import listening, saying, serving

pytestmark = [pytest.mark.journey, pytest.mark.parametrize("name", NAMES)]

ADDRESS, ELSEWHERE = "127.1.0.1", "127.2.0.1"  # of visitors: networks of their own
TRUSTED = {"trusted_proxy": 'trusted_proxy = "127.0.0.1"', "origin_days": "origin_days = 90"}
AT_ONCE = 30  # bad links that a network may open before it is told to wait
LARGEST = 16_384
FAILED = {502, 503}  # what is behind does not answer
UNLOOKED = ("\thealth_uri /\n", "")  # so that Caddy tries a server that looks ill
BROKEN_OFF = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<!doctype"
OURS = ("cache-control", "content-security-policy", "referrer-policy", "x-robots-tag")


@dataclass(frozen=True)
class Behind:
    """The pages as their server has them, and through the proxy, for a visitor."""

    plain: Site
    site: Site
    proxy: Proxy


def visiting(running: Proxy, address: str) -> AsyncClient:
    """Return the client of a visitor with that address."""
    trust = ssl.create_default_context(cafile=str(running.certificate))
    transport = AsyncHTTPTransport(verify=trust, local_address=address)
    return AsyncClient(
        transport=transport, base_url=f"https://localhost:{running.port}", timeout=30
    )


@asynccontextmanager
async def behind(
    name: str, folder: Path, clock: FakeClock, place: Path, *away: int
) -> AsyncIterator[Behind]:
    """Serve the campaign in *folder* behind a proxy for the length of a block; the ports of other
    machines, which are *away*, come first."""
    program_of(name)
    async with (
        served(folder, clock, **TRUSTED) as plain,
        serving(answer_app(plain.runtime, plain.ledger)) as port,
    ):
        with proxy(name, place, *away, port) as running:
            async with visiting(running, ADDRESS) as client:
                yield Behind(plain, replace(plain, client=client), running)


async def test_a_page_comes_as_it_is_and_nothing_that_reads_changes_anything(
    name: str, campaign_folder: Path, a_clock: FakeClock, tmp_path: Path
) -> None:
    async with behind(name, campaign_folder, a_clock, tmp_path) as pages:
        (an,) = await asked(pages.plain.ledger, "an@voorbeeld.example")
        before = await pages.plain.everything()
        for kind in ("yes", "no", "u"):
            link = pages.plain.link(kind, an)
            direct = await pages.plain.client.get(link)
            seen = await pages.site.client.get(link)
            head = await pages.site.client.head(link)
            asked_for = await pages.site.client.options(link)

            assert (seen.status_code, seen.text) == (200, direct.text)
            assert (head.status_code, head.text, asked_for.status_code) == (200, "", 405)
            for header in OURS:
                assert seen.headers[header] == head.headers[header] == direct.headers[header]
            assert "content-encoding" not in seen.headers

        assert (await pages.site.client.get("/healthz")).text == "ok\n"
        assert await pages.plain.everything() == before


async def test_a_press_counts_and_so_does_one_click(
    name: str, campaign_folder: Path, a_clock: FakeClock, tmp_path: Path
) -> None:
    """Source: RFC 8058 section 3.1 (no redirect after the POST)."""
    async with behind(name, campaign_folder, a_clock, tmp_path) as pages:
        an, bo = await asked(pages.plain.ledger, "an@voorbeeld.example", "bo@voorbeeld.example")

        await pages.site.press(pages.plain.link("yes", an), "yes")
        clicked = await pages.site.post(pages.plain.link("u", bo), ONE_CLICK)

        assert clicked.status_code == 200
        assert await pages.plain.standing(an) == "opted_in"
        assert await pages.plain.standing(bo) == "opted_out"


async def test_one_click_as_a_form_of_several_parts_counts(
    name: str, campaign_folder: Path, a_clock: FakeClock, tmp_path: Path
) -> None:
    """Source: RFC 8058 section 3.2."""
    async with behind(name, campaign_folder, a_clock, tmp_path) as pages:
        (an,) = await asked(pages.plain.ledger, "an@voorbeeld.example")
        parts = {key: (None, value) for key, value in ONE_CLICK.items()}

        clicked = await pages.site.client.post(pages.plain.link("u", an), files=parts)

        assert clicked.status_code == 200
        assert await pages.plain.standing(an) == "opted_out"


async def test_two_campaigns_are_reached_by_one_name(
    name: str, campaign_folder: Path, a_clock: FakeClock, tmp_path: Path
) -> None:
    """One below a path; neither knows a link of the other."""
    program_of(name)
    other = tmp_path / "other"
    vault = Vault(keys.create(other / "keys"))
    await Ledger.open(other / "ledger.db", vault, a_clock, create=True).close()
    url = 'public_url = "https://localhost/brand-b"'
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(served(campaign_folder, a_clock, **TRUSTED))
        second = await stack.enter_async_context(served(other, a_clock, public_url=url, **TRUSTED))
        ports = [
            await stack.enter_async_context(serving(answer_app(each.runtime, each.ledger)))
            for each in (first, second)
        ]
        running = stack.enter_context(proxy(name, tmp_path, ports[0], below=ports[1]))
        client = await stack.enter_async_context(visiting(running, ADDRESS))
        through = [replace(each, client=client) for each in (first, second)]
        (an,), (bo, cas) = (
            await asked(first.ledger, "an@voorbeeld.example"),
            await asked(second.ledger, "bo@voorbeeld.example", "cas@voorbeeld.example"),
        )

        await through[0].press(first.link("yes", an), "yes")
        await through[1].press(f"/brand-b{second.link('yes', bo)}", "yes")
        clicked = await client.post(f"/brand-b{second.link('u', cas)}", data=ONE_CLICK)
        wrong = await client.get(second.link("yes", bo))
        healthy = [(await client.get(f"{each}/healthz")).text for each in ("", "/brand-b")]

        assert (clicked.status_code, wrong.status_code) == (200, 404)
        assert await first.standing(an) == "opted_in"
        assert await second.standing(bo) == "opted_in"
        assert await second.standing(cas) == "opted_out"
        assert healthy == ["ok\n", "ok\n"]


async def test_who_tries_out_links_is_slowed_down_and_nobody_beside_them(
    name: str, campaign_folder: Path, a_clock: FakeClock, tmp_path: Path
) -> None:
    """Whatever they say of where they come from: the proxy sees who is connected."""
    forged = f"/yes/{Tokens([b'x' * 32]).issue(Scope.ANSWER, 1)}"
    async with behind(name, campaign_folder, a_clock, tmp_path) as pages:
        seen = [
            await pages.site.client.get(forged, headers={"X-Forwarded-For": f"203.0.{number}.9"})
            for number in range(AT_ONCE + 5)
        ]
        async with visiting(pages.proxy, ELSEWHERE) as other:
            beside = await other.get(forged)

    assert [each.status_code for each in seen[:AT_ONCE]] == [404] * AT_ONCE
    assert seen[-1].status_code == 429
    assert beside.status_code == 404


async def test_of_two_machines_the_one_that_is_away_is_passed_over(
    name: str, campaign_folder: Path, a_clock: FakeClock, tmp_path: Path
) -> None:
    with nobody() as away:
        async with behind(name, campaign_folder, a_clock, tmp_path, away) as pages:
            people = [f"an{number}@voorbeeld.example" for number in range(6)]
            ids = await asked(pages.plain.ledger, *people)
            for _ in range(10):  # meanwhile Caddy looks for the first time
                assert (await pages.site.client.get("/healthz")).status_code == 200
            for recipient_id in ids:
                await pages.site.press(pages.plain.link("yes", recipient_id), "yes")

            assert len(await pages.plain.answers()) == len(ids)


async def test_a_body_that_no_form_has_is_refused_and_kept_nowhere(
    name: str, campaign_folder: Path, a_clock: FakeClock, tmp_path: Path
) -> None:
    async with behind(name, campaign_folder, a_clock, tmp_path) as pages:
        (an,) = await asked(pages.plain.ledger, "an@voorbeeld.example")
        link = pages.plain.link("yes", an)

        large = await pages.site.client.post(link, content=b"marked=" + b"x" * LARGEST)
        most = await pages.site.client.post(link, content=b"answer=maybe&x=".ljust(LARGEST, b"y"))

        assert large.status_code in {413, 502}  # ours, or of Caddy, whose own limit may come first
        assert most.status_code == 200
        assert "yyyy" not in pages.proxy.said()
        assert await pages.plain.standing(an) == "asked"


async def test_no_link_is_ever_in_what_the_proxy_writes(
    name: str, campaign_folder: Path, a_clock: FakeClock, tmp_path: Path
) -> None:
    async with behind(name, campaign_folder, a_clock, tmp_path) as pages:
        (an,) = await asked(pages.plain.ledger, "an@voorbeeld.example")
        links = [pages.plain.link(kind, an) for kind in ("yes", "no", "u")]
        for link in links:
            await pages.site.client.get(link)
            await pages.site.client.post(link, content=b"x" * 2 * LARGEST)
            await pages.site.post(link, ONE_CLICK)

    for link in links:
        assert link.rpartition("/")[2] not in pages.proxy.said()


@pytest.mark.parametrize("said", [None, b"", BROKEN_OFF], ids=["away", "gone", "broken off"])
async def test_no_link_is_in_what_it_writes_of_a_server_that_fails(
    name: str, said: bytes | None, tmp_path: Path
) -> None:
    """It is away, or hangs up at once, or in the middle."""
    program_of(name)
    link = f"/yes/{Tokens([b'x' * 32]).issue(Scope.ANSWER, 1)}"
    async with AsyncExitStack() as stack:
        if said is None:
            server = stack.enter_context(nobody())
        else:
            server = await stack.enter_async_context(listening(saying(said)))
        running = stack.enter_context(proxy(name, tmp_path, server, change=UNLOOKED))
        client = await stack.enter_async_context(visiting(running, ADDRESS))
        with suppress(RemoteProtocolError):  # of an answer that is broken off
            assert (await client.get(link)).status_code in FAILED
            assert (await client.post(link, content=b"answer=yes")).status_code in FAILED

    assert link.rpartition("/")[2] not in running.said()


async def test_the_proxy_does_write_what_fails_elsewhere(
    name: str, campaign_folder: Path, a_clock: FakeClock, tmp_path: Path
) -> None:
    """Without this, logs that are empty would prove nothing: what is left out is put back."""
    shown = {
        "nginx": ("    access_log off;\n", ""),
        "caddy": ("exclude http.log.error http.handlers.reverse_proxy", "level DEBUG"),
    }
    link = f"/yes/{Tokens([b'x' * 32]).issue(Scope.ANSWER, 1)}"
    program_of(name)
    with nobody() as away, proxy(name, tmp_path, away, change=shown[name]) as running:
        async with visiting(running, ADDRESS) as client:
            assert (await client.get(link)).status_code in FAILED

    assert link.rpartition("/")[2] in running.said()


def test_the_file_is_as_its_program_wants_it(name: str, tmp_path: Path) -> None:
    """No word of warning, and for Caddy also its own layout."""
    program = program_of(name)
    if name == "caddy":
        (tmp_path / "Caddyfile").write_text(site(name), "utf-8")
        words = ["fmt", str(tmp_path / "Caddyfile")]
    else:
        with proxy(name, tmp_path, 9) as running:
            words = ["-t", "-q", "-p", str(running.folder), "-c", str(tmp_path / "around.conf")]
    ended = subprocess.run(
        [program, *words], capture_output=True, text=True, timeout=30, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.strip() == (site(name).strip() if name == "caddy" else "")
