from __future__ import annotations

from datetime import timedelta

import pytest
from tests.ledger.records import one, request, start

from audiences.ledger import chunks, runs, staged_runs

pytestmark = pytest.mark.integration


def close(ledger, run):
    runs.end(ledger, run, state="success", outcomes={"added": 1})


def test_staging_is_disposable_once_every_run_of_it_has_ended_and_nothing_is_in_doubt(ledger, campaign, audience):
    run = start(ledger, campaign, staging="/s")
    long_ago, now = (one(ledger, f"select now() {ago} as at").at for ago in ("- interval '9 days'", ""))
    assert staged_runs.disposable(ledger, ["/s", "/unknown"], before=now) == []
    close(ledger, run)
    assert staged_runs.disposable(ledger, ["/s", "/unknown"], before=now + timedelta(minutes=1)) == ["/s"]
    assert staged_runs.disposable(ledger, ["/s"], before=long_ago) == []
    chunks.sending(ledger, request(ledger, run, audience.id))
    assert staged_runs.disposable(ledger, ["/s"], before=now + timedelta(minutes=1)) == []


def test_a_folder_is_disposable_once_every_run_that_used_it_has_ended(ledger, campaign):
    first, second = (start(ledger, campaign, name, staging="/shared") for name in ("r1", "r2"))
    close(ledger, first)
    in_a_while = one(ledger, "select now() + interval '1 hour' as at").at
    assert staged_runs.disposable(ledger, ["/shared"], before=in_a_while) == []
    close(ledger, second)
    assert staged_runs.disposable(ledger, ["/shared", "/unknown"], before=in_a_while) == ["/shared"]
