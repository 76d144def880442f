from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.intake.providers import typing_error

letters = st.sampled_from(string.ascii_lowercase + string.digits + "-.")


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),  # swapped
        ("gmal.com", "gmail.com"),  # one less
        ("gmaill.com", "gmail.com"),  # one more
        ("gnail.com", "gmail.com"),  # another
        ("gmai.lcom", "gmail.com"),  # the dot swapped
        ("gmail.con", "gmail.com"),
        ("gmail.be", "gmail.com"),
        ("gmail.c", "gmail.com"),
        ("hotmail.cm", "hotmail.com"),
        ("hotmail.co", "hotmail.com"),
        ("hotmail.bee", "hotmail.be"),
        ("hot-mail.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("yaho.fr", "yahoo.fr"),
        ("telnet.be", "telenet.be"),
        ("telenet.bz", "telenet.be"),
        ("telenet.com", "telenet.be"),
        ("skyent.be", "skynet.be"),
        ("promximus.be", "proximus.be"),
        ("zigo.nl", "ziggo.nl"),
        ("kpnmial.nl", "kpnmail.nl"),
        ("home.nll", "home.nl"),
        ("live.con", "live.com"),
        ("wanado.fr", "wanadoo.fr"),
        ("orange.ft", "orange.fr"),
        ("laposte.be", "laposte.net"),
        ("t-onlin.de", "t-online.de"),
        ("gmx.dee", "gmx.de"),
        ("www.telenet.be", "telenet.be"),
    ],
)
def test_a_letter_off_a_provider_is_pointed_out(domain: str, meant: str) -> None:
    assert typing_error(domain) == meant


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "gmx.net",  # one letter from nothing, and a provider
        "mail.com",  # two letters from gmail.com, and a provider
        "email.com",  # one letter from gmail.com, and a provider
        "laposte.fr",  # where its own people have their mail
        "live.be",  # both it and live.nl exist
        "yahoo.be",  # may well exist: an ending of a country
        "hotmail.dk",
        "skynet.de",
        "hope.nl",  # home.nl is too short a name to tell
        "tree.fr",
        "wed.de",
        "grange.fr",  # a word
        "oranje.nl",
        "poster.de",
        "cloud.com",
        "hotmail.dr",  # .de or .fr?
        "hotmail.ne",
        "www.voorbeeld.be",
        "voorbeeld.be",
        "be",
        "",
    ],
)
def test_what_may_well_be_meant_is_left_alone(domain: str) -> None:
    assert typing_error(domain) is None


@given(st.data())
def test_any_one_slip_in_a_long_name_finds_the_provider_or_none(data: st.DataObject) -> None:
    provider = "vodafonemail.de"
    at = data.draw(st.integers(0, len("vodafonemail") - 2))
    letter = data.draw(letters)
    slip = data.draw(
        st.sampled_from(
            [
                provider[:at] + provider[at + 1 :],
                provider[:at] + letter + provider[at:],
                provider[:at] + letter + provider[at + 1 :],
                provider[:at] + provider[at + 1] + provider[at] + provider[at + 2 :],
            ]
        )
    )

    assert typing_error(slip) == (None if slip == provider else provider)


@given(st.text("abegilmnotx.-é\ud800", max_size=12))
def test_any_text_gets_an_answer(text: str) -> None:
    meant = typing_error(text)
    assert meant is None or (meant != text and typing_error(meant) is None)
