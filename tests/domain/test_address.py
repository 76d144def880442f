import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from repermit.domain.address import Address, holds_at, parse, plain
from repermit.errors import AddressRejected

any_text = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Z", "C")))
letters = st.text(st.characters(categories=("L", "M", "N")), min_size=1, max_size=8)
around_an_at = st.builds(lambda local, domain: f"{local}@{domain}.be", letters, letters)


def one_of(words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words.split())


# Addresses that are nearly plain: each part is good, or bad in one of the ways known.
labels = one_of("x telenet Telenet a-b -a a- a--b xn--mller-kva XN--MLLER-KVA xn-- xn--a a_b 1 é")
odd_labels = st.sampled_from(["", "a" * 63, "a" * 64, "voor beeld", "[127.0.0.1]", "[1", "mail\t"])
endings = one_of("be BE test TEST local invalid localhost onion arpa example 1 b1 1b xn--p1ai")
odd_endings = st.sampled_from(["be.", "be..", "", "be ", "be]", "be\n", "example.com", "co.uk"])
domains = one_of("x.be Telenet.be a-b.co.uk") | st.builds(
    lambda many, ending: ".".join([*many, ending]),
    st.lists(labels | odd_labels, max_size=4),
    endings | odd_endings,
)
locals_ = (
    one_of("an An.Peeters INFO info Postmaster o'brien an+list =an é a..b .a a.")
    | one_of("a@b 'an an' mailto:an smtp:an <an a,b a;b a(b) a:b a\\b \uff41n")
    | st.sampled_from(["", "a b", '"an"', "a" * 64, "a" * 65, "An <an", "a\u200b"])
    | st.text("aZ9.'-+@ \"#!$%&*/?^_`{|}~", max_size=12)
)
nearly_plain = st.builds(lambda local, domain: f"{local}@{domain}", locals_, domains)


