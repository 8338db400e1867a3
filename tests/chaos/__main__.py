"""`python -m tests.chaos`: the long storm, round after round, until its time is up."""

from __future__ import annotations

import argparse
import signal
import sys
import time

from tests.chaos.suite import weather


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos", description="Faults of all kinds over a shop that changes.")
    parser.add_argument("--seed", type=int, default=2026, help="draws the data and the faults (default: %(default)s)")
    parser.add_argument("--users", type=int, default=25_000, help="how many to begin with (default: %(default)s)")
    parser.add_argument("--rounds", type=int, help="end after so many rounds")
    parser.add_argument("--minutes", type=float, default=12, help="begin no round after so many (default: %(default)s)")
    parser.add_argument("--storms", type=int, default=2, help="how many a round has (default: %(default)s)")
    parser.add_argument(
        "--fates", type=float, default=0.25, help="how likely a stroke from outside is before each wave"
    )
    parser.add_argument("--patience", type=float, default=15, help="kill a command after so many seconds")
    asked = parser.parse_args()
    # Also when a shell's job control has it ignored: servers have to be stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    until = time.monotonic() + 60 * asked.minutes
    for suite in weather(
        seed=asked.seed, users=asked.users, patience=asked.patience, storms=asked.storms, fates=asked.fates
    ):
        sys.stdout.write(f"{suite.line()}\n")
        sys.stdout.flush()
        if suite.rounds == asked.rounds or (asked.rounds is None and time.monotonic() > until):
            sys.stdout.write(f"{suite.report()}\n")
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
