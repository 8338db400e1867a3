"""`audiences erase`: a person out of every audience and the ledger, with proof."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from audiences.campaign.common_files import load_catalog, load_settings
from audiences.campaign.wording import counted
from audiences.cli import console as show
from audiences.cli.app import AsJson, Here, app, out, show_found
from audiences.cli.safe_console import as_text

if TYPE_CHECKING:
    from rich.console import Console

    from audiences.pipeline.person.erasure_report import ErasedFrom, Erasure


@app.command(epilog="Example: `audiences erase --user 1814`")
def erase(
    user: Annotated[str, typer.Option(help="The user's id in the warehouse.")],
    lift: Annotated[bool, typer.Option("--lift", help="Forget the erasure: the person may be uploaded again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a person from every audience of every ad account and from the ledger, for good, and prove it.

    Exit code 0 when nothing is left; 1 when something is still to be done, which is told, and then to be completed by the
    same command; 2 when nobody has, or had, this id.
    """
    from audiences.pipeline.erase import erase as carry_out
    from audiences.pipeline.erase import lift as take_back
    from audiences.pipeline.person.erasure_resources import ErasureResources
    from audiences.pipeline.run import Timings

    settings, (_, catalog) = load_settings(Here.project), load_catalog(Here.project)
    with ErasureResources(settings, catalog, root=Here.project) as resources:
        if lift:
            forgotten = take_back(resources, user, datetime.now(UTC))
            if as_json:
                show.json_line({"user": user, "lifted": forgotten > 0, "forgotten": forgotten})
            else:
                out.print(f"forgotten: {_hashes(forgotten)}" if forgotten else "nobody of this id was erased")
            raise typer.Exit(0 if forgotten else 1)
        found = Timings(time.sleep).of("erase", lambda: carry_out(resources, user, datetime.now(UTC)))
    show_found(found, as_json, _erasure)
    raise typer.Exit(_EXIT_CODES[found.state])


# A mistyped id is a wrong use of the command, which must not look like an erasure that was done.
_EXIT_CODES = {"done": 0, "incomplete": 1, "unknown": 2}


def _acknowledged(account: ErasedFrom) -> str:
    if account.closed:
        return "closed for good, says include/settings.yml; nothing was sent there"
    if account.error:
        return "not done, for the reason below"
    return f"{account.received:,} of {account.rows:,} rows acknowledged"


def _hashes(number: int) -> str:
    return f"{number:,} {'hash' if number == 1 else 'hashes'}"


def _erasure(console: Console, found: Erasure) -> None:
    colour = "green" if found.state == "done" else "red"
    console.print(f"user {as_text(found.user)}: erasure {found.erasure} [bold {colour}]{found.state}[/]")
    if found.state == "unknown":
        console.print(
            "  neither the warehouse nor the ledger has a user of this id: is it mistyped? It is remembered all the same, "
            "so that nobody of this id is uploaded; `--lift` takes that back",
            soft_wrap=True,
        )
    for account in found.accounts:
        said = _acknowledged(account)
        console.print(f"  ad account {as_text(account.id)}: {said}", soft_wrap=True)
    for audience in found.audiences:
        console.print(
            f"  audience {as_text(audience.id)} {as_text(audience.name)}: {counted(audience.rows, 'row')}",
            soft_wrap=True,
        )
    for table, rows in found.ledger.items():
        console.print(f"  ledger, {table}: {counted(rows, 'row')} removed, {found.left[table]:,} left")
    for table, values in found.texts.items():
        console.print(f"  ledger, {table}: {values:,} texts named the person, and do no more")
    if found.other_users:
        console.print(f"  {found.other_users:,} other users shared an identifier with the person and left with them")
    console.print(f"  kept, so that the person is not uploaded again: {_hashes(found.remembered)}")
    for task in found.still_to_do:
        console.print(f"[yellow]![/] {as_text(task)}", soft_wrap=True)
