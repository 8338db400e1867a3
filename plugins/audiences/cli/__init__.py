"""The command line: check, preview, run and explain campaigns without Airflow.

Exit code 0: right. 1: a file, a campaign or a run is wrong. 2: the command was used wrongly.

Each module of this package adds its commands to the app when it is imported, and all of them are: a new command is a new file.
The reference page alone is made afterwards, from the whole app.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, NoReturn

from audiences.cli import console as show
from audiences.cli.app import app, err
from audiences.cli.safe_console import as_text
from audiences.errors import AudiencesError, ConfigError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Sequence

for _each in iter_modules(__path__, f"{__name__}."):
    if not _each.name.endswith(("__main__", "command_reference")):
        import_module(_each.name)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point, with the command line's arguments or these: our errors become a message and exit code 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        app(given)
    except ConfigError as error:
        if as_json:
            show.json_line({"state": "failed", "problems": [show.fields(problem) for problem in error.problems]})
        else:
            show.problems(err, error.problems)
        sys.exit(1)
    except AudiencesError as error:
        _fail(error, as_json=as_json)
    except Exception as error:
        from audiences.ledger.ledger_errors import as_ours

        ours = as_ours(error)
        if ours is None:
            raise
        _fail(ours, as_json=as_json)


def _fail(error: AudiencesError, *, as_json: bool) -> NoReturn:
    if as_json:
        state = "stopped" if isinstance(error, StoppedError) else "failed"
        show.json_line({"state": state, "error": str(error), "kind": type(error).__name__})
    else:
        err.print(f"[bold red]error[/]  {as_text(str(error))}", highlight=False, soft_wrap=True)
    sys.exit(1)
