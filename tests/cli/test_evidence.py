"""What of the config goes with the evidence."""

from __future__ import annotations

import tomllib

import pytest

from repermit.cli.evidence import without_users
from repermit.runtime import example_config


@pytest.mark.parametrize(
    "line",
    [
        'url = "postgresql://db.example/x?password=geheim&sslmode=require"',
        'url = "postgresql://db.example/x?sslpassword=geheim"',
        "url = 'postgresql://db.example/x?passfile=/geheim'",
        'url = "https://hooks.example/a#token=geheim"',
        'url = "postgresql://an:geheim@db.example/x?user=geheim"',
        'url = "postgresql://an:gehe/geheim@db.example/x"',
        'url = "postgresql://an:ge@geheim@db.example/x"',
        """url = "postgresql://an:it's geheim@db.example/x\"""",
        'url = "postgresql://an:\\"geheim@db.example/x"',
        'url = "https://hooks.example/a?b=\\"geheim"',
        'url = """postgresql://an:geheim@db.example/x?a=\ngeheim"""',
        'text = """see https://an:geheim@a.example\nor https://b.example/?token=geheim now"""',
        '# url = "postgresql://db.example/x?password=geheim"',
        "#geheim",
        "port = 25 # geheim",
        'text = "#" # geheim',
    ],
)
def test_no_secret_of_the_config_is_given_away(line: str) -> None:
    before, after = 'name = "Zoë # 1"\n', 'subject = "a?b@c"\n'
    kept = without_users(f"{before}{line}\n{after}")

    assert tomllib.loads(f"{before}{line}\n{after}")
    assert "geheim" not in kept
    assert kept.startswith(before)
    assert kept.endswith(after)
    assert tomllib.loads(kept).keys() == tomllib.loads(f"{before}{line}\n{after}").keys()


def test_a_config_without_secrets_says_the_same_as_before() -> None:
    text = example_config()
    kept = without_users(text)

    assert tomllib.loads(kept) == tomllib.loads(text)
    assert not [line for line in kept.splitlines() if line.startswith("#")]


def test_what_looks_like_a_comment_in_a_text_is_none() -> None:
    text = '''a = """one
# two
"""
b = \'\'\'
# three\'\'\'
c = "a \\" # four"
'''

    assert without_users(text) == text
