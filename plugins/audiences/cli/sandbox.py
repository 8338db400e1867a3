"""`audiences sandbox`: a local Facebook to rehearse on."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import Annotated

import typer

from audiences.cli.app import app


@app.command(epilog="Example: `audiences sandbox --port 8090 --state sandbox.sqlite`")
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 8090,
    host: Annotated[
        str, typer.Option(help="What to listen on; another than this machine's own lets others in, without a password.")
    ] = "127.0.0.1",
    state: Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the sandbox's memory in this file.")] = None,
) -> None:
    """Serve a local Facebook to rehearse on; point a connection's `graph_url` at it.

    It serves until Ctrl-C. Exit code 1 when it cannot begin, since the port is taken or the file cannot be read.
    """
    from audiences.sandbox.server import serve

    serve(port, host, state)
