"""The program: `repermit`, or `python -m repermit`."""

import sys

from repermit import __version__


def main() -> int:
    """Run one command and return its exit code; a Ctrl-C while the program is still loading ends
    as any other."""
    if sys.argv[1:] == ["--version"]:  # told by what is loaded by now
        print(f"repermit {__version__}")
        return 0
    try:
        from repermit.cli import main as run
    except KeyboardInterrupt:
        print("repermit: stopped: nothing had begun", file=sys.stderr)
        print("  what to do: the same command can be run again", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
