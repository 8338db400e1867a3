"""(b) The floor: binary COPY of the same columns to nowhere, SHA-256 of the same values, JSON POST of the same bytes."""

from __future__ import annotations

import hashlib
import os

import orjson
import psycopg
import requests

from benchmarks.contender import report
from benchmarks.world import QUALIFIED

GRAPH = os.environ["BENCH_SANDBOX"] + "/v26.0"


def prepare() -> tuple[list[bytes], list[bytes], str]:
    """Values and bodies, made before the clock starts."""
    with psycopg.connect(os.environ["BENCH_SHOP"]) as connection:
        users = connection.execute(f"select lower(email), substr(phone, 2) from ({QUALIFIED}) q where not opted_out")  # noqa: S608  # our own text
        values = [(email.encode(), phone.encode()) for email, phone in users]
    rows = [[hashlib.sha256(email).hexdigest(), hashlib.sha256(phone).hexdigest()] for email, phone in values]
    bodies = [
        orjson.dumps({"payload": {"schema": ["EMAIL", "PHONE"], "data": rows[first : first + 10_000]}})
        for first in range(0, len(rows), 10_000)
    ]
    created = requests.post(
        f"{GRAPH}/act_1001/customaudiences",
        json={"name": "Floor", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"},
        headers={"Authorization": "Bearer sandbox-token"},
        timeout=60,
    )
    return [value for pair in values for value in pair], bodies, created.json()["id"]


def work(values: list[bytes], bodies: list[bytes], audience: str) -> dict[str, object]:
    """The three unavoidable things, one after the other."""
    with (
        psycopg.connect(os.environ["BENCH_SHOP"]) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"copy ({QUALIFIED}) to stdout (format binary)") as copy,
    ):
        for _ in copy:
            pass
    for value in values:
        hashlib.sha256(value).hexdigest()
    headers = {"Authorization": "Bearer sandbox-token", "Content-Type": "application/json"}
    with requests.Session() as session:
        for body in bodies:
            session.post(f"{GRAPH}/{audience}/users", data=body, headers=headers, timeout=60).raise_for_status()
    return {"rows": len(values) // 2, "requests": len(bodies)}


if __name__ == "__main__":
    given = prepare()
    report(lambda: work(*given))
