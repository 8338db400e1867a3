"""`audiences normalise`: the rules for identifiers, tried out on JSON lines."""

from __future__ import annotations

import sys

import typer

from audiences.cli.app import app


@app.command()
def normalise() -> None:
    """Read JSON lines {"field", "input", "context"} and write {"normalised", "sha256"}, null for a rejected value."""
    from audiences.what.identifiers.lines import normalise_lines

    wrong = False
    for line in normalise_lines(sys.stdin):
        wrong = wrong or line.startswith('{"error"')
        sys.stdout.write(line + "\n")
    raise typer.Exit(1 if wrong else 0)
