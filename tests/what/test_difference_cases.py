"""The difference by single cases: rows that were refused before, two campaigns in one audience, batches, assignments."""

from __future__ import annotations

from contextlib import closing

import pyarrow as pa
import pytest
from tests.what.test_difference import HELD, ME, OTHER, Hold

from audiences.what.changes import CANDIDATES
from audiences.what.difference import Difference


@pytest.fixture
def compare(tmp_path):
    """Compares and gives the counts, and of each kind of change the users by the position of their row."""

    def run(want, held=(), *, action="mirror", refused=(), limit=None, exempt=(), anew=False):
        with closing(Difference(campaign=ME, action=action, spill=tmp_path, anew=anew)) as difference:
            rows = [dict(zip(HELD.names, hold, strict=True)) for hold in held]
            difference.hold(pa.Table.from_pylist(rows, schema=HELD).to_reader())
            rows = [{"user_id": user, "identifiers": row, "rank": user.encode()} for user, row in want.items()]
            difference.want(pa.Table.from_pylist(rows, schema=CANDIDATES).to_reader())
            difference.quarantine(pa.table({"identifiers": pa.array(list(refused), pa.binary())}))
            if limit is not None:
                difference.cap(limit, pa.table({"user_id": pa.array(list(exempt), pa.string())}))
            counts = difference.compute()
            changes = {
                name: [row for batch in difference.changes(name) for row in batch.to_pylist()]
                for name in ("add", "remove", "none")
            }
            full_set = difference.full_set(), [row for batch in difference.lasting() for row in batch.to_pylist()]
        return counts, changes, full_set

    return run


def placed(changes):
    return [(row["position"], row["user_id"]) for row in changes]


def begun(changes):
    return {row["user_id"] for part in changes.values() for row in part if row["begins"] and row["present"]}


def test_a_refused_row_is_neither_staged_nor_counted_whoever_comes_along_with_it(compare):
    counts, changes, (size, lasting) = compare({"a": b"a", "bad": b"bad", "c": b"c"}, refused=[b"bad", b"elsewhere"])
    assert placed(changes["add"]) == [(0, "a"), (1, "c")]
    assert (counts.begun, counts.add, counts.quarantined) == (3, 2, 1)
    assert (counts.memberships_after, counts.rows_after) == (2, 2)
    assert (size, [row["user_id"] for row in lasting]) == (2, ["a", "c"])


def test_a_whole_upload_leaves_out_whom_another_campaign_had_taken_out(compare):
    _, _, (size, lasting) = compare({"a": b"a"}, {Hold(OTHER, "z", b"z", False), Hold(OTHER, "y", b"y", True)})
    assert (size, [row["user_id"] for row in lasting]) == (2, ["a", "y"])


def test_one_who_is_held_with_two_rows_leaves_once(compare):
    held = {Hold(ME, "a", b"a1", True), Hold(ME, "a", b"a2", True), Hold(ME, "b", b"b", True)}
    counts, changes, _ = compare({"b": b"b"}, held)
    assert (counts.gone, counts.remove, placed(changes["remove"])) == (1, 2, [(0, "a"), (1, "a")])
    assert sum(row["gone"] for row in changes["remove"]) == 1


def test_a_refused_row_that_two_users_share_is_quarantined_for_both(compare):
    counts, changes, _ = compare({"a": b"bad", "b": b"bad", "c": b"c"}, refused=[b"bad"])
    assert (counts.add, counts.quarantined, placed(changes["add"])) == (1, 2, [(0, "c")])


def test_a_refused_row_that_somebody_else_has_in_by_now_needs_no_sending(compare):
    counts, changes, _ = compare({"a": b"bad"}, {Hold(OTHER, "z", b"bad", True)}, refused=[b"bad"])
    assert (counts.add, counts.quarantined) == (0, 0)
    assert [(row["user_id"], row["begins"], row["position"]) for row in changes["none"]] == [("a", True, None)]


def test_a_refused_row_that_only_the_list_of_those_taken_out_has_stays_quarantined(compare):
    counts, changes, _ = compare({"a": b"bad"}, {Hold(OTHER, "z", b"bad", False)}, refused=[b"bad"])
    assert (counts.add, counts.quarantined, changes["none"]) == (0, 1, [])


