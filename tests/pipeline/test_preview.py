"""A preview counts what a run would do, and leaves ledger, sandbox and disk as they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.campaign.catalog import Users
from audiences.ledger.migrate import NEWEST, LedgerOlderError
from audiences.pipeline.explain import explain

pytestmark = pytest.mark.integration


def everything(shop):
    """Every row of the ledger by table, what the sandbox holds besides what it counts of calls, and staged files."""
    tables = [
        name for (name,) in shop.sql("select tablename from pg_tables where schemaname = 'audiences'", on="ledger")
    ]
    ledger = {name: sorted(map(str, shop.sql(f"select * from audiences.{name}", on="ledger"))) for name in tables}
    sandbox = {
        name: part for name, part in shop.sandbox.admin.state().items() if name not in ("clock", "requests", "counters")
    }
    sandbox["accounts"] = [{**account, "usage": None} for account in sandbox["accounts"]]
    return ledger, sandbox, sorted(shop.staging.rglob("*"))


def test_looking_writes_nothing_into_a_ledger_that_is_in_use(shop):
    for number in range(1, 21):
        shop.user(number, f"{number}@example.com")
        shop.event(number)
    spec = shop.campaign(who={"did": {"event": "Added To Cart"}, "control_group": 10, "target_cap": 10})
    shop.run(spec)
    shop.sql("delete from events where user_id < 6")
    for number in range(30, 35):
        shop.user(number, f"{number}@example.com")
        shop.event(number)
    before, requests = everything(shop), len(shop.sandbox.admin.requests())
    found = shop.preview(spec, at=shop.noon + timedelta(days=1))
    assert found.changes.add
    assert found.changes.remove
    assert found.samples
    with shop.resources(spec, read_only=True) as resources:
        for user in ("1", "20", "31", "nobody"):
            explain(resources, user, shop.noon)
    assert everything(shop) == before
    asked = shop.sandbox.admin.requests()[requests:]
    assert {entry["method"] for entry in asked} == {"GET"}  # whose the audience is


def test_a_preview_says_what_share_of_the_hourly_quota_it_takes(shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    found = shop.preview(shop.campaign())
    assert found.requests == 1
    assert found.quota_percent == {"development_access": 0.02, "standard_access": 0.0005}


def test_a_sample_shows_nothing_by_which_a_birthday_or_a_name_could_be_found_out(shop):
    shop.sql("alter table users add born date default '1990-02-28', add first_name text default 'Ann'")
    shop.user(1, "one@example.com")
    shop.event(1)
    spec = shop.campaign(what={"identifiers": ["email", "first_name", "date_of_birth", "external_id"]})
    mapped = {"date_of_birth": "born", "first_name": "first_name", "external_id": "id"}
    users = Users.model_validate({**spec.catalog.users.model_dump(), **mapped})
    spec = spec.model_copy(update={"catalog": spec.catalog.model_copy(update={"users": users})})
    (sample,) = shop.preview(spec).samples
    assert sample.identifiers == {
        "EMAIL": f"{shop.row_of('one@example.com', None)[0][1][:6]}…",
        "EXTERN_ID": "1…",
        **dict.fromkeys(("FN", "DOBY", "DOBM", "DOBD"), "…"),
    }
    with shop.resources(spec, read_only=True) as resources:
        found = explain(resources, "1", shop.noon)
    assert "first_name …, date_of_birth … … …, external_id 1…" in str(found.steps[-2].value)


def test_a_preview_over_the_ledger_of_an_earlier_version_says_what_to_do_and_changes_nothing(shop):
    shop.user(1, "mary@example.com")
    shop.event(1)
    shop.sql("update audiences.alembic_version set version_num = '0004'", on="ledger")
    with pytest.raises(LedgerOlderError, match="audiences ledger migrate"):
        shop.preview(shop.campaign())
    assert shop.sql("select version_num from audiences.alembic_version", on="ledger") == [("0004",)]
    shop.sql("update audiences.alembic_version set version_num = %s", NEWEST, on="ledger")


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"status": "stopped"}, "it is stopped"), ({"when": {"now": True, "end": "2026-11-01"}}, "its end has passed")],
)
def test_a_preview_of_a_campaign_that_does_not_run_says_so_over_a_ledger_that_was_never_used_too(shop, change, reason):
    shop.user(1, "mary@example.com")
    shop.event(1)
    shop.never_migrated()
    spec = shop.campaign()
    spec = type(spec).model_validate(
        {
            **spec.model_dump(mode="json", by_alias=True),
            "campaign": {**spec.campaign.model_dump(mode="json", by_alias=True, exclude_unset=True), **change},
        }
    )
    (said,) = (warning for warning in shop.preview(spec).warnings if "no run sends this" in warning)
    assert reason in said
    assert shop.preview(shop.campaign()).warnings == ()


def test_a_preview_is_read_back_without_the_samples_that_airflow_is_not_given(shop):
    found = shop.preview(shop.campaign())
    kept = found.model_dump(mode="json", exclude={"samples"})
    assert type(found).model_validate(kept).outcomes == found.outcomes
