"""Identifiers added to a campaign or dropped from it: members come under the new keys before they go under the old ones."""

from __future__ import annotations

import pytest
from tests.pipeline.conftest import row_of

from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload.export import export

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("small_requests")]
WHO = {"did": {"event": "Added To Cart"}}


@pytest.fixture
def thirty(shop):
    for number in range(1, 31):
        shop.user(number, f"user{number}@example.com", f"+141555500{number:02}")
        shop.event(number)
    return shop


def campaign(shop, *identifiers):
    return shop.campaign(who=WHO, what={"identifiers": list(identifiers)})


def rows(*identifiers, users=range(1, 31)):
    email, phone = ("email" in identifiers, "phone" in identifiers)
    return {row_of((email and f"user{n}@example.com") or None, (phone and f"+141555500{n:02}") or None) for n in users}


def methods(shop, since=0):
    return [entry["method"] for entry in shop.uploads()[since:]]


@pytest.mark.parametrize(("before", "after"), [(("email",), ("email", "phone")), (("email", "phone"), ("email",))])
def test_when_the_identifiers_change_additions_come_first_and_removals_under_the_old_keys(thirty, before, after):
    audience = thirty.run(campaign(thirty, *before)).audience.id
    summary = thirty.run(campaign(thirty, *after))
    assert methods(thirty, 3) == ["POST"] * 3 + ["DELETE"] * 3
    assert thirty.members(audience) == rows(*after)
    assert thirty.sandbox.admin.audience(audience)["schema"] == [name.upper() for name in before]
    assert (summary.outcomes["added"], summary.outcomes["removed"], summary.audience.members) == (0, 0, 30)
    assert (summary.outcomes["kept"], summary.rekeyed) == (30, 30)


def test_once_all_have_moved_a_changed_address_is_removed_first_again(thirty):
    thirty.run(campaign(thirty, "email"))
    thirty.run(campaign(thirty, "email", "phone"))
    sent = len(thirty.uploads())
    thirty.sql("update users set email = 'new@example.com' where id = 1")
    thirty.run(campaign(thirty, "email", "phone"))
    assert methods(thirty, sent) == ["DELETE", "POST"]


def test_a_move_that_was_interrupted_goes_on_with_additions_first(thirty):
    audience = thirty.run(campaign(thirty, "email")).audience.id
    new = campaign(thirty, "email", "phone")
    thirty.sandbox.admin.add_fault("expired_token", method="POST", path="*/users", after=1, times=None)
    assert thirty.run(new).state == "failed"
    assert len(thirty.members(audience)) == 40
    assert "DELETE" not in methods(thirty)
    thirty.sandbox.admin.clear_faults()
    sent = len(thirty.uploads())
    assert thirty.run(new).state == "success"
    assert methods(thirty, sent) == ["POST"] * 2 + ["DELETE"] * 3
    assert thirty.members(audience) == rows("email", "phone")


def test_while_an_addition_is_refused_nobody_leaves_under_the_old_keys(thirty):
    audience = thirty.run(campaign(thirty, "email")).audience.id
    new = campaign(thirty, "email", "phone")
    thirty.sandbox.admin.add_fault("error", method="POST", path="*/users", code=105)
    failed = thirty.run(new)
    assert failed.state == "failed"
    assert rows("email") < thirty.members(audience)
    assert "nothing was removed" in " ".join(failed.warnings)
    assert thirty.run(new).state == "success"
    assert thirty.members(audience) == rows("email", "phone")


def test_where_additions_were_not_sent_nobody_leaves_under_the_old_keys(thirty):
    """In Airflow their task may be marked as done by hand; the task for the removals comes after it all the same."""
    audience = thirty.run(campaign(thirty, "email")).audience.id
    new = campaign(thirty, "email", "phone")
    with thirty.resources(new) as resources:
        run = open_run(resources, RunRequest(external_id="by task", at=thirty.now))
        extracted = extract(resources, run)
        planned = plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        assert export(resources, run, "remove", deferred=True).requests == 0
        closed = close_run(resources, run, planned)
    assert (closed.state, "nothing was removed" in " ".join(closed.warnings)) == ("failed", True)
    assert thirty.members(audience) == rows("email")
    assert thirty.run(new).state == "success"
    assert thirty.members(audience) == rows("email", "phone")


def test_taking_a_change_back_halfway_ends_right_too(thirty):
    old, new = campaign(thirty, "email"), campaign(thirty, "email", "phone")
    audience = thirty.run(old).audience.id
    thirty.sandbox.admin.add_fault("expired_token", method="DELETE", path="*/users", after=1, times=None)
    assert thirty.run(new).state == "failed"
    thirty.sandbox.admin.clear_faults()
    sent = len(thirty.uploads())
    thirty.run(old)
    # Two removals were under way, of which nobody knew whether they had arrived.
    assert methods(thirty, sent) == ["DELETE"] * 2 + ["POST"] * 3 + ["DELETE"] * 3
    assert thirty.members(audience) == rows("email")