@pytest.mark.parametrize(
    "text",
    [
        "An.Peeters@Telenet.be",
        " An.Peeters@Telenet.be\r\n",
        "<An.Peeters@Telenet.be>",
        '"An.Peeters@Telenet.be"',
        '"An.Peeters"@Telenet.be',
        'An Peeters <"An.Peeters"@Telenet.be>',
        "mailto:An.Peeters@Telenet.be?subject=hallo",
        "MAILTO:An.Peeters@Telenet.be",
        "An.Peeters@Telenet.be;",
        "An.Peeters@Telenet.be>,",
        "\ufeffAn.Peeters@Tele\u00adnet.be\u200b",
        "\u00a0An.Peeters\uff20Telenet.be",
        "\uff21\uff4e.Peeters@Telenet\uff0ebe",
        "\u202aAn.Peeters@Telenet.be\u202c",
        "\u201cAn.Peeters@Telenet.be\u201d",
        "'An.Peeters@Telenet.be",
        "(An.Peeters@Telenet.be)",
        "['An.Peeters@Telenet.be.']",
        "An.Peeters@Telenet.be" + " " * 1000,
        "mailto://An.Peeters@Telenet.be",
        "mailto:An%2EPeeters%40Telenet.be",
        "SMTP:An.Peeters@Telenet.be",
        "smtp:An.Peeters@Telenet.be",
        "An Peeters <An.Peeters@Telenet.be>",
        "An Peeters<An.Peeters@Telenet.be>;",
        '"Peeters, An" <An.Peeters@Telenet.be>',
        '"Peeters, An <An.Peeters@Telenet.be>"',
        "An @ work <An.Peeters@Telenet.be>",
        "An <mailto:An.Peeters@Telenet.be>",
        "An Peeters [mailto:An.Peeters@Telenet.be]",
        "'an.peeters@telenet.be' <An.Peeters@Telenet.be>",
        "An.Peeters@Telenet.be<mailto:An.Peeters@Telenet.be>",
        "An.Peeters@Telenet.be (An Peeters)",
        "<An.Peeters@Telenet.be> (An)",
        "<<An.Peeters@Telenet.be>>",
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
        ("an@\udc80.be", "not_an_address"),
        ("an @voorbeeld.be", "not_an_address"),
        ("an@voorbeeld,be", "not_an_address"),
        ("an@voorbeeld..be", "not_an_address"),
        (".an@voorbeeld.be", "not_an_address"),
        ("an@voorbeeld.test", "not_an_address"),
        ("An Peeters an@voorbeeld.be", "not_an_address"),
        ("an@voorbeeld.be An Peeters", "not_an_address"),
        ("An Peeters <an@voorbeeld.be", "not_an_address"),
        ("jan@voorbeeld.be <an@voorbeeld.be>", "not_an_address"),
        ("an@voorbeeld.be (jan@voorbeeld.be)", "not_an_address"),
        ("an@voorbeeld.be (An", "not_an_address"),
        ("J\ufffdrg@voorbeeld.be", "not_an_address"),
        ("mailto:an%FF@voorbeeld.be", "not_an_address"),
        ("mailto:an@voorbeeld.be,jan@voorbeeld.be", "not_an_address"),
        ("/o=Org/cn=An", "no_at_sign"),
        ("An <>", "empty"),
        ("x" * 900, "no_at_sign"),
        ("x" * 900 + "@voorbeeld.be", "too_long"),
        ("a" * 64 + "\u00df@voorbeeld.be", "not_an_address"),
        ("a" * 63 + "\u00df@voorbeeld.be", "not_an_address"),
        ("\u0130\u0338@voorbeeld.be", "not_an_address"),
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


@given(any_text | around_an_at | nearly_plain)
@example("ǰ@voorbeeld.be")
@example("ᾳ@voorbeeld.be")
@example("İ\u0338@voorbeeld.be")
@example("['an@voorbeeld.be")
@example("mailto:%EF%BC%A1n@voorbeeld.be")
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


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("an@voorbeeld.be", Address("an@voorbeeld.be", "an@voorbeeld.be")),
        ("An@Voorbeeld.BE", Address("An@voorbeeld.be", "an@voorbeeld.be")),
        ("INFO@Voorbeeld.be", Address("info@voorbeeld.be", "info@voorbeeld.be")),
        ("o'brien+x@voorbeeld.be", Address("o'brien+x@voorbeeld.be", "o'brien+x@voorbeeld.be")),
        (f"{'a' * 64}@{'b' * 63}.be", Address(*[f"{'a' * 64}@{'b' * 63}.be"] * 2)),
        ("'an@voorbeeld.be", None),
        ("an@voorbeeld.be.", None),
        ("an@voorbeeld.test", None),
        ("an@xn--mller-kva.de", None),
        (f"{'a' * 65}@voorbeeld.be", None),
        (f"an@{'.'.join(['b' * 63] * 4)}", None),
    ],
)
def test_a_plain_address_needs_no_closer_look(text: str, address: Address | None) -> None:
    assert plain(text) == address


@given(nearly_plain | around_an_at | any_text)
@example(f"{'a' * 63}@{'.'.join(['b' * 62] * 3)}.be")
@example(f"{'a' * 64}@{'.'.join(['b' * 62] * 3)}.be")
def test_the_fast_path_never_disagrees_with_email_validator(text: str) -> None:
    found = plain(text)
    if found is not None:
        valid = validate_email(text, check_deliverability=False, strict=True)
        assert found.mailbox == f"{valid.local_part}@{valid.ascii_domain}"
        assert found.canonical == found.mailbox.casefold()
        assert parse(f" An <{text}>") == found


@given(nearly_plain.filter(lambda text: not text.startswith("'")))
def test_what_email_validator_takes_is_an_address(text: str) -> None:
    """An apostrophe in front is a quote that a spreadsheet left there."""
    try:
        valid = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return
    assert parse(text).domain == valid.ascii_domain


@given(
    any_text | around_an_at | nearly_plain | st.text("an@x.be<>()[]\"';: \u200b\u0301", max_size=20)
)
def test_what_is_taken_for_an_address_is_one_for_email_validator(text: str) -> None:
    try:
        address = parse(text)
    except AddressRejected:
        return
    valid = validate_email(address.mailbox, check_deliverability=False, strict=True)
    assert address.mailbox == f"{valid.local_part}@{valid.ascii_domain}"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("an@x.be.csv", True),
        ("an＠x.be", True),
        ("an﹫x.be", True),
        ("an%40x.be", True),
        ("an", False),
    ],
)
def test_an_address_in_a_name_is_seen_however_its_at_sign_is_written(
    text: str, holds: bool
) -> None:
    assert holds_at(text) is holds
