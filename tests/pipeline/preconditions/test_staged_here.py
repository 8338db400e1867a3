"""What is not found is never taken for gone: it may be on another machine's disk."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from audiences.campaign.settings import Settings
from audiences.errors import AudiencesError
from audiences.ledger import staged_runs
from audiences.pipeline.erase import erase
from audiences.pipeline.person.erasure_resources import ErasureResources
from audiences.pipeline.preconditions.staged_here import StagedElsewhereError, ensure_seen, home, root_of
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import attempt
from audiences.pipeline.upkeep.tidy import Tidied, tidy


def test_a_disk_is_known_by_its_mark_and_a_store_by_its_url(tmp_path):
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    assert home(one) is None
    mark = home(one, make=True)
    assert mark == home(one) == home(one, make=True)
    assert home(other, make=True) != mark
    assert home("s3://marketing/audiences") == "s3://marketing/audiences"
    assert root_of(f"{one}/carts/run-0123") == one
    ensure_seen(7, f"{one}/carts/run-0123", mark)
    ensure_seen(7, f"{one}/carts/run-0123", None)  # of an earlier version
    ensure_seen(7, f"{other}/carts/run-0123", staged_runs.GONE)
    for folder, staged_on in ((f"{other}/carts/run-0123", mark), (f"{tmp_path}/none/carts/run-0123", None)):
        with pytest.raises(StagedElsewhereError, match="not taken for gone") as raised:
            ensure_seen(7, folder, staged_on)
        assert "`audiences ledger staging-gone 7`" in str(raised.value)
        assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


@pytest.fixture
def interrupted(shop):
    """A run that died with a request under way, of whose answer nobody knows; its number."""
    for number in (1, 2):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    shop.sandbox.admin.add_fault("expired_token", times=1, method="POST", path="*/users*")
    with shop.resources(shop.campaign()) as resources:
        done = attempt(resources, RunRequest(external_id="dies", at=shop.noon), tries=1)
    shop.sql("update audiences.chunk set state = 'sending', sent_at = now()", on="ledger")
    return done.summary.run


def elsewhere(shop):
    """Another machine has that path too, with a disk of its own; gives the disk of the first one."""
    aside = shop.staging.with_name("first disk")
    shop.staging.rename(aside)
    home(str(shop.staging), make=True)
    return aside


def states(shop):
    return sorted(state for (state,) in shop.sql("select distinct state from audiences.chunk", on="ledger"))


@pytest.mark.integration
def test_a_request_whose_rows_are_on_another_disk_is_not_given_up_and_is_settled_where_they_are(shop, interrupted):
    aside = elsewhere(shop)
    with pytest.raises(StagedElsewhereError) as raised:
        shop.run(shop.campaign())
    assert raised.value.run == interrupted
    assert states(shop) == ["sending"]
    with shop.resources(shop.campaign()) as resources:
        assert (
            tidy(resources.ledger, str(shop.staging), ended_before=datetime.now(UTC) + timedelta(days=9)).removed == 0
        )
    for file in shop.staging.rglob("*.parquet"):
        file.unlink()
    for folder in sorted(shop.staging.rglob("*"), reverse=True):
        folder.rmdir() if folder.is_dir() else folder.unlink()
    shop.staging.rmdir()
    aside.rename(shop.staging)
    summary = shop.run(shop.campaign())
    assert (summary.state, summary.audience.members) == ("success", 2)


@pytest.mark.integration
def test_a_person_says_that_a_disk_is_lost_and_the_request_is_given_up(shop, interrupted, audiences):
    elsewhere(shop)
    with pytest.raises(AudiencesError):
        shop.run(shop.campaign())
    code, shown, _ = audiences("ledger", "staging-gone", str(interrupted))
    assert (code, "counts as lost" in shown) == (0, True)
    summary = shop.run(shop.campaign())
    assert (summary.state, summary.audience.members, "lost" in states(shop)) == ("success", 2, True)
    code, shown, _ = audiences("ledger", "staging-gone", str(summary.run))
    assert (code, "nothing staged" in shown) == (1, True)


@pytest.mark.integration
def test_what_is_missing_on_the_very_disk_is_gone(shop, interrupted):
    for file in shop.staging.rglob("*.parquet"):
        file.unlink()
    summary = shop.run(shop.campaign())
    assert (summary.state, summary.audience.members, "lost" in states(shop)) == ("success", 2, True)


@pytest.mark.integration
def test_former_roots_are_cleared_where_they_are_seen_and_an_erasure_names_those_that_are_not(shop, interrupted, s3):
    shop.sql("update audiences.chunk set state = 'dropped'", on="ledger")
    shop.sql("update audiences.run set ended_at = now() where ended_at is null", on="ledger")
    spec = shop.campaign()
    later = datetime.now(UTC) + timedelta(days=9)
    with shop.resources(spec) as resources:
        ledger = resources.ledger
        staged_runs.begin(ledger, interrupted, str(home(str(shop.staging))))
        (left,) = staged_runs.uncleared(ledger)
        assert (left.run, left.campaign, root_of(left.staging)) == (interrupted, "carts", str(shop.staging))
        mark = (shop.staging / ".audiences-staging").read_text()
        (shop.staging / ".audiences-staging").write_text("another disk")
        root = f"s3://{s3.bucket()}/audiences"
        assert tidy(ledger, root, ended_before=later) == Tidied(removed=0, left=0)
        accounts = {"main": {"id": "act_1001", "connection": "facebook_main"}}
        settings = Settings.model_validate({"ad_accounts": accounts, "staging": root})
        with ErasureResources(settings, spec.catalog, look_up=shop.connections.__getitem__) as of_person:
            erased = erase(of_person, "1", datetime.now(UTC) + timedelta(minutes=1))
        assert (erased.state, len(erased.still_to_do)) == ("incomplete", 1)
        assert f"`audiences ledger staging-gone {interrupted}`" in erased.still_to_do[0]
        (shop.staging / ".audiences-staging").write_text(mark)
        shop.staging.joinpath("carts", left.staging.rpartition("/")[2]).mkdir(parents=True, exist_ok=True)
        assert tidy(ledger, root, ended_before=later) == Tidied(removed=1, left=0)
        assert (staged_runs.uncleared(ledger), list(shop.staging.joinpath("carts").iterdir())) == ([], [])
