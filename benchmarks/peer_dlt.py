"""The peer: dlt with a destination of one's own, its way of reverse ETL. Run by the Python of an environment that has dlt in it.

The same rows as all others have, as Arrow tables, which dlt takes through most quickly; normalised, hashed and sent in the
destination, 10,000 rows a request. Neither a ledger nor a difference: the whole set is sent each time.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import dlt
import orjson
import requests
from adbc_driver_postgresql import dbapi

from benchmarks.contender import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

GRAPH = os.environ["BENCH_SANDBOX"] + "/v26.0"
HEADERS = {"Authorization": "Bearer sandbox-token", "Content-Type": "application/json"}
WANTED = ("Silver", "Gold", "Platinum", "Bronze")


@dlt.resource(name="users")  # type: ignore[untyped-decorator]  # dlt is not installed where types are checked
def users() -> Iterator[pa.RecordBatch]:
    """Everybody who qualifies."""
    with dbapi.connect(os.environ["BENCH_SHOP"]) as connection, connection.cursor() as cursor:
        cursor.execute(os.environ["BENCH_QUERY"])
        yield from cursor.fetch_record_batch()


def sha256(text: str) -> str:
    """The hex digest of a value."""
    return hashlib.sha256(text.encode()).hexdigest()


def work() -> dict[str, object]:
    """One load of all of them."""
    created = requests.post(
        f"{GRAPH}/act_1001/customaudiences",
        json={"name": "Peer", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"},
        headers=HEADERS,
        timeout=60,
    )
    created.raise_for_status()
    audience, sent = created.json()["id"], list[int]()  # appended to by several threads

    @dlt.destination(batch_size=10_000, loader_file_format="parquet", name="graph", naming_convention="direct")  # type: ignore[untyped-decorator]  # the same
    def graph(items: Any, _: Any) -> None:
        rows = [
            [sha256(user["email"].strip().lower()), sha256("".join(filter(str.isdigit, user["phone"])))]
            for user in items.to_pylist()
            if user["customer_type"] in WANTED and not user["opted_out"]
        ]
        body = orjson.dumps({"payload": {"schema": ["EMAIL", "PHONE"], "data": rows}})
        requests.post(f"{GRAPH}/{audience}/users", data=body, headers=HEADERS, timeout=60).raise_for_status()
        sent.append(len(rows))

    dlt.pipeline("peer", destination=graph(), pipelines_dir=os.environ["BENCH_PROJECT"]).run(users())
    return {"rows": sum(sent), "requests": len(sent)}


if __name__ == "__main__":
    report(work)
