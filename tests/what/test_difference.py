"""The difference against a plain-Python model of it, on random audiences fed by two campaigns."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import cache
from typing import NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from audiences.what.changes import CANDIDATES
from audiences.what.difference import Difference

ME, OTHER = 1, 2
HELD = pa.schema(
    [("campaign_id", pa.int32()), ("user_id", pa.string()), ("identifiers", pa.binary()), ("present", pa.bool_())]
)


class Hold(NamedTuple):
    campaign: int
    user: str
    row: bytes
    present: bool


class Circle(NamedTuple):
    """A few users who share rows with one another and with nobody else: who of them is held, and who is wanted."""

    held: set[Hold]
    want: dict[str, bytes]

    def among_others(self, number: int) -> Circle:
        """With users and rows that no other number has."""
        return Circle(
            {hold._replace(user=f"{hold.user}.{number}", row=hold.row + bytes([number])) for hold in self.held},
            {f"{user}.{number}": row + bytes([number]) for user, row in self.want.items()},
        )


users = st.sampled_from([f"u{number}" for number in range(8)])
rows = st.sampled_from([bytes([number]) * 33 for number in range(6)])
# A user may be held with several rows: the new one is in, and Facebook refused to remove the old one.
holds = st.sets(st.builds(Hold, st.sampled_from([ME, OTHER]), users, rows, st.booleans()), max_size=14)
wanted = st.dictionaries(users, rows, max_size=8)
# A comparison costs the same for one circle as for many.
circles = st.lists(st.builds(Circle, holds, wanted), min_size=1, max_size=12).map(
    lambda drawn: [circle.among_others(number) for number, circle in enumerate(drawn)]
)
actions = st.sampled_from(["mirror", "add", "remove", "remove_matching"])


def together(of: list[Circle]) -> Circle:
    """All of them as one audience."""
    return Circle(set().union(*(one.held for one in of)), {user: row for one in of for user, row in one.want.items()})


def expected(action: str, held: set[Hold], want: dict[str, bytes]) -> set[Hold]:
    """Who is held after a run, said as directly as the product page says it."""
    after = set(held)
    if action == "remove_matching":
        put_back = {hold.row for hold in held if hold.present}
        after = {hold for hold in held if not (hold.campaign == ME and not hold.present)}
        after |= {Hold(ME, user, row, False) for user, row in want.items()}
        listed = {(hold.user, hold.row) for hold in held if hold.campaign == ME and not hold.present}
        out = {row for user, row in want.items() if (user, row) not in listed or row in put_back}
        return {hold for hold in after if not (hold.present and hold.row in out)}
    for hold in held:
        mine = hold.campaign == ME and hold.present
        if (
            (action == "mirror" and mine and want.get(hold.user) != hold.row)
            or (action == "add" and mine and hold.user in want and want[hold.user] != hold.row)
            or (action == "remove" and hold.present and hold.user not in want)
        ):
            after.discard(hold)
    if action in ("mirror", "add"):
        after |= {Hold(ME, user, row, True) for user, row in want.items()}
    return after


def as_rows(held):
    return pa.Table.from_pylist([dict(zip(HELD.names, hold, strict=True)) for hold in held], schema=HELD).to_reader()


class Others:
    """What the other campaign holds, asked for by rows; `asked` says how."""

    def __init__(self, held):
        in_audience = [hold.row for hold in held if hold.present]
        self.memberships, self.rows = len(in_audience), len(set(in_audience))
        self.held = {hold for hold in held if hold.campaign != ME}
        self.asked = []

    @contextmanager
    def with_rows(self, identifiers):
        self.asked.append(identifiers)
        yield as_rows(hold for hold in self.held if identifiers is None or hold.row in identifiers)


def computed(tmp_path, action, held, want, limit=None, exempt=(), others=None):
    with closing(Difference(campaign=ME, action=action, spill=tmp_path)) as difference:
        difference.hold(
            as_rows(held if others is None else {hold for hold in held if hold.campaign == ME}), others=others
        )
        candidates = [
            {"user_id": user, "identifiers": row, "rank": user.encode()} for user, row in sorted(want.items())
        ]  # fmt: skip
        difference.want(pa.Table.from_pylist(candidates, schema=CANDIDATES).to_reader())
        if limit is not None:
            difference.cap(limit, pa.table({"user_id": pa.array(list(exempt), pa.string())}))
        counts = difference.compute()
        changes = {
            name: [row for batch in difference.changes(name) for row in batch.to_pylist()]
            for name in ("add", "remove", "none")
        }  # fmt: skip
    return counts, changes


@cache
def _computed(tmp_path, action, held, want):
    return computed(tmp_path, action, held, dict(want))


def drawn(tmp_path_factory, action, held, want):
    """As `computed`, once for all the tests that are given the same example."""
    return _computed(tmp_path_factory.getbasetemp(), action, frozenset(held), tuple(want.items()))


def random_audiences(max_examples):
    """Audiences fed by two campaigns, of many circles each; the same ones for every test, so that each is compared once."""

    def decorate(test):
        return seed(20261123)(settings(max_examples=max_examples)(given(actions, circles.map(together))(test)))

    return decorate


def applied(held: set[Hold], changes: dict[str, list[dict]]) -> set[Hold]:
    after = set(held)
    for begins in (False, True):
        for row in (row for part in changes.values() for row in part if row["begins"] is begins):
            hold = Hold(row["campaign_id"], row["user_id"], row["identifiers"], row["present"])
            assert (hold in after) is not begins
            after.symmetric_difference_update({hold})
    return after


@random_audiences(30)
def test_after_the_changes_exactly_the_right_users_are_held(tmp_path_factory, action, circle):
    held, want = circle
    counts, changes = drawn(tmp_path_factory, action, held, want)
    assert applied(held, changes) == expected(action, held, want)
    assert counts.targeted == counts.candidates == len(want)
    in_audience = [hold.row for hold in expected(action, held, want) if hold.present]
    assert (counts.memberships_after, counts.rows_after) == (len(in_audience), len(set(in_audience)))
    if action in ("mirror", "add"):
        mine = {(hold.user, hold.row) for hold in held if hold.campaign == ME and hold.present}
        assert counts.begun == len(set(want.items()) - mine)


@random_audiences(30)
def test_who_leaves_is_counted_once_whatever_was_held(tmp_path_factory, action, circle):
    held, want = circle
    counts, changes = drawn(tmp_path_factory, action, held, want)
    gone = [row["user_id"] for part in changes.values() for row in part if row["gone"]]
    after = expected(action, held, want)
    mine = {hold.user for hold in held if hold.present and (hold.campaign == ME or action == "remove")}
    assert len(gone) == len(set(gone))
    if action in ("mirror", "remove"):
        assert set(gone) == mine - set(want)
        assert (counts.left, counts.held) == (len(gone), len(mine))
    if action == "add":
        assert gone == []
    if action == "remove_matching":
        assert set(gone) == {hold.user for hold in held - after if hold.present}


@random_audiences(30)
def test_facebook_hears_of_exactly_the_rows_that_come_and_go(tmp_path_factory, action, circle):
    held, want = circle
    _, changes = drawn(tmp_path_factory, action, held, want)
    at_facebook = {hold.row for hold in held if hold.present}
    added = {row["identifiers"] for row in changes["add"]}
    removed = {row["identifiers"] for row in changes["remove"]}
    assert not added & removed
    assert not added & at_facebook
    assert (at_facebook - removed) | added == {hold.row for hold in expected(action, held, want) if hold.present}
    if action != "remove_matching":
        assert removed <= at_facebook


@random_audiences(10)
def test_a_second_run_without_changes_has_nothing_to_send(tmp_path_factory, action, circle):
    held, want = circle
    _, first = drawn(tmp_path_factory, action, held, want)
    counts, second = drawn(tmp_path_factory, action, applied(held, first), want)
    assert (counts.add, counts.remove, second) == (0, 0, {"add": [], "remove": [], "none": []})


@random_audiences(30)
def test_what_others_hold_is_asked_for_only_by_rows_that_come_and_go(tmp_path_factory, action, circle):
    held, want = circle
    if action in ("mirror", "add"):
        others = Others(held)
        assert computed(tmp_path_factory.getbasetemp(), action, held, want, others=others) == drawn(
            tmp_path_factory, action, held, want
        )
        comes_and_goes = expected(action, held, want) ^ held
        assert [set(rows) for rows in others.asked] == (
            [{hold.row for hold in comes_and_goes}] if comes_and_goes else []
        )


def test_of_many_rows_that_come_what_others_hold_is_looked_at_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("audiences.what.comparison.MOST_ASKED", 1)
    held = {Hold(OTHER, "b", b"same", True), Hold(OTHER, "c", b"c", True)}
    others = Others(held)
    counts, _ = computed(tmp_path, "mirror", held, {"a": b"same", "d": b"d"}, others=others)
    assert others.asked == [None]
    assert (counts.add, counts.memberships_after, counts.rows_after) == (1, 4, 3)


def test_users_with_the_same_identifiers_share_one_row_of_a_request(tmp_path):
    counts, changes = computed(tmp_path, "mirror", set(), {"a": b"same", "b": b"same", "c": b"other"})
    assert counts.add == 2
    assert [(row["position"], row["user_id"]) for row in changes["add"]] == [(0, "a"), (0, "b"), (1, "c")]


def test_shared_identifiers_stay_while_another_campaign_holds_them(tmp_path):
    held = {Hold(ME, "a", b"same", True), Hold(OTHER, "b", b"same", True)}
    counts, changes = computed(tmp_path, "mirror", held, {})
    assert counts.remove == 0
    assert [row["user_id"] for row in changes["none"]] == ["a"]


def test_old_identifiers_that_could_not_be_removed_are_removed_by_the_next_run(tmp_path):
    held = {Hold(ME, "a", b"old", True), Hold(ME, "a", b"new", True)}
    counts, changes = computed(tmp_path, "mirror", held, {"a": b"new"})
    assert (counts.begun, counts.add, counts.remove, counts.left) == (0, 0, 1, 0)
    assert [(row["identifiers"], row["gone"]) for row in changes["remove"]] == [(b"old", False)]


def test_changed_identifiers_are_one_removal_and_one_addition(tmp_path):
    counts, changes = computed(tmp_path, "mirror", {Hold(ME, "a", b"old", True)}, {"a": b"new"})
    assert (counts.add, counts.remove, counts.left) == (1, 1, 0)
    assert [row["gone"] for row in changes["remove"]] == [False]


@pytest.mark.parametrize(
    ("limit", "exempt", "left"),
    [(2, [], {"c", "a"}), (1, [], {"c"}), (0, [], set()), (1, ["c"], {"c", "a"}), (9, [], {"a", "b", "c"})],
)
def test_the_cap_keeps_members_first_and_then_goes_by_rank(tmp_path, limit, exempt, left):
    held = {Hold(ME, "c", b"c", True)}
    counts, changes = computed(tmp_path, "mirror", held, {"a": b"a", "b": b"b", "c": b"c"}, limit, exempt)
    assert {hold.user for hold in applied(held, changes)} == left
    assert counts.targeted == len(left)


@seed(20261130)
@settings(max_examples=10)
@given(st.sampled_from(["mirror", "add"]), circles.map(together), st.booleans())
def test_where_nobody_is_held_all_that_is_wanted_begins_and_those_who_share_a_row_lie_together(
    tmp_path_factory, action, drawn, alone
):
    want = drawn.want
    counts, changes = computed(
        tmp_path_factory.getbasetemp(), action, set(), want, others=None if alone else Others(set())
    )
    assert applied(set(), changes) == expected(action, set(), want)
    positions = [row["position"] for row in changes["add"]]
    assert positions == sorted(positions)
    assert len({(row["position"], row["identifiers"]) for row in changes["add"]}) == len(set(want.values()))
    distinct = len(set(want.values()))
    assert (counts.begun, counts.add, counts.rows_after) == (len(want), distinct, distinct)
