"""Whether a domain takes mail, when it has many hosts for it."""

from __future__ import annotations

from repermit.published.lookup import Lookup
from repermit.published.mailhosts import Takes, takes
from tests import dns
from tests.dns import NameServer, Said


def many(count: int) -> Said:
    """Say that so many hosts take its mail, the last first in the answer."""
    return Said({"MX": tuple(f"{at} mx{at}.x.be." for at in reversed(range(count)))})


async def asked_of(names: dict[str, Said]) -> tuple[Takes, list[str]]:
    """Return what is said of x.be, and the hosts that were asked for."""
    async with NameServer(names).running() as server:
        found = await takes("x.be", Lookup(server.resolver()))
    return found, list(dict.fromkeys(name for name, kind in server.asked if kind == "A"))


async def test_no_more_than_ten_hosts_are_looked_up_and_of_the_others_nothing_is_known() -> None:
    found, asked = await asked_of({"x.be": many(11)})

    assert found is Takes.UNKNOWN
    assert asked == [f"mx{at}.x.be" for at in range(10)]


async def test_ten_hosts_that_are_gone_are_lost() -> None:
    assert (await asked_of({"x.be": many(10)}))[0] is Takes.LOST_HOST


async def test_the_first_host_that_is_there_is_enough() -> None:
    names = {"x.be": many(11), "mx0.x.be": dns.SERVFAIL, "mx1.x.be": dns.A_ONLY}
    assert await asked_of(names) == (Takes.MAIL, ["mx0.x.be", "mx1.x.be"])
