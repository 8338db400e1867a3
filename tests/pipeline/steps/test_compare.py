"""What is compared: on a first sync all hashes of rows are those that were staged beside the candidates."""

from __future__ import annotations

import pyarrow.compute as pc
import pytest

from audiences.digests import by_duckdb
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.compare import compared
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.select import select
from audiences.what import all_begin

pytestmark = pytest.mark.integration


@pytest.fixture
def hashed_anew(shop, monkeypatch):
    """Compares a first sync of five users, two of whom share a row, and says how many rows it has hashed, batch by batch."""
    for number in range(1, 6):
        shop.user(number, f"user{min(number, 4)}@example.com")
        shop.event(number)
    shop.user(6, "user6@example.com", opted_out=True)
    shop.event(6)
    rows = []
    made_here = all_begin._hashed

    def noted(candidates, into):
        for batch in made_here(candidates, into):
            rows.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(all_begin, "_hashed", noted)

    def compare(select=select):
        with shop.resources(shop.campaign()) as resources:
            run = open_run(resources, RunRequest(external_id="first", at=shop.noon))
            selected = [select(resources, run, shard) for shard in extract(resources, run).shards]
            with compared(resources, run, selected) as (difference, counts):
                sent = [row for batch in difference.changes("add") for row in batch.to_pylist()]
            assert (counts.candidates, counts.add) == (5, 4)
            assert len({row["position"] for row in sent}) == 4
        return rows

    return compare


def test_a_first_sync_computes_no_hash_that_is_staged(hashed_anew):
    assert hashed_anew() == []


def test_hashes_of_a_worker_whose_duckdb_makes_others_are_made_anew(hashed_anew, monkeypatch):
    ours = by_duckdb.row_hashes

    def select_elsewhere(resources, run, shard):
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(by_duckdb, "row_hashes", lambda rows: pc.bit_wise_not(ours(rows)))
            return select(resources, run, shard)

    assert sum(hashed_anew(select_elsewhere)) == 5
