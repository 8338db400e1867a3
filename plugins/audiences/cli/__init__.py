"""The command line: check, preview, run and explain campaigns without Airflow.

Exit code 0: right. 1: a file, a campaign or a run is wrong. 2: the command was used wrongly.

A new command is a new file in this package (`commands`). The script `audiences` is `whole_process.command`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what these arguments say, or those of the process. Raises SystemExit with the exit code."""
    from audiences.cli.one_command import carry_out  # not before a process is made ready for the imports

    carry_out(list(sys.argv[1:] if arguments is None else arguments))