def test_a_member_whose_new_row_is_quarantined_is_not_rekeyed(compare):
    held = {Hold(ME, "a", b"old", True), Hold(ME, "b", b"b-old", True)}
    counts, changes, _ = compare({"a": b"bad", "b": b"new"}, held, refused=[b"bad"])
    assert counts.rekeyed == 1
    assert begun(changes) == {"b"}


@pytest.mark.parametrize(("action", "held"), [("mirror", 2), ("remove", 3)])
def test_the_removal_guard_measures_by_whom_the_campaign_could_remove(compare, action, held):
    before = {Hold(ME, "a", b"a", True), Hold(ME, "b", b"b", True), Hold(OTHER, "c", b"c", True)}
    counts, _, _ = compare({"a": b"a"}, before, action=action)
    assert (counts.held, counts.left) == (held, held - 1)


@pytest.mark.parametrize("limit", [0, -2])
def test_a_cap_that_is_used_up_takes_nobody_on_and_keeps_who_is_counted_already(compare, limit):
    counts, changes, _ = compare({"a": b"a", "b": b"b", "c": b"c"}, limit=limit, exempt=["c"])
    assert (counts.targeted, placed(changes["add"])) == (1, [(0, "c")])


def test_members_of_another_campaign_take_no_places_under_the_cap(compare):
    held = {Hold(OTHER, "a", b"a", True), Hold(ME, "c", b"c", True)}
    _, changes, _ = compare({"a": b"a", "b": b"b", "c": b"c"}, held, limit=1)
    assert (begun(changes), changes["remove"]) == (set(), [])


def test_newcomers_under_the_cap_go_by_rank_after_members_and_besides_the_exempt(compare):
    held = {Hold(ME, "d", b"d", True)}
    want = {name: name.encode() for name in "abcd"}
    counts, changes, _ = compare(want, held, limit=2, exempt=["c"])
    assert begun(changes) == {"a", "c"}
    assert (counts.candidates, counts.targeted) == (4, 3)


def test_another_campaigns_removal_takes_out_only_its_own_memberships(compare):
    held = {Hold(ME, "a", b"a", True), Hold(OTHER, "b", b"b", True), Hold(OTHER, "a", b"a2", True)}
    counts, changes, _ = compare({}, held)
    assert [(row["campaign_id"], row["user_id"]) for row in changes["remove"]] == [(ME, "a")]
    assert (counts.left, counts.gone, counts.memberships_after) == (1, 1, 2)


def test_a_list_that_is_renewed_leaves_the_lists_of_other_campaigns(compare):
    held = {Hold(OTHER, "a", b"a", False), Hold(OTHER, "b", b"a", False), Hold(ME, "b", b"a", False)}
    _, changes, _ = compare({"a": b"a"}, held, action="remove_matching")
    ends = {(row["campaign_id"], row["user_id"]) for part in changes.values() for row in part if not row["begins"]}
    assert ends == {(ME, "b")}


def test_who_was_taken_out_is_taken_out_anew_only_where_anybody_may_be_in_again(compare):
    held = {Hold(ME, "a", b"a", False)}
    assert compare({"a": b"a"}, held, action="remove_matching")[0].remove == 0
    counts, changes, _ = compare({"a": b"a"}, held, action="remove_matching", anew=True)
    assert counts.remove == 1
    assert [row["begins"] for row in changes["remove"]] == [False, True] or [
        row["begins"] for row in changes["remove"]
    ] == [True, False]


@pytest.mark.parametrize("rows_of_a_batch", [1, 2, 3, 50_000])
def test_a_row_shared_across_record_batches_keeps_one_position(compare, monkeypatch, rows_of_a_batch):
    monkeypatch.setattr("audiences.what.comparison._RECORD_BATCH_ROWS", rows_of_a_batch)
    _, changes, _ = compare({"a": b"same", "b": b"same", "c": b"same", "d": b"other", "e": b"last"})
    assert placed(changes["add"]) == [(0, "a"), (0, "b"), (0, "c"), (1, "d"), (2, "e")]


def test_positions_go_on_over_record_batches(compare, monkeypatch):
    monkeypatch.setattr("audiences.what.comparison._RECORD_BATCH_ROWS", 2)
    want = {f"u{number:04}": number.to_bytes(2, "big") for number in range(5000)}
    _, changes, _ = compare(want)
    assert [row["position"] for row in changes["add"]] == list(range(5000))


