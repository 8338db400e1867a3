#!/usr/bin/env bash
# croniter 7.0.0: a cron line with a day of the month and a weekday means "either", as in every cron: `0 9 15 * 1` runs on the
# 15th and on Mondays. As soon as one of both is a nearest weekday (`15W`) or a last weekday (`L5`), the other field is left out
# without a word: the line is valid, is stored, and half of the runs never come.
#
# Seen:    `0 9 15W * 1` has no Monday but the nearest to the 15th; `0 9 L * L5` never runs on the last day of a month.
# Guard:   exit 1 if a line runs on all days that either of its fields names.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check croniter==7.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import datetime
from importlib.metadata import version

from croniter import croniter

BEGIN, END = datetime(2026, 1, 1), datetime(2027, 1, 1)


def days(line: str) -> set[str]:
    found, times = set(), croniter(line, BEGIN)
    while (moment := times.get_next(datetime)) < END:
        found.add(moment.date().isoformat())
    return found


print(f"croniter {version('croniter')}")
whole = []
for both, one, other in (
    ("0 9 15 * 1", "0 9 15 * *", "0 9 * * 1"),
    ("0 9 15W * 1", "0 9 15W * *", "0 9 * * 1"),
    ("0 9 L * L5", "0 9 L * *", "0 9 * * L5"),
):
    valid, missing = croniter.is_valid(both), sorted((days(one) | days(other)) - days(both))
    print(f"`{both}`: valid {valid}, {len(days(both))} days in 2026, missing {len(missing)} {missing[:3]}")
    whole += [both] if not missing else []
sys.exit(0 if whole == ["0 9 15 * 1"] else f"the behaviour has changed: whole are {whole}")
PYTHON
