from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from dns.asyncresolver import Resolver

from repermit.intake.domains import DomainsChecked, dead_domains, system_resolver
from tests import dns
from tests.dns import NameServer, Said


async def checked(server: NameServer, *domains: str, lifetime: float = 5.0) -> DomainsChecked:
    async with server.running():
        return await dead_domains(domains, server.resolver(lifetime=lifetime))


async def heard(server: NameServer, name: str) -> None:
    """Wait until *server* is asked for *name*."""
    async with asyncio.timeout(5):
        while (name, "MX") not in server.asked:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    "said",
    [
        dns.mx("mail.voorbeeld.be"),
        dns.mx("mail.voorbeeld.be", "mail.elders.be"),
        Said({"MX": ("0 .", "10 mail.voorbeeld.be.")}),  # against RFC 7505, and yet an exchange
        dns.A_ONLY,
        dns.AAAA_ONLY,
        dns.LONG_MX,
        dns.alias("mail.voorbeeld.be"),
    ],
)
async def test_a_domain_with_an_exchange_or_a_host_is_alive(said: Said) -> None:
    server = NameServer({"voorbeeld.be": said, "mail.voorbeeld.be": dns.A_ONLY})

    assert await checked(server, "voorbeeld.be") == DomainsChecked({}, frozenset(), 1)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (dns.NULL_MX, "null_mx"),
        (dns.NXDOMAIN, "no_such_domain"),
        (dns.alias("nergens.be"), "no_such_domain"),
        (dns.TXT_ONLY, "no_mail_host"),
        (Said(), "no_mail_host"),
    ],
)
async def test_a_domain_that_takes_no_mail_is_dead(said: Said, reason: str) -> None:
    server = NameServer({"voorbeeld.be": said})

    assert await checked(server, "voorbeeld.be") == DomainsChecked(
        {"voorbeeld.be": reason}, frozenset(), 1
    )


@pytest.mark.parametrize(
    "said",
    [dns.SERVFAIL, dns.REFUSED, dns.YXDOMAIN, dns.SILENT, dns.GARBAGE, dns.mx("mail", wait=2)],
)
async def test_a_domain_of_which_nothing_is_heard_is_never_dead(said: Said) -> None:
    result = await checked(NameServer({"voorbeeld.be": said}), "voorbeeld.be", lifetime=0.2)

    assert result == DomainsChecked({}, frozenset({"voorbeeld.be"}), 0)


@pytest.mark.parametrize("said", [dns.SILENT, dns.SERVFAIL, dns.NXDOMAIN])
@pytest.mark.parametrize("kind", ["A", "AAAA"])
async def test_a_failure_after_the_first_question_is_never_dead(said: Said, kind: str) -> None:
    """There is no MX; of its address nothing is heard, or then the very name is denied."""
    server = NameServer({"voorbeeld.be": Said(), f"voorbeeld.be {kind}": said})

    assert (await checked(server, "voorbeeld.be", lifetime=0.2)).unknown == {"voorbeeld.be"}


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a..be",
        "b" * 64 + ".be",
        ".".join(["b" * 63] * 5),
        "a\\9.be",
        "\ud800.be",
        "xn--a.é",
    ],
)
async def test_a_name_that_cannot_be_asked_is_unknown(name: str) -> None:
    server = NameServer(otherwise=dns.SERVFAIL)

    assert (await checked(server, name)).unknown == {name}


async def test_odd_labels_are_asked_as_they_are() -> None:
    names = ["_x.voorbeeld.be", "*.voorbeeld.be", "xn--mller-kva.de"]
    server = NameServer(otherwise=dns.mx("mail.voorbeeld.be"))

    assert (await checked(server, *names)).checked == 3
    assert {name for name, _ in server.asked} == set(names)


async def test_each_domain_is_asked_once_and_the_result_is_in_order() -> None:
    names = [f"d{number:02}.be" for number in range(30)]
    server = NameServer({name: dns.mx("mail.be") for name in names[:10]})

    result = await checked(server, *reversed(names), *names)

    assert sorted(server.asked) == [(name, "MX") for name in names]
    assert list(result.dead) == names[10:]
    assert result.checked == 30


