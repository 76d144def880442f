"""What `check` says of who else handles the addresses."""

from __future__ import annotations

import pytest

from repermit.cli.accountable import processors
from repermit.cli.finding import State
from repermit.domain.clock import SystemClock
from repermit.runtime import Runtime
from tests.test_config import SMALLEST, a_config, a_table

_ELSEWHERE = 'url = "smtp://relay.be:587"'
_RELAY = '[[processors]]\nname = "Post bv"\nrole = "mail relay"\ncountry = "BE"\n'
_HOST = '[[processors]]\nname = "Huis bv"\nrole = "hosting"\ncountry = "{}"\nagreement = "{}"\n'


def a_runtime(more: str, *, sensitive: bool = False) -> Runtime:
    from repermit.config import read

    text = SMALLEST.replace('url = "smtp://127.0.0.1:1025"', _ELSEWHERE)
    if sensitive:
        text = text.replace("[campaign]\n", "[campaign]\nsensitive = true\n")
    return Runtime(read(f"{text}\n{more}", path=a_config().path), SystemClock())


@pytest.mark.parametrize(
    ("more", "state", "says"),
    [
        ("", State.WARN, "none is named"),
        (_HOST.format("BE", "map 4"), State.WARN, "who sends the mails is not named"),
        (_RELAY, State.WARN, "no agreement with Post bv"),
        (f'{_RELAY}agreement = "map 3"\n', State.OK, "1 processor with country and agreement"),
        (
            f'{_RELAY}agreement = "map 3"\n{_HOST.format("US", "map 4")}',
            *(State.WARN, "Huis bv is outside the EEA (US)"),
        ),
        (
            f'{_RELAY}agreement = "map 3"\n{_HOST.format("US", "map 4, with SCC")}',
            *(State.OK, "2 processors"),
        ),
    ],
)
async def test_each_processor_has_a_country_and_an_agreement(
    more: str, state: State, says: str
) -> None:
    found = await processors(a_runtime(more))

    assert found[0] is state
    assert says in found[1]
    assert bool(found[2]) is (state is not State.OK)


async def test_for_a_sensitive_list_it_fails() -> None:
    assert (await processors(a_runtime(_RELAY, sensitive=True)))[0] is State.FAIL


async def test_a_relay_on_this_machine_needs_no_name() -> None:
    one = a_table("campaign", "answer_days = 30")
    assert one.relay.is_on_this_machine
    assert "hosts this" in (await processors(Runtime(one, SystemClock())))[1]
