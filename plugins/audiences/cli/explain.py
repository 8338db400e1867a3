"""`audiences explain`: why a user is in or out."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from getpass import getpass
from typing import Annotated, Literal

import typer

from audiences.cli import console as show
from audiences.cli.app import AsJson, At, CampaignArgument, app, load, resources_of, show_found, wrong_usage


@app.command(epilog="Example: `audiences explain abandoned_cart --user 1814`")
def explain(
    campaign: CampaignArgument,
    user: Annotated[str | None, typer.Option(help="The user's id in the warehouse.")] = None,
    email: Annotated[
        str | None, typer.Option(metavar="ADDRESS|-", help="Whoever has this e-mail address; `-` reads it.")
    ] = None,
    phone: Annotated[
        str | None, typer.Option(metavar="NUMBER|-", help="Whoever has this phone number; `-` reads it.")
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say for one user which step decides, and by which values; identifiers are masked.

    The user is given by id, or by an e-mail address or a phone number, which is hashed and looked for in the warehouse
    and in the ledger. With `--email -` it is read from standard input, so that it need not be in the shell's history.

    Exit code 1 when the warehouse has no user of this id, or when nobody has the address.
    """
    from audiences.pipeline import explain as look
    from audiences.pipeline.person.called import ensure_id

    given: dict[Literal["email", "phone"], str | None] = {"email": email, "phone": phone}
    by = [(kind, address) for kind, address in given.items() if address is not None]
    if (user is not None) + len(by) != 1:
        wrong_usage("give one of --user, --email and --phone")
    if user is not None:
        ensure_id(user)
    spec, moment = load(campaign), at or datetime.now(UTC)
    with resources_of(spec, read_only=True) as resources:
        if user is not None:
            one = look.explain(resources, user, moment)
            show_found(one, as_json, show.explanation)
            raise typer.Exit(0 if one.known else 1)
        ((kind, address),) = by
        found = look.explain_address(resources, kind, _read(kind) if address == "-" else address, moment)
        show_found(found, as_json, show.explanations)
        raise typer.Exit(0 if found.users else 1)


def _read(kind: str) -> str:
    """An address from standard input; where that is a terminal, asked for and not shown."""
    if sys.stdin.isatty():
        return getpass(f"{kind}: ")
    return sys.stdin.readline()
