"""`audiences ledger`: the ledger's tables."""

from __future__ import annotations

from typing import Annotated

import typer

from audiences.cli.app import app, out

ledger_app = typer.Typer(help="The ledger: what we know we did.", no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")


@ledger_app.command("migrate", epilog="Example: `audiences ledger migrate`")
def migrate_ledger(
    connection: Annotated[str, typer.Option(help="The Airflow connection of the ledger.")] = "ledger",
) -> None:
    """Create the ledger's tables or bring them up to date; safe to repeat.

    Exit code 1 when the ledger cannot be reached, or is of a later version.
    """
    from audiences.connections import look_up
    from audiences.ledger.ledger_errors import placed
    from audiences.ledger.migrate import migrate

    found = look_up(connection)
    with placed(found):
        out.print(f"the ledger is at revision {migrate(found)}")


@ledger_app.command("staging-gone", epilog="Example: `audiences ledger staging-gone 1204`")
def staging_gone(
    run: Annotated[int, typer.Argument(help="The number of the run, as the message that asks for this names it.")],
    connection: Annotated[str, typer.Option(help="The Airflow connection of the ledger.")] = "ledger",
) -> None:
    """Say that the staged rows of a run are lost for good: its disk is gone, or its folder was removed by hand.

    What is not found is never taken for gone by itself, since it may be on another machine's disk. After this the next run gives
    up the requests whose rows were there, and an erasure does not wait for them. Exit code 1 for a run that has nothing staged.
    """
    from audiences.connections import look_up
    from audiences.ledger.database import Ledger
    from audiences.ledger.ledger_errors import placed
    from audiences.ledger.migrate import ensure_newest
    from audiences.ledger.staged_runs import give_up

    found = look_up(connection)
    with placed(found), Ledger(found) as ledger:
        ensure_newest(ledger)
        given_up = give_up(ledger, run)
    out.print(
        f"what run {run} had staged counts as lost" if given_up else f"run {run} has nothing staged, by the ledger"
    )
    raise typer.Exit(0 if given_up else 1)
