"""A mail server that says nonsense, too much, or says it too slowly, is left with a line."""

from __future__ import annotations

import contextlib
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from repermit.errors import MailboxUnusable
from repermit.inbound.imap import Imap, ImapAt

Says = Callable[[], Iterator[bytes]]
_MEGABYTE = b"x" * 1_000_000
_MOST_MEMORY = 32_000_000  # bytes
_WAIT = 0.2  # seconds


@contextlib.contextmanager
def saying(**says: Says) -> Iterator[int]:
    """A server that answers SEARCH, FETCH, SELECT, CAPABILITY with what each of *says* yields; a
    pause is an empty piece. Yields its port."""
    listening, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()
    usual = {
        "CAPABILITY": lambda: iter([b"* CAPABILITY IMAP4rev1 MOVE UIDPLUS\r\n"]),
        "SELECT": lambda: iter([b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n"]),
        "SEARCH": lambda: iter([b"* SEARCH 1\r\n"]),
    }

    def answer(client: socket.socket) -> None:
        client.sendall(b"* OK hi\r\n")
        for line in client.makefile("rb"):
            tag, *words = line.decode().upper().split()
            word = words[1] if words[0] == "UID" else words[0]
            for piece in {**usual, **says}.get(word, lambda: iter([]))():
                client.sendall(piece)
                if not piece and ended.wait(_WAIT / 4):
                    return
            client.sendall(f"{tag} OK done\r\n".encode())

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                with listening.accept()[0] as client, contextlib.suppress(OSError):
                    answer(client)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def contents(port: int, timeout: float = 30.0) -> list[bytes | None]:
    """Return what an operator's look would read."""
    imap = Imap(ImapAt("127.0.0.1", port, "none", "an", "x", timeout=timeout))
    try:
        return [imap.content(uid) for uid in imap.uids()]
    finally:
        imap.close()


def is_left(port: int, why: str, timeout: float = 30.0) -> None:
    """Assert that the server is left with one line, and what to do."""
    with pytest.raises(MailboxUnusable, match=why) as refused:
        contents(port, timeout)
    assert "\n" not in str(refused.value)
    assert "is next time" in refused.value.hint


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("SEARCH", b"* SEARCH 1 x \xff 99999999999999999999999 -4\r\n"),
        ("SEARCH", b"* SEARCH {3}\r\n1 2\r\n"),
        ("SEARCH", b"* \xff 1\r\n"),
        ("SEARCH", b"* SEARCH " + b"1" * 5_000 + b"\r\n"),
        ("SELECT", b"* OK [UIDVALIDITY abc] x\r\n"),
        ("CAPABILITY", b"* CAPABILITY {3}\r\n1 2\r\n"),
        ("FETCH", b"* 1 FETCH (UID 1 BODY[]<0> {" + b"9" * 5_000 + b"}\r\n"),
        ("FETCH", b"hello\r\n"),
    ],
)
def test_nonsense_is_a_line(word: str, said: bytes) -> None:
    with saying(**{word: lambda: iter([said])}) as port:
        is_left(port, "hung up|cannot be reached")


def a_literal() -> Iterator[bytes]:
    yield b"* 1 FETCH (UID 1 BODY[]<0> {600000000}\r\n"
    for _ in range(600):
        yield _MEGABYTE


def many_messages() -> Iterator[bytes]:
    for number in range(1, 301):
        yield b"* %d FETCH (UID %d BODY[]<0> {1000000}\r\n" % (number, number)
        yield _MEGABYTE
        yield b")\r\n"


def a_line() -> Iterator[bytes]:
    yield b"* 1 FETCH "
    for _ in range(300):
        yield _MEGABYTE


def many_lines() -> Iterator[bytes]:
    for number in range(1_000):
        yield b"".join(
            b"* X%d y\r\n" % each for each in range(number * 1_000, (number + 1) * 1_000)
        )


@pytest.mark.parametrize("said", [a_literal, many_messages, a_line, many_lines])
def test_what_is_too_much_is_not_kept(said: Says) -> None:
    with saying(FETCH=said) as port:
        tracemalloc.start()
        try:
            is_left(port, "hung up, or does not do what it must")
            assert tracemalloc.get_traced_memory()[1] < _MOST_MEMORY
        finally:
            tracemalloc.stop()


def drip() -> Iterator[bytes]:
    """Never a wait as long as what is waited for, and never an end."""
    yield b"* SEARCH 1"
    while True:
        yield b""
        yield b" 2"


@pytest.mark.parametrize("word", ["CAPABILITY", "SELECT", "SEARCH", "FETCH", "LOGOUT"])
def test_an_answer_without_end_ends(word: str) -> None:
    with saying(**{word: drip}) as port:
        if word == "LOGOUT":
            assert contents(port, _WAIT) == [None]
        else:
            is_left(port, "does not answer in time", _WAIT)


def test_a_look_without_end_ends() -> None:
    """Each answer comes in time."""

    def slowly() -> Iterator[bytes]:
        yield b""

    def numbers() -> Iterator[bytes]:
        yield b"* SEARCH " + b" ".join(b"%d" % each for each in range(1, 10_000)) + b"\r\n"

    with saying(SEARCH=numbers, FETCH=slowly) as port:
        is_left(port, "does not answer in time", _WAIT / 2)


def test_the_content_of_another_message_is_not_taken() -> None:
    """The server may say the number before it or after it, and tell of others unasked."""

    def said() -> Iterator[bytes]:
        yield b"* 9 FETCH (UID 99 BODY[]<0> {5}\r\nhello)\r\n"
        yield b"* 8 FETCH (BODY[]<0> {5}\r\nhello UID 11)\r\n"
        yield b"* 7 FETCH (FLAGS (\\Seen) UID 1)\r\n"

    def ours() -> Iterator[bytes]:
        yield from said()
        yield b"* 1 FETCH (BODY[]<0> {4}\r\nours UID 1)\r\n"

    with saying(FETCH=said) as port:
        assert contents(port) == [None]
    with saying(FETCH=ours) as port:
        assert contents(port) == [b"ours"]
