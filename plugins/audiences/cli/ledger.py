"""`audiences ledger`: the ledger's tables."""

from __future__ import annotations

from typing import Annotated

import typer

from audiences.cli.app import app, import_airflow, out

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

    import_airflow()
    found = look_up(connection)
    with placed(found):
        out.print(f"the ledger is at revision {migrate(found)}")
