from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.errors import KeysUnusable, SealBroken
from repermit.ledger import foreign, keys
from repermit.ledger.vault import Vault

FIELDS = {"mailbox": "Zoë@voorbeeld.example", "sensitive": True, "collected": "2025-03-01"}


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault with generations 1 and 2."""
    made = keys.create(tmp_path_factory.mktemp("vault") / "keys")
    keys.create_generation(made.burn, 2)
    return Vault(made)


def test_what_was_sealed_comes_back(vault: Vault) -> None:
    sealed = vault.seal(FIELDS, generation=1, recipient_id=7)

    assert vault.open(sealed, generation=1, recipient_id=7) == FIELDS
    assert b"voorbeeld" not in sealed


def test_the_same_fields_are_never_sealed_the_same_way(vault: Vault) -> None:
    sealed = {vault.seal(FIELDS, generation=1, recipient_id=7) for _ in range(50)}

    assert len({one[:12] for one in sealed}) == 50


@pytest.mark.parametrize(("generation", "recipient_id"), [(1, 8), (2, 7)])
def test_a_sealed_field_opens_in_no_other_row_and_under_no_other_generation(
    vault: Vault, generation: int, recipient_id: int
) -> None:
    sealed = vault.seal(FIELDS, generation=1, recipient_id=7)

    with pytest.raises(SealBroken, match=f"recipient {recipient_id} "):
        vault.open(sealed, generation=generation, recipient_id=recipient_id)


@given(data=st.data())
def test_a_sealed_field_with_one_bit_changed_is_refused(vault: Vault, data: st.DataObject) -> None:
    sealed = bytearray(vault.seal(FIELDS, generation=1, recipient_id=7))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(SealBroken) as broken:
        vault.open(bytes(sealed), generation=1, recipient_id=7)
    assert "voorbeeld" not in str(broken.value)


@given(st.binary(max_size=40))
def test_anything_else_is_refused(vault: Vault, sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        vault.open(sealed, generation=1, recipient_id=7)


def test_a_person_is_found_under_one_hash_a_generation(vault: Vault) -> None:
    canonical = "an@voorbeeld.example"
    hashes = {
        vault.lookup(canonical, generation=1),
        vault.lookup(canonical, generation=2),
        vault.suppression(canonical),
        vault.lookup("jan@voorbeeld.example", generation=1),
    }

    assert len(hashes) == 4
    assert {len(one) for one in hashes} == {32}
    assert vault.lookup(canonical, generation=1) == Vault(vault.keys).lookup(
        canonical, generation=1
    )


def test_a_suppressed_address_has_one_hash_under_each_lasting_key(tmp_path: Path) -> None:
    """One vault knows of a key that another process added after it was made."""
    made, canonical = keys.create(tmp_path / "keys"), "an@voorbeeld.example"
    early = Vault(made)
    assert early.suppressions(canonical) == (early.suppression(canonical),)
    foreign.add(made.folder, [b"a" * 32])
    late = Vault(keys.load(made.folder))

    assert early.suppressions(canonical) == late.suppressions(canonical)
    assert early.suppressions(canonical)[0] == early.suppression(canonical)
    assert len(set(early.suppressions(canonical))) == 2
    assert early.suppression_keys() == (made.suppression, b"a" * 32)


def test_a_key_folder_that_is_away_leaves_the_keys_that_were_read(tmp_path: Path) -> None:
    """So that a no can still be recorded; what came in its place must be right, though."""
    vault, canonical = Vault(keys.create(tmp_path / "keys")), "an@voorbeeld.example"
    before = vault.suppressions(canonical)
    vault.keys.folder.rename(tmp_path / "away")
    assert vault.suppressions(canonical) == before
    (tmp_path / "away").rename(vault.keys.folder)
    keys.write_durably(vault.keys.file, b"{}")

    with pytest.raises(KeysUnusable, match="cannot be read"):
        vault.suppressions(canonical)


def test_promise_8_what_was_sealed_under_a_destroyed_generation_is_lost(tmp_path: Path) -> None:
    vault = Vault(keys.create(tmp_path / "keys"))
    sealed = vault.seal(FIELDS, generation=1, recipient_id=7)
    keys.destroy_generation(vault.keys.burn, 1)
    vault.forget(1)
    vault.forget(2)

    with pytest.raises(KeysUnusable, match="generation 1 is not in the key folder"):
        vault.open(sealed, generation=1, recipient_id=7)
    with pytest.raises(KeysUnusable):
        vault.lookup("an@voorbeeld.example", generation=1)
