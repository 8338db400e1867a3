"""How the command line tells of an error: as a message for people, or as one line of JSON."""

from __future__ import annotations

from typing import Any

from audiences.cli import console as show
from audiences.cli.app import err
from audiences.cli.safe_console import as_text
from audiences.errors import AudiencesError, ConfigError, StoppedError


def as_ours(error: Exception) -> AudiencesError | None:
    """The error, or the one of ours for it; None for one that nobody foresaw."""
    if isinstance(error, AudiencesError):
        return error
    from audiences.ledger.ledger_errors import as_ours as of_ledger

    return of_ledger(error)


def tell(error: AudiencesError, *, as_json: bool, campaign: str | None = None) -> None:
    """Say what went wrong, and with which `campaign` where it is one of several."""
    which: dict[str, Any] = {"campaign": campaign} if campaign else {}
    if isinstance(error, ConfigError):
        if as_json:
            show.json_line({**which, "state": "failed", "problems": [show.fields(each) for each in error.problems]})
        else:
            show.problems(err, error.problems)
    elif as_json:
        state = "stopped" if isinstance(error, StoppedError) else "failed"
        show.json_line({**which, "state": state, "error": str(error), "kind": type(error).__name__})
    else:
        named = f"[bold]{as_text(campaign)}[/] " if campaign else ""
        err.print(f"{named}[bold red]error[/]  {as_text(str(error))}", highlight=False, soft_wrap=True)