def test_those_whose_membership_begins_are_assigned_as_targets_beside_those_held_out(tmp_path):
    with closing(Difference(campaign=ME, action="mirror", spill=tmp_path)) as difference:
        held = [dict(zip(HELD.names, Hold(ME, "old", b"o", True), strict=True))]
        difference.hold(pa.Table.from_pylist(held, schema=HELD).to_reader())
        rows = [{"user_id": user, "identifiers": user.encode()[:1], "rank": b""} for user in ("old", "new")]
        difference.want(pa.Table.from_pylist(rows, schema=CANDIDATES).to_reader())
        difference.compute()
        out = pa.table({"user_id": ["in_control"], "arm": ["system"]}).to_reader()
        assert difference.assigned(out, added=False).read_all().to_pylist() == [
            {"user_id": "in_control", "arm": "system"},
            {"user_id": "new", "arm": "target"},
        ]
        assert (difference.wants("new"), difference.wants("in_control")) == (True, False)


def test_who_is_added_need_not_be_assigned_again_and_who_begins_without_a_request_is(tmp_path):
    with closing(Difference(campaign=ME, action="mirror", spill=tmp_path)) as difference:
        held = [dict(zip(HELD.names, Hold(OTHER, "theirs", b"o", True), strict=True))]
        difference.hold(pa.Table.from_pylist(held, schema=HELD).to_reader())
        rows = {"shares with theirs": b"o", "new": b"n", "was refused": b"r"}
        wanted = [{"user_id": user, "identifiers": row, "rank": b""} for user, row in rows.items()]
        difference.want(pa.Table.from_pylist(wanted, schema=CANDIDATES).to_reader())
        difference.quarantine(pa.table({"identifiers": pa.array([b"r"], pa.binary())}))
        difference.compute()
        assert [row["user_id"] for batch in difference.changes("add") for row in batch.to_pylist()] == ["new"]
        out = pa.table({"user_id": pa.array([], pa.string()), "arm": pa.array([], pa.string())})
        others = difference.assigned(out.to_reader(), added=True).read_all().to_pylist()
        assert [each["user_id"] for each in others] == ["shares with theirs", "was refused"]


def test_users_whose_time_is_up_leave_and_are_told_from_those_who_left_for_it_before(tmp_path):
    def ids(*users):
        return pa.table({"user_id": pa.array(users, pa.string())})

    with closing(Difference(campaign=ME, action="add", spill=tmp_path)) as difference:
        held = [Hold(ME, "now", b"n", True), Hold(OTHER, "now", b"o", True)]
        rows = [dict(zip(HELD.names, hold, strict=True)) for hold in held]
        difference.hold(pa.Table.from_pylist(rows, schema=HELD).to_reader())
        rows = [{"user_id": user, "identifiers": user.encode(), "rank": b""} for user in ("now", "before", "new")]
        difference.want(pa.Table.from_pylist(rows, schema=CANDIDATES).to_reader())
        difference.expire(ids("now"), ids("before"), again=False)
        counts = difference.compute()
        assert (counts.expired, counts.targeted, counts.begun) == (1, 1, 1)
        removed = [row for batch in difference.changes("remove") for row in batch.to_pylist()]
        assert [(row["campaign_id"], row["user_id"]) for row in removed] == [(ME, "now")]
        found = difference.expired_users(among_candidates=True).column("user_id").to_pylist()
        assert set(found) == {"now", "before"}


def test_users_who_share_a_row_lie_together_at_the_place_of_the_first(compare):
    counts, changes, _ = compare({"a": b"shared", "m": b"own", "z": b"shared"})
    assert (counts.add, placed(changes["add"])) == (2, [(0, "a"), (0, "z"), (1, "m")])
    held = {Hold(ME, user, row, True) for user, row in (("a", b"shared"), ("m", b"own"), ("z", b"shared"))}
    counts, changes, _ = compare({}, held)
    assert (counts.remove, placed(changes["remove"])) == (2, [(0, "a"), (0, "z"), (1, "m")])


def test_who_stays_with_other_identifiers_is_not_gone(compare):
    counts, _, _ = compare({"a": b"new"}, {Hold(ME, "a", b"old", True), Hold(ME, "b", b"b", True)})
    assert (counts.gone, counts.left, counts.rekeyed) == (1, 1, 1)
