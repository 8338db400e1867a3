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


def test_all_objects_and_members_survive_a_restart(state, graph_at, rows):
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


def test_faults_go_on_after_a_kill(state, graph_at, rows):
    """A standing fault stays, one that has struck does not strike again, and the dice go on where they were."""
    common = {"path": "/*/users", "kind": "policy_block"}
    drawn = {"probability": 0.5, "seed": 11, "times": None, "audience": AUDIENCE}

    def draws(url, number):
        return [graph_at(url).upload(AUDIENCE, rows(1)).ok for _ in range(number)]

    with running_sandbox() as undisturbed:
        undisturbed.admin.add_fault(**common, **drawn, after=1)
        expected = draws(undisturbed.url, 20)
    with running_sandbox_process(state=state) as process:
        process.admin.add_fault("html_500", path="/*/users")
        assert not graph_at(process.url).upload(AUDIENCE, rows(1)).ok
        process.admin.add_fault(**common, **drawn, after=1)
        found = draws(process.url, 9)
        process.admin.add_fault("expired_token", path="/me", times=None)
        os.kill(process.pid, signal.SIGKILL)
    with running_sandbox(state=state) as second:
        found += draws(second.url, 11)
        assert graph_at(second.url).call("GET", "/me").status_code == 401
        rules = second.admin.faults()["faults"]
        assert [(rule["id"], rule["kind"]) for rule in rules] == [
            (1, "html_500"),
            (2, "policy_block"),
            (3, "expired_token"),
        ]
        assert second.admin.add_fault("hang") == 4
    assert found == expected
    assert True in expected[9:]
    assert False in expected[9:]


def test_sessions_are_listed_in_their_order_after_a_restart(state, graph_at, rows):
    def listed(url):
        return [one["session_id"] for one in graph_at(url).call("GET", f"/{AUDIENCE}/sessions").json()["data"]]

    with running_sandbox(state=state) as first:
        for number in (9, 100, 20):
            graph_at(first.url).upload(AUDIENCE, rows(1), session={"session_id": number, "batch_seq": 1})
        assert listed(first.url) == ["9", "100", "20"]
    with running_sandbox(state=state) as second:
        assert listed(second.url) == ["9", "100", "20"]


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
