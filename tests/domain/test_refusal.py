"""What a reply says of an address."""

from __future__ import annotations

import pytest

from repermit.domain.refusal import is_about_address

ABOUT_IT = "501|550|551|553|556|550 5.0.0|550 5.1.1|553 5.1.3 local: no address|550 5.1.10"
ABOUT_IT += "|550 5.2.1|552 5.2.2|550 5.4.1|554 5.4.4|5.1.1"
NOT_ABOUT_IT = "|552|554|550 5.7.1|550 5.7.26|554 5.6.0|553 5.1.8|550 5.1.7|552 5.2.3|554 5.3.0"
NOT_ABOUT_IT += "|553 5.6.7 local: the relay cannot carry this address (SMTPUTF8)|521 5.5.1"
NOT_ABOUT_IT += "|gave up after 450 4.2.1|gave up after 550|450 4.1.1|connection lost|54.1.1"


@pytest.mark.parametrize("reply", ABOUT_IT.split("|"))
def test_unknown_closed_full_and_unroutable_are_about_the_address(reply: str) -> None:
    assert is_about_address(reply)


@pytest.mark.parametrize("reply", NOT_ABOUT_IT.split("|"))
def test_policies_servers_contents_and_delays_are_not(reply: str) -> None:
    assert not is_about_address(reply)
