"""What a ledger needs of its database, whichever it is."""

from repermit.ledger.database import Database
from repermit.ledger.sqlite import SQLite
from tests.databases import another


def test_a_ledger_that_is_there_exists(a_database: Database) -> None:
    assert a_database.exists()


def test_a_lock_is_held_until_it_is_let_go(a_database: Database) -> None:
    other, lock = another(a_database), a_database.lock("sender-1")
    assert not lock.is_held
    assert lock.acquire()

    assert lock.is_held
    assert (other.is_free("sender-1"), other.holders("sender")) == (False, 1)
    lock.release()
    assert not lock.is_held
    assert (other.is_free("sender-1"), other.holders("sender")) == (True, 0)
    other.close()
    a_database.close()


def test_what_shares_is_a_transaction_that_may_write(a_database: Database) -> None:
    opened = a_database.connect()
    a_database.begin_sharing(opened)
    assert opened.in_transaction
    opened.execute("UPDATE campaign SET admitted = admitted")
    opened.execute("ROLLBACK")
    opened.close()
    a_database.close()


def test_every_row_stands_in_the_file_or_is_handed_out(a_database: Database) -> None:
    rows = a_database.content()

    assert (rows is None) is isinstance(a_database, SQLite)
    assert rows is None or sum(map(len, rows)) > 0
