"""`python -m audiences.sandbox --port N [--state FILE]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from audiences.sandbox.server import HOST, SandboxStartError, serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="audiences.sandbox", description="Serve a local Facebook Graph API.")
    parser.add_argument("--port", type=int, default=8090, help="0 picks a free one (default: %(default)s)")
    parser.add_argument("--host", default=HOST, help="default: %(default)s, this machine only")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep the memory in this SQLite file")
    arguments = parser.parse_args()
    try:
        serve(arguments.port, arguments.host, arguments.state)
    except SandboxStartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