async def test_only_some_are_asked_at_once() -> None:
    server = NameServer(otherwise=dns.mx("mail.be", wait=0.05))
    done: list[tuple[int, int]] = []
    async with server.running():
        names = [f"d{number}.be" for number in range(40)]
        result = await dead_domains(
            names, server.resolver(), at_once=7, progress=lambda *told: done.append(told)
        )

    assert result.checked == 40
    assert 1 < server.most_at_once <= 7
    assert done == [(number, 40) for number in range(1, 41)]


async def test_a_long_answer_is_asked_for_again_over_tcp() -> None:
    server = NameServer(otherwise=dns.LONG_MX)

    assert (await checked(server, "voorbeeld.be")).checked == 1
    assert server.asked_by_tcp == 1


async def test_without_a_network_the_rest_is_not_asked() -> None:
    names = [f"d{number}.be" for number in range(500)]
    server = NameServer(otherwise=dns.SILENT)
    async with server.running():
        result = await dead_domains(names, server.resolver(lifetime=0.2), at_once=10)

    assert result == DomainsChecked({}, frozenset(names), 0)
    assert len({name for name, _ in server.asked}) < 50


async def test_a_network_that_is_lost_midway_ends_it_too() -> None:
    names = [f"d{number:03}.be" for number in range(300)]
    server = NameServer(dict.fromkeys(names[:40], dns.NULL_MX), otherwise=dns.SILENT)
    async with server.running():
        result = await dead_domains(names, server.resolver(lifetime=1.5), at_once=10)

    assert result == DomainsChecked(dict.fromkeys(names[:40], "null_mx"), frozenset(names[40:]), 40)
    assert len({name for name, _ in server.asked}) < 100


async def test_failures_that_a_server_tells_end_nothing() -> None:
    """A resolver that cannot reach one server of the world can reach the next."""
    names = [f"d{number:03}.be" for number in range(100)]
    server = NameServer({names[-1]: dns.NULL_MX}, otherwise=dns.SERVFAIL)

    assert (await checked(server, *names)).dead == {names[-1]: "null_mx"}


async def test_a_port_where_nobody_listens_makes_all_unknown() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        server = NameServer(port=taken.getsockname()[1])
        result = await dead_domains(["voorbeeld.be"], server.resolver(lifetime=0.2))

    assert result.unknown == {"voorbeeld.be"}


async def test_a_machine_without_name_servers_makes_all_unknown() -> None:
    result = await dead_domains(["voorbeeld.be"], Resolver(configure=False))

    assert result.unknown == {"voorbeeld.be"}


async def test_no_domains_are_no_work() -> None:
    assert await dead_domains([], Resolver(configure=False)) == DomainsChecked({}, frozenset(), 0)


async def test_it_stops_when_it_is_cancelled() -> None:
    server = NameServer(otherwise=dns.SILENT)
    async with server.running():
        asking = asyncio.create_task(dead_domains(["voorbeeld.be"], server.resolver(lifetime=60.0)))
        await heard(server, "voorbeeld.be")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("nameserver 127.0.0.9\n", ["127.0.0.9"]),
        ("nameserver nergens.be\n", []),
        ("# none\n", []),
        (None, []),
    ],
)
def test_a_machine_has_a_resolver_even_without_servers(
    tmp_path: Path, text: str | None, servers: list[str]
) -> None:
    conf = tmp_path / "resolv.conf"
    if text is not None:
        conf.write_text(text)

    assert list(system_resolver(str(conf)).nameservers) == servers


def test_the_server_runs_in_a_thread_too() -> None:
    with NameServer({"voorbeeld.be": dns.NULL_MX}).in_a_thread() as server:
        result = asyncio.run(dead_domains(["voorbeeld.be"], server.resolver()))

    assert result.dead == {"voorbeeld.be": "null_mx"}
