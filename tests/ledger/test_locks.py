import fcntl
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from repermit.ledger.locks import Lock, holders, is_awaited, is_free, waiting


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Where a ledger would be; locks need only its name."""
    return tmp_path / "ledger.db"


def test_a_lock_is_held_by_one(ledger: Path) -> None:
    first, second = Lock(ledger, "purge"), Lock(ledger, "purge")

    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_locks_of_other_names_and_ledgers_do_not_meet(ledger: Path) -> None:
    held = [Lock(ledger, "purge"), Lock(ledger, "sender-1"), Lock(Path(f"{ledger}2"), "purge")]

    assert [one.acquire() for one in held] == [True] * 3
    for one in held:
        one.release()


def test_a_lock_leaves_no_file(ledger: Path) -> None:
    lock = Lock(ledger, "purge")
    lock.acquire()
    lock.release()
    lock.release()

    assert list(ledger.parent.iterdir()) == []


def test_asking_whether_a_lock_is_free_does_not_take_it(ledger: Path) -> None:
    lock = Lock(ledger, "sender-1")

    assert is_free(ledger, "sender-1")
    assert lock.acquire()
    assert not is_free(ledger, "sender-1")
    lock.release()
    assert is_free(ledger, "sender-1")


def test_a_lock_ends_with_a_process_that_is_killed(ledger: Path) -> None:
    held = (
        "import sys, time; from pathlib import Path; from repermit.ledger.locks import Lock\n"
        "assert Lock(Path(sys.argv[1]), 'sender-1').acquire(); print('held', flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", held, str(ledger)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as sender:
        assert sender.stdout is not None
        assert sender.stdout.readline() == b"held\n"
        assert not is_free(ledger, "sender-1")
        sender.kill()

    assert is_free(ledger, "sender-1")


def test_a_lock_is_held_by_one_also_while_it_changes_hands(ledger: Path) -> None:
    """Who opened the file before it was removed must not hold the removed one."""
    holders, most, taken, end = [0], [0], [0], time.monotonic() + 0.3
    guard = threading.Lock()

    def take_turns() -> None:
        while time.monotonic() < end:
            lock = Lock(ledger, "purge")
            if lock.acquire():
                with guard:
                    holders[0] += 1
                    taken[0] += 1
                    most[0] = max(most[0], holders[0])
                time.sleep(0)
                with guard:
                    holders[0] -= 1
                lock.release()

    turns = [threading.Thread(target=take_turns) for _ in range(4)]
    for turn in turns:
        turn.start()
    for turn in turns:
        turn.join()

    assert taken[0] > 10
    assert most[0] == 1


def test_a_lock_whose_file_was_tidied_away_meanwhile_is_taken_anew(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder let go between our opening of the file and our locking of it."""
    real, calls = fcntl.flock, list[int]()

    def flock(descriptor: int, kind: int) -> None:
        if not calls:
            ledger.with_name("ledger.db.purge.lock").unlink()
        calls.append(kind)
        real(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", flock)
    lock = Lock(ledger, "purge")

    assert lock.acquire()
    assert len(calls) == 2
    assert not is_free(ledger, "purge")
    lock.release()


def test_who_holds_locks_of_a_kind_is_counted(ledger: Path) -> None:
    one, two, other = Lock(ledger, "sender-1"), Lock(ledger, "sender-2"), Lock(ledger, "purge")
    assert holders(ledger, "sender-") == 0
    assert one.acquire()
    assert two.acquire()
    assert other.acquire()
    assert holders(ledger, "sender-") == 2

    one.release()
    ledger.with_name(f"{ledger.name}.sender-3.lock").touch()  # of one that was killed
    assert holders(ledger, "sender-") == 1


def test_whoever_opens_the_ledger_through_a_link_meets_the_others(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(tmp_path / "ledger.db")
    lock = Lock(tmp_path / "ledger.db", "purge")

    assert lock.acquire()
    assert (is_free(link, "purge"), holders(link, "purge")) == (False, 1)
    assert not Lock(link, "purge").acquire()
    lock.release()


_WAITS = (
    "import sys; from pathlib import Path; from repermit.ledger.locks import waiting\n"
    "with waiting(Path(sys.argv[1])):\n"
    "    print('waits', flush=True); sys.stdin.readline()\n"
    "print('went', flush=True); sys.stdin.readline()"
)


def test_as_long_as_anybody_waits_it_is_seen(ledger: Path) -> None:
    """Three processes; one ends its wait, one is killed, the last is still seen."""
    with ExitStack() as stack:
        processes = [stack.enter_context(waiter(ledger)) for _ in range(3)]
        for process in processes:
            assert said(process) == b"waits\n"
        first, second, third = processes
        assert is_awaited(ledger)
        go_on(first)
        assert said(first) == b"went\n"
        assert is_awaited(ledger)
        second.kill()
        second.wait()
        assert is_awaited(ledger)
        go_on(third)
        assert said(third) == b"went\n"
        assert not is_awaited(ledger)
        for process in (first, third):
            go_on(process)

    assert list(ledger.parent.iterdir()) == []


def waiter(ledger: Path) -> subprocess.Popen[bytes]:
    """Start a process that waits until it is told to go on."""
    return subprocess.Popen(
        [sys.executable, "-c", _WAITS, str(ledger)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


def said(process: subprocess.Popen[bytes]) -> bytes:
    """Return what a process says next."""
    assert process.stdout is not None
    return process.stdout.readline()


def go_on(process: subprocess.Popen[bytes]) -> None:
    """Tell a process to go on."""
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def test_whoever_begins_to_wait_while_somebody_looks_is_seen(ledger: Path) -> None:
    """The look holds the file, and removes it; who had opened it waits at a new one."""
    path = ledger.with_name(f"{ledger.name}.waiting.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    waits, end = threading.Event(), threading.Event()

    def wait() -> None:
        with waiting(ledger):
            waits.set()
            end.wait()

    waiter = threading.Thread(target=wait)
    waiter.start()
    while times_open(path) < 2:
        time.sleep(0.001)
    path.unlink()
    os.close(descriptor)
    waits.wait()
    assert is_awaited(ledger)
    end.set()
    waiter.join()

    assert not is_awaited(ledger)


def times_open(path: Path) -> int:
    """Return how often this process has that file open."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile, or a pipe
            found += each.samefile(path)
    return found


def test_a_file_of_waiters_that_was_tidied_away_is_nobodys_to_remove(ledger: Path) -> None:
    path = ledger.with_name(f"{ledger.name}.waiting.lock")
    with waiting(ledger):
        path.unlink()
        path.touch()

    assert path.exists()
    assert not is_awaited(ledger)


def test_what_a_killed_waiter_left_is_removed_by_whoever_looks(ledger: Path) -> None:
    ledger.with_name(f"{ledger.name}.waiting.lock").touch()

    assert not is_awaited(ledger)
    assert list(ledger.parent.iterdir()) == []


def test_a_wait_within_a_wait_hides_neither(ledger: Path) -> None:
    with waiting(ledger):
        with waiting(ledger):
            assert is_awaited(ledger)
        assert is_awaited(ledger)
    assert not is_awaited(ledger)
