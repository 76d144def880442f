"""What a no of the relay is about."""

from __future__ import annotations

import pytest

from repermit.dispatch.verdict import Delayed, Refused, SenderRefused, Verdict, of_no


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("450 4.2.0", Delayed("450 4.2.0")),
        ("550 5.1.1", Refused("550 5.1.1")),
        ("550 5.5.0", Refused("550 5.5.0")),  # how Hotmail says that there is no such mailbox
        ("501 5.1.3", Refused("501 5.1.3")),
        ("552 5.2.2", Refused("552 5.2.2")),
        ("556 5.1.10", Refused("556 5.1.10")),
        ("550 5.7.1", Refused("550 5.7.1", policy=True)),
        ("503 5.5.1", Delayed("503 5.5.1")),
        ("502", Delayed("502")),
        ("530 5.7.0", Delayed("530 5.7.0")),
        ("555 5.5.4", Delayed("555 5.5.4")),
        ("552 5.3.4", Delayed("552 5.3.4")),
        ("250", None),
        ("354", None),
    ],
)
def test_nobody_is_given_up_for_what_is_not_about_their_address(
    reply: str, verdict: Verdict | None
) -> None:
    assert of_no(reply) == verdict


@pytest.mark.parametrize("reply", ["550 5.1.8", "530 5.7.0", "503"])
def test_any_permanent_no_to_the_sender_is_about_us(reply: str) -> None:
    assert of_no(reply, to_sender=True) == SenderRefused(reply)
