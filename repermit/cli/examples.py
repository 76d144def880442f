"""What to type: one or two examples a command, as its help shows them."""

from __future__ import annotations

from typing import Any, Final

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "init": ("repermit init my-campaign", "repermit init --yes"),
    "import": (
        "repermit import list.xlsx --dry-run",
        "repermit import list.xlsx --relationship signed_up_no_proof --country BE --source fair",
    ),
    "suppress": (
        "repermit suppress unsubscribed.xlsx",
        'repermit suppress --none "nobody ever unsubscribed"',
    ),
    "screen": ("repermit screen",),
    "check": ("repermit check", "repermit check --wait 120"),
    "preview": ("repermit preview", "repermit preview --out to-look-at"),
    "test-mail": ("repermit test-mail",),
    "approve": ('repermit approve --by "An Peeters" --informed "Jan Claes"',),
    "send": ("repermit send --plan", "repermit send"),
    "pause": ("repermit pause",),
    "resume": ("repermit resume",),
    "doubt": ("repermit doubt list",),
    "doubt list": ("repermit doubt list", "repermit doubt list --json"),
    "doubt assume-sent": ("repermit doubt assume-sent 17 23", "repermit doubt assume-sent --all 2"),
    "doubt resend": ("repermit doubt resend 17",),
    "doubt restored": ("repermit doubt restored",),
    "serve": ("repermit serve",),
    "probe": ("repermit probe", "repermit probe --link"),
    "inbound": ("repermit inbound", "repermit inbound --csv bounces.csv --dry-run"),
    "inbound review": ("repermit inbound review", "repermit inbound review --done 3 --opt-out 5"),
    "handover": (
        "repermit handover leaving",
        'repermit handover --done "the newsletter tool" --by "Jan Claes"',
    ),
    "purge": ("repermit purge --dry-run", "repermit purge --at-most 412"),
    "export": (
        "repermit export --out opted-in.csv",
        "repermit export --out stop.csv --opt-outs --format mailchimp",
    ),
    "withdraw": ("repermit withdraw unsubscribed.csv",),
    "close": (
        'repermit close --by "An Peeters"',
        'repermit close --by "An Peeters" --erase withheld=123 --keep never_sent',
    ),
    "proof": ("repermit proof verify",),
    "proof verify": ("repermit proof verify", "repermit proof verify --json"),
    "proof bundle": ("repermit proof bundle --out evidence.zip",),
    "proof receipt": ("repermit proof receipt --out receipt.html",),
    "papers": ("repermit papers register --out register.html",),
    "papers register": ("repermit papers register --out register.html",),
    "papers breach": ("repermit papers breach --out breach.md",),
    "papers notice": ("repermit papers notice",),
    "papers certificate": ("repermit papers certificate --out certificate.html",),
    "report": ("repermit report --out figures.html",),
    "status": (
        "repermit status",
        "repermit status --watch",
        "repermit status client-a client-b/config.toml",
    ),
    "run": ("repermit run",),
    "person": ("repermit person", "repermit person --letter access --out letter.html"),
    "backup": ("repermit backup copies --keys key-copies",),
    "restore": ("repermit restore copies", "repermit restore copies --keys key-copies"),
    "keys": ("repermit keys rotate",),
    "keys rotate": ("repermit keys rotate",),
    "keys revoke-links": ("repermit keys revoke-links",),
    "migrate-ledger": ("repermit migrate-ledger postgresql://repermit@db.example/repermit",),
    "demo": ("repermit demo", "repermit demo --folder demonstration"),
}


def add_examples(command: Any, words: tuple[str, ...]) -> None:
    """Let the help of *command*, and of the commands in it, end with its examples; a command in it
    is said whole."""
    if lines := EXAMPLES.get(" ".join(words)):
        command.epilog = "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))
    for name, each in getattr(command, "commands", {}).items():
        each.short_help = " ".join((each.help or "").split())  # whole, where it would be cut
        add_examples(each, (*words, name))
