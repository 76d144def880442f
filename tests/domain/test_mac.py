"""The prepared HMAC is the one of the standard library."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.mac import Mac


@given(key=st.binary(max_size=200), messages=st.lists(st.binary(max_size=200), max_size=3))
def test_it_is_hmac_sha256_whatever_the_key_and_however_often_it_is_used(
    key: bytes, messages: list[bytes]
) -> None:
    mac = Mac(key)

    for message in messages:
        assert mac.digest(message) == hmac.digest(key, message, "sha256")
