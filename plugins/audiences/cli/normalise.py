"""`audiences normalise`: the rules for identifiers, tried out on JSON lines."""

from __future__ import annotations

import sys

import typer

from audiences.cli.app import app


@app.command(epilog="""Example: `echo '{"field": "email", "input": " Jane@Example.com"}' | audiences normalise`""")
def normalise() -> None:
    """Read JSON lines {"field", "input", "context"} and write {"normalised", "sha256"}, null for a rejected value.

    Exit code 1 when a line could not be read; it is answered with {"error"}, and the others are read all the same.
    """
    from audiences.what.identifiers.lines import normalise_lines

    wrong = False
    for line in normalise_lines(sys.stdin):
        wrong = wrong or line.startswith('{"error"')
        sys.stdout.write(line + "\n")
    raise typer.Exit(1 if wrong else 0)
