"""What docs/distributed.md says of settings, secrets and quotas is what files and code say."""

from __future__ import annotations

import re
from math import ceil
from pathlib import Path

import pytest
from tests import compose_files

from audiences.airflow.triggers import POLL_SECONDS
from audiences.campaign.settings import REQUESTS_AT_ONCE
from audiences.facebook.contract import (
    ASSUMED_REQUEST_SECONDS,
    CALLS_PER_HOUR,
    MAX_LIST_AUDIENCES,
    MAX_ROWS,
    REPLACE_BUDGET_SECONDS,
    REPLACE_WINDOW_SECONDS,
    SLOW_DOWN_FROM_PERCENT,
)
from audiences.pipeline.steps.extract import SHARD_ROWS
from audiences.pipeline.steps.put_on_record import FEWEST_PER_TASK, MOST_ADD_TASKS
from audiences.run_folders import STAGING

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "distributed.md").read_text(encoding="utf-8")
PROSE = " ".join(TEXT.split())
VALUES = "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "docs" / "helm").glob("*.yaml")))
FULL, LIMITED = CALLS_PER_HOUR["standard_access"], CALLS_PER_HOUR["development_access"]
LOOKS = 3
"""Calls of a run beside its requests; tests/pipeline/test_uploads.py counts them."""


def turns(rows: int) -> int:
    return ceil(ceil(rows / MAX_ROWS) / REQUESTS_AT_ONCE)


def row_of(users: int) -> list[str]:
    """The cells of the table of quotas behind this number of users."""
    (found,) = re.findall(rf"^\| {users:,} \|(.*)\|$", TEXT, re.MULTILINE)
    return [cell.strip() for cell in found.split("|")]


def test_settings_of_airflow_are_those_of_the_compose_file():
    named = set(re.findall(r"`(AIRFLOW__\w+)`", TEXT))
    assert named
    assert named <= set(re.findall(r"AIRFLOW__\w+", compose_files.text("docker-compose.celery.yml")))
    assert f"`{STAGING}`" in TEXT


def test_secrets_are_those_of_the_helm_values():
    named = set(re.findall(r"audiences-(?:[a-z]+-)?[a-z]+", VALUES))
    described = set(re.findall(r"`(audiences-[a-z-]+)`", TEXT))
    assert described == named
    for key in re.findall(r"\bkey: ([\w.-]+)", VALUES):
        assert f"`{key}`" in TEXT


@pytest.mark.parametrize("users", [1_000_000, 10_000_000, 100_000_000])
def test_requests_and_quota_are_those_of_the_formula(users):
    first, share, seconds, daily, again = row_of(users)
    requests, changed = ceil(users / MAX_ROWS), users // 100
    assert first == f"{requests:,} requests"
    assert float(share.removesuffix(" %")) == pytest.approx(100 * requests / FULL, rel=0.06)
    assert daily == f"{LOOKS + 2 * ceil(changed / MAX_ROWS):,} calls"
    for said, turned in ((seconds, turns(users)), (again, 2 * turns(changed))):
        units = {"hour": 3600, "minute": 60, "minutes": 60, "s": 1}
        told = sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+) (hour|minutes|minute|s)\b", said))
        assert told == pytest.approx(turned * ASSUMED_REQUEST_SECONDS, rel=0.1)


def test_the_rows_of_a_full_refresh_are_those_that_are_allowed():
    turns_at_most = int(REPLACE_BUDGET_SECONDS / ASSUMED_REQUEST_SECONDS)
    rows = {wide: (2 + (turns_at_most - 2) * wide) * MAX_ROWS for wide in (REQUESTS_AT_ONCE, 64)}
    assert f"{REPLACE_WINDOW_SECONDS // 60} minutes, of which {REPLACE_BUDGET_SECONDS // 60} are planned" in PROSE
    assert f"2 + {REQUESTS_AT_ONCE} × {turns_at_most - 2} requests" in PROSE
    assert f"{rows[REQUESTS_AT_ONCE] // 1_000_000} million rows" in PROSE
    assert f"is {rows[64] // 1_000_000} million" in PROSE


def test_what_live_campaigns_may_use_is_that_of_the_poll():
    runs = int(3600 / POLL_SECONDS)
    calls = runs * (LOOKS + 1)
    assert f"a run every {POLL_SECONDS:g} s at most, so {runs:,} runs and {calls:,} calls an hour" in PROSE
    assert f"{FULL // calls} of them use an ad account up with full access" in PROSE


def test_limits_are_those_of_the_code():
    for said in (
        f"**{FULL:,} + 40 for each active list audience**",
        f"{LIMITED:,} + 40 each",
        f"allows {MAX_LIST_AUDIENCES} in an ad account",
        f"one for each {SHARD_ROWS:,} users who qualify",
        f"{MOST_ADD_TASKS} at most, of {FEWEST_PER_TASK} requests or more",
        f"slows down from {SLOW_DOWN_FROM_PERCENT:g} % on",
        f"`requests_at_once: {REQUESTS_AT_ONCE}`",
        f"At {ASSUMED_REQUEST_SECONDS:g} s a request",
    ):
        assert said in PROSE
