"""Audiences against the sandbox, over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.facebook.rows import SCHEMA, rows_of

from audiences.campaign.mark import Mark
from audiences.errors import FacebookAccessError
from audiences.facebook import audience_members, custom_audiences
from audiences.facebook.session import GraphSession
from audiences.sandbox import ACCOUNT, AUDIENCE, SandboxServer

if TYPE_CHECKING:
    from tests.facebook.scripted import FakeTime

pytestmark = pytest.mark.integration


MARK = Mark("cart", "0123456789ab")


def create(graph: GraphSession, description: str = "") -> str:
    return custom_audiences.create(graph, name="Cart", description=description, mark=MARK)


def test_an_audience_is_created_with_its_mark_and_listed(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    made = create(sandboxed, "To buy")
    assert custom_audiences.of_mark(custom_audiences.list_audiences(sandboxed), MARK) == [made]
    status = custom_audiences.read(sandboxed, made)
    assert (status.name, status.description, status.account) == ("Cart", "To buy [audiences:cart@0123456789ab]", "1001")
    assert (status.subtype, status.operation_code, status.can_edit) == ("CUSTOM", 410, True)


def test_a_creation_whose_answer_is_lost_makes_one_audience(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    sandbox.admin.add_fault("reset_after", method="POST", path="/act_1001/customaudiences")
    create(sandboxed)
    assert [one.name for one in custom_audiences.list_audiences(sandboxed)].count("Cart") == 1


def test_a_new_audience_that_lags_is_waited_for(
    sandbox: SandboxServer, sandboxed: GraphSession, time: FakeTime
) -> None:
    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        sandbox.admin.advance(seconds)

    sandbox.admin.settings(create_lag_seconds=2.5)
    with GraphSession(sandboxed.credentials, sleep=sleep, clock=time.clock) as session:
        assert audience_members.add(session, create(session), SCHEMA, rows_of(1)).received == 1


def test_a_list_longer_than_a_page_is_read_whole(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    for number in range(130):
        sandbox.admin.put_audience(account=ACCOUNT, name=f"List {number}")
    assert len(custom_audiences.list_audiences(sandboxed)) == 131


def test_a_full_account_says_so(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    sandbox.admin.put_account(id=ACCOUNT, audience_limit=1)
    with pytest.raises(FacebookAccessError, match="did not create the audience"):
        create(sandboxed)


def test_an_audience_can_be_marked_anew(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    made = create(sandboxed, "To buy")
    custom_audiences.remark(sandboxed, made, description="New", mark=Mark("baskets", "0123456789ab"), name="Cart 2")
    status = custom_audiences.read(sandboxed, made)
    assert (status.name, status.description) == ("Cart 2", "New [audiences:baskets@0123456789ab]")


def test_the_size_is_read_as_bounds(sandboxed: GraphSession) -> None:
    audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(5000))
    status = custom_audiences.read(sandboxed, AUDIENCE)
    assert status.lower is not None
    assert status.upper is not None
    assert 4000 < status.lower <= status.upper < 6000
