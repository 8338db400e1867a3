"""How soon the first byte of a page comes, through Airflow's real API server: `python -m benchmarks.first_byte`.

The same ledger of a thousand campaigns and a hundred thousand runs as `benchmarks.answers`, asked over HTTP with a session in a
cookie, as a browser does: the session is checked, rights are asked for, the ledger is opened and read, the answer is written.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import requests
from tests.pages.server import serving

from benchmarks.answers import BOUND, ROUNDS, filled

if TYPE_CHECKING:
    from audiences.connections import Connection

ASKED: Final = {
    "all campaigns, first page": "campaigns",
    "all campaigns, last page": "campaigns?offset=950",
    "all campaigns, searched": "campaigns?search=cart%200012",
    "one campaign": "campaigns/cart_00011",
    "history of a live campaign": "campaigns/cart_00011/runs",
    "sizes over 90 days, live": "campaigns/cart_00011/sizes?days=90",
    "health": "health",
}


def measure(campaigns: int, runs: int) -> list[str]:
    """A line for each page: the median and the shortest time until its first byte."""
    with (
        filled(campaigns, runs) as (connection, project, remark),
        tempfile.TemporaryDirectory() as folder,
        serving("simple", Path(folder) / "home", _environment(connection, project)) as server,
    ):
        browser = requests.Session()
        browser.trust_env = False
        browser.cookies.set("_token", server.token("viewer"))
        return [
            remark,
            *(_line(name, browser, f"{server.url}/audiences/api/{path}") for name, path in ASKED.items()),
        ]


def _environment(connection: Connection, project: Path) -> dict[str, str]:
    postgres = {
        "conn_type": "postgres",
        **{key: getattr(connection, key) for key in ("host", "port", "login", "schema")},
    }
    facebook = {"conn_type": "facebook_social", "extra": {"access_token": "benchmark", "app_id": "1"}}
    return {
        "AIRFLOW_CONN_LEDGER": json.dumps(postgres),
        "AIRFLOW_CONN_WAREHOUSE": json.dumps(postgres),
        "AIRFLOW_CONN_FACEBOOK_MAIN": json.dumps(facebook),
        "AUDIENCES_PROJECT": str(project),
    }


def _line(name: str, browser: requests.Session, address: str) -> str:
    """The first of the rounds reads the files, and does not count."""
    seconds = []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        with browser.get(address, stream=True, timeout=120) as answer:
            next(answer.iter_content(1))
            seconds.append(time.perf_counter() - begun)
            answer.raise_for_status()
            _ = answer.content
    typical, shortest = median(seconds[1:]), min(seconds[1:])
    verdict = "" if typical <= BOUND else f"   ABOVE {1_000 * BOUND:.0f} ms"
    return f"  {name:<28} {1_000 * typical:6.0f} ms   at best {1_000 * shortest:6.0f} ms{verdict}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_byte", description=__doc__)
    parser.add_argument("--campaigns", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=100_000)
    asked = parser.parse_args()
    sys.stdout.write("\n".join(measure(asked.campaigns, asked.runs)) + "\n")


if __name__ == "__main__":
    main()
