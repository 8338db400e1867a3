"""The state file: a sandbox goes on where the last one stopped."""

from __future__ import annotations

import os
import signal

import pytest

from audiences.sandbox import AUDIENCE, running_sandbox, running_sandbox_process
from audiences.sandbox.server import SandboxStartError

pytestmark = pytest.mark.integration


@pytest.fixture
def state(tmp_path):
    return tmp_path / "sandbox.db"


def everything(admin):
    told = admin.state(requests=False)
    kept = ("settings", "audiences", "deleted_audiences", "campaigns", "ad_sets", "tokens")
    accounts = [{**one, "usage": None} for one in told["accounts"]]
    return {name: told[name] for name in kept} | {"accounts": accounts, "offset": told["clock"]["offset_seconds"]}


def test_all_things_and_members_survive_a_restart(state, graph_at, rows):
    with running_sandbox(state=state) as first:
        graph = graph_at(first.url)
        audience, gone = graph.create("Kept"), graph.create("Gone")
        graph.upload(audience, [*rows(50), [rows(1, start=70)[0][0], ""]])
        graph.upload(audience, rows(20), method="DELETE")
        graph.upload(audience, [["customer,1"]], schema=["EXTERN_ID"])
        graph.call("DELETE", f"/{gone}")
        graph.post("/23861234567890123", targeting={"custom_audiences": [{"id": audience}]})
        first.admin.put_token(token="second", scopes=["ads_read"])
        first.admin.settings(latency_ms=1, accounts={"act_1001": {"tier": "limited"}})
        first.admin.advance(60)
        before = everything(first.admin)
    with running_sandbox(state=state) as second:
        assert everything(second.admin) == before
        assert len(second.admin.members(audience)) == 32


def test_a_replace_goes_on_after_a_restart(state, graph_at, rows):
    def batch(url, seq, **more):
        session = {"session_id": 4, "batch_seq": seq, **more}
        return graph_at(url).upload(AUDIENCE, rows(3, start=10 * seq), edge="usersreplace", session=session)

    with running_sandbox(state=state) as first:
        graph_at(first.url).upload(AUDIENCE, rows(9, start=500))
        assert batch(first.url, 1).ok
    with running_sandbox(state=state) as second:
        assert len(second.admin.members(AUDIENCE)) == 9
        assert batch(second.url, 2, last_batch_flag=True).ok
    with running_sandbox(state=state) as third:
        assert len(third.admin.members(AUDIENCE)) == 6


def test_a_kill_loses_nothing_that_was_answered(state, graph_at, rows):
    with running_sandbox_process(state=state) as process:
        assert graph_at(process.url).upload(AUDIENCE, rows(2_000)).ok
        os.kill(process.pid, signal.SIGKILL)
    with running_sandbox(state=state) as second:
        assert len(second.admin.members(AUDIENCE)) == 2_000


def test_a_reset_is_kept_as_well(state, graph_at, rows):
    with running_sandbox(state=state) as first:
        graph_at(first.url).upload(AUDIENCE, rows(9))
        first.admin.reset()
    with running_sandbox(state=state) as second:
        assert second.admin.members(AUDIENCE) == []


def test_a_file_that_is_something_else_is_refused(state):
    state.write_text("this is no database, but it is long enough to be taken for the header of one" * 20)
    with pytest.raises(SandboxStartError, match=r"sandbox\.db cannot be used"), running_sandbox(state=state):
        pass
