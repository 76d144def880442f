from hashlib import sha256

from repermit.ledger.engine import Ledger
from repermit.ledger.store import snapshots


async def test_promise_9_what_was_shown_is_found_under_the_hash_of_its_content(
    a_ledger: Ledger,
) -> None:
    content = "<p>Mogen wij u blijven mailen? Ja / Nee — één klik</p>"
    hashed = await a_ledger.write(snapshots.keep_snapshot, "page", "nl", content)
    found = await a_ledger.read(snapshots.snapshot, hashed)

    assert hashed == sha256(content.encode()).hexdigest() == snapshots.snapshot_hash(content)
    assert found is not None
    assert (found.kind, found.language, found.content) == ("page", "nl", content)


async def test_the_same_content_is_kept_once(a_ledger: Ledger) -> None:
    for _ in range(2):
        await a_ledger.write(snapshots.keep_snapshot, "mail", "nl", "hallo")

    assert await a_ledger.read(lambda tx: tx.value("SELECT count(*) FROM snapshot")) == 1


async def test_what_was_never_shown_is_not_found(a_ledger: Ledger) -> None:
    assert await a_ledger.read(snapshots.snapshot, "0" * 64) is None
