"""`audiences catalog`: the warehouse catalog compared with the database, and a first draft of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from audiences.campaign.checks.event_rules import CATALOG
from audiences.campaign.common_files import load_catalog, warehouse_connection
from audiences.campaign.wording import dotted
from audiences.checklist import State
from audiences.cli import console as show
from audiences.cli.app import AsJson, Here, app, out
from audiences.cli.safe_console import as_text
from audiences.errors import FixConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audiences.warehouse.catalog.record import List

catalog_app = typer.Typer(help="The warehouse catalog: check it, or draft a first one.", no_args_is_help=True)
app.add_typer(catalog_app, name="catalog")
Using = Annotated[
    str | None, typer.Option(help="The Airflow connection of the warehouse; that of include/settings.yml if left out.")
]


@dataclass(eq=False)
class FileThereError(FixConfigError):
    """A file that would be overwritten."""

    file: str

    def __str__(self) -> str:
        return f"{self.file} is there already and was left as it is; --force replaces it, --to FILE writes another one"


@catalog_app.command(epilog="Example: `audiences catalog init --users crm.users --events crm.events`")
def init(
    users: Annotated[str, typer.Option(metavar="TABLE", help="The table or view with one row per user.")],
    events: Annotated[
        str | None, typer.Option(metavar="TABLE", help="The table or view with one row per event.")
    ] = None,
    to: Annotated[str, typer.Option(metavar="FILE", help="Where the draft goes, in the project's folder.")] = CATALOG,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if there is one.")] = False,
    connection: Using = None,
    as_json: AsJson = False,
) -> None:
    """Write a first draft of include/warehouse.yml by looking at your tables; correct it, then check it.

    Exit code 1 when the file is there already, a table is not, or the draft lacks what a catalog needs, which is told.
    """
    from audiences.connections import look_up
    from audiences.warehouse.catalog.draft import draft, relation_named
    from audiences.warehouse.catalog.reflect import Glance

    file = Here.project / to
    replaced = file.exists()
    if replaced and not force:
        raise FileThereError(file=to)
    with Glance(look_up(connection or warehouse_connection(Here.project))) as glance:
        text = draft(relation_named(users, glance), relation_named(events, glance) if events else None, glance)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    if as_json:
        show.json_line({"written": to, "replaced": replaced})
    else:
        done = "replaced" if replaced else "wrote"
        out.print(
            f"{done} {as_text(to)}; read and correct it, then: audiences catalog check", highlight=False, soft_wrap=True
        )
    load_catalog(Here.project, to)  # says what the draft lacks, an e-mail column say


@catalog_app.command(epilog="Example: `audiences catalog check --record`")
def check(
    record: Annotated[
        bool, typer.Option("--record", help="Write the names and values that are there into the file.")
    ] = False,
    connection: Using = None,
    as_json: AsJson = False,
) -> None:
    """Compare include/warehouse.yml with the database: columns, types, keys, the index for events; a remedy per line.

    Saved segments are held against it too, SQL and lists of ids, and the login is to have no more rights than it needs.

    With --record, `names` of events and `values` of properties are added where the file has none, so that `validate`
    knows an event or a value that nobody has. What could say something about a person is never written.

    Exit code 1 when a line of the answer fails.
    """
    from audiences.connections import look_up
    from audiences.reporting.catalog_checks import catalog_checks
    from audiences.warehouse.catalog.record import unrecorded
    from audiences.warehouse.catalog.reflect import Glance

    document, catalog = load_catalog(Here.project)
    with Glance(look_up(connection or warehouse_connection(Here.project)), timezone=catalog.timezone) as glance:
        found = catalog_checks(Here.project, document, catalog, glance)
        lists = list(unrecorded(catalog, glance))
    if record:
        _record(Here.project / document.file, lists, document.file)
    every = [line for lines in found.values() for line in lines]
    failed = any(line.state is State.FAIL for line in every)
    if as_json:
        listed = {"recorded" if record else "unrecorded": [dotted(path) for path, _ in lists]}
        show.json_line({"ok": not failed, "checks": [show.check_fields(line) for line in every], **listed})
    else:
        show.checks(out, {of: lines for of, lines in found.items() if lines or of == document.file})
        if lists:
            done = "added: " if record else "audiences catalog check --record adds, so that `validate` knows them: "
            out.print(as_text(done + ", ".join(dotted(path) for path, _ in lists)), highlight=False, soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


def _record(path: Path, lists: Sequence[List], file: str) -> None:
    from audiences.warehouse.catalog.record import record

    text = path.read_bytes().decode("utf-8-sig")  # a file that was read as a catalog a moment ago
    path.write_bytes(record(text, lists, file=file).encode())
