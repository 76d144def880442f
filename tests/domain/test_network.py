from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.network import network_of

PROXY = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("testclient", ""),
    ],
)
def test_a_peer_is_known_by_its_network_only(peer: str, network: str) -> None:
    assert network_of(peer, [], ()) == network


@pytest.mark.parametrize("forwarded", ["198.51.100.1", "198.51.100.1, 10.0.0.1", "x"])
def test_what_an_untrusted_peer_says_of_others_is_not_believed(forwarded: str) -> None:
    assert network_of("203.0.113.77", [forwarded], PROXY) == "203.0.113.0/24"
    assert network_of("10.0.0.1", [forwarded], ()) == "10.0.0.0/24"


@pytest.mark.parametrize(
    ("forwarded", "network"),
    [
        (["198.51.100.1"], "198.51.100.0/24"),
        (["6.6.6.6, 198.51.100.1"], "198.51.100.0/24"),
        (["6.6.6.6, 198.51.100.1, 10.0.0.2"], "198.51.100.0/24"),
        (["6.6.6.6", "198.51.100.1"], "198.51.100.0/24"),
        (["198.51.100.1:4711"], "198.51.100.0/24"),
        (["[2001:db8:1::2]:443"], "2001:db8:1::/48"),
        (["2001:db8:1::2"], "2001:db8:1::/48"),
        (["10.0.0.2"], "10.0.0.0/24"),
        (["unknown"], "10.0.0.0/24"),
        (["198.51.100.1, unknown"], "10.0.0.0/24"),
        ([""], "10.0.0.0/24"),
        ([], "10.0.0.0/24"),
    ],
)
def test_a_trusted_peer_is_believed_up_to_the_first_hop_that_is_not(
    forwarded: list[str], network: str
) -> None:
    assert network_of("10.0.0.1", forwarded, PROXY) == network


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=4))
def test_whatever_is_said_there_is_a_network_or_none(peer: str, forwarded: list[str]) -> None:
    assert isinstance(network_of(peer, forwarded, PROXY), str)
    assert network_of("10.0.0.1", forwarded, PROXY)


def test_a_list_of_a_million_hops_is_not_walked() -> None:
    assert network_of("10.0.0.1", ["6.6.6.6" + ", 10.0.0.1" * 1_000_000], PROXY) == "10.0.0.0/24"
