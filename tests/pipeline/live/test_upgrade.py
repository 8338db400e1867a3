"""A newer version migrates the ledger while a batch is under way."""

from __future__ import annotations

import pytest
from tests.airflow.operators.test_upgrading import migrated_by_a_newer_version, written

from audiences.ledger.migrate import LedgerNewerError
from audiences.pipeline.steps import open_run

pytestmark = pytest.mark.integration


def test_a_batch_in_whose_opening_the_ledger_is_migrated_writes_nothing_more(live, monkeypatch):
    live.campaign()
    live.poll()
    live.event(1)
    (batch,) = live.poll().batches
    upgrade, before = migrated_by_a_newer_version(live.shop), {}

    def met(_):
        upgrade.__enter__()
        before.update(written(live.shop))
        message = "'novel' is not a valid AudienceState"
        raise ValueError(message)

    monkeypatch.setattr(open_run, "preflight", met)
    try:
        with pytest.raises(LedgerNewerError):
            live.run(batch)
        assert written(live.shop) == before
    finally:
        upgrade.__exit__(None, None, None)
    monkeypatch.undo()
    assert live.run(batch).state == "success", "the next try takes the batch up"
