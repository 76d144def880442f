"""`python -m repermit`."""

import sys

from repermit.cli import main

if __name__ == "__main__":
    sys.exit(main())
