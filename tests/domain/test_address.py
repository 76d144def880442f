import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repermit.domain.address import Address, parse
from repermit.errors import AddressRejected

any_text = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Z", "C")))
letters = st.text(st.characters(categories=("L", "M", "N")), min_size=1, max_size=8)
around_an_at = st.builds(lambda local, domain: f"{local}@{domain}.be", letters, letters)


@pytest.mark.parametrize(
    "text",
    [
        "An.Peeters@Telenet.be",
        " An.Peeters@Telenet.be\r\n",
        "<An.Peeters@Telenet.be>",
        '"An.Peeters@Telenet.be"',
        "mailto:An.Peeters@Telenet.be?subject=hallo",
        "MAILTO:An.Peeters@Telenet.be",
        "An.Peeters@Telenet.be;",
        "An.Peeters@Telenet.be>,",
        "\ufeffAn.Peeters@Tele\u00adnet.be\u200b",
        "\u00a0An.Peeters\uff20Telenet.be",
    ],
)
def test_what_lists_put_around_an_address_is_taken_off(text: str) -> None:
    assert parse(text).mailbox == "An.Peeters@telenet.be"


def test_the_local_part_keeps_its_case_and_is_found_without_it() -> None:
    address = parse("An.Peeters@Telenet.BE")

    assert address == Address("An.Peeters@telenet.be", "an.peeters@telenet.be")


def test_the_domain_is_an_a_label() -> None:
    address = parse("an@Müller.example")

    assert address.mailbox == "an@xn--mller-kva.example"
    assert address.domain == "xn--mller-kva.example"


def test_a_local_part_outside_ascii_is_an_address() -> None:
    assert parse("Zoë@voorbeeld.be").canonical == "zoë@voorbeeld.be"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \t<>\r\n", "empty"),
        ("\u200b", "empty"),
        ("n.v.t.", "no_at_sign"),
        ("a" * 400 + "@voorbeeld.be", "too_long"),
        ("a" * 65 + "@voorbeeld.be", "not_an_address"),
        ("an@", "not_an_address"),
        ("@voorbeeld.be", "not_an_address"),
        ("an@voorbeeld", "not_an_address"),
        ("an@@voorbeeld.be", "not_an_address"),
        ("an peeters@voorbeeld.be", "not_an_address"),
        ("an@voorbeeld.be, jan@voorbeeld.be", "not_an_address"),
        ("an@voorbeeld.be\nBcc: jan@voorbeeld.be", "not_an_address"),
        ("an@[127.0.0.1]", "not_an_address"),
        ("\ud800@voorbeeld.be", "not_an_address"),
    ],
)
def test_what_is_no_address_is_rejected_with_a_code(text: str, reason: str) -> None:
    with pytest.raises(AddressRejected) as rejected:
        parse(text)

    assert rejected.value.reason == reason


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("an.peeters@telenet.be", "an•••@telenet.be"),
        ("anna@telenet.be", "an•••@telenet.be"),
        ("ann@telenet.be", "a•••@telenet.be"),
        ("a@telenet.be", "a•••@telenet.be"),
    ],
)
def test_a_masked_address_shows_two_letters_of_a_longer_name(text: str, masked: str) -> None:
    assert parse(text).masked == masked


@given(any_text | around_an_at)
@example("ǰ@voorbeeld.be")
@example("ᾳ@voorbeeld.be")
def test_any_text_is_an_address_or_rejected_without_being_repeated(text: str) -> None:
    try:
        address = parse(text)
    except AddressRejected as rejected:
        codes = {"empty", "no_at_sign", "too_long", "not_an_address"}
        assert rejected.reason in codes
        assert str(rejected) == str(AddressRejected(rejected.reason))
        assert rejected.__cause__ is None
        assert rejected.__suppress_context__ or rejected.__context__ is None
    else:
        assert parse(address.mailbox) == address
        assert parse(address.canonical).canonical == address.canonical
        assert "\n" not in address.mailbox
