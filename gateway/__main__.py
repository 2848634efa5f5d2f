"""The `ops` program; `python -m gateway` is the same."""

import sys

from gateway.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
