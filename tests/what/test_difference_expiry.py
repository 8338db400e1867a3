"""The difference with `keep_for`, and the whole set for a replace, against the same model as the plain difference."""

from __future__ import annotations

from contextlib import closing

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.what.test_difference import HELD, ME, OTHER, Hold, actions, applied, circles, expected, together

from audiences.what.changes import CANDIDATES
from audiences.what.difference import Difference


@st.composite
def who_is(draw, circle):
    """Some of the users of an audience."""
    known = sorted({hold.user for hold in circle.held} | set(circle.want))
    return draw(st.sets(st.sampled_from(known))) if known else set()


@st.composite
def with_time_limits(draw):
    """An audience, and those whose time is up now and was up before."""
    circle = together(draw(circles))
    return circle, draw(who_is(circle)), draw(who_is(circle))


def ids(of):
    return pa.table({"user_id": pa.array(sorted(of), pa.string())})


def computed(folder, action, held, want, *, expiring=(), expired=(), again=False):
    """Counts, the changes as requests, and the whole set: (position, hold, begins)."""
    with closing(Difference(campaign=ME, action=action, spill=folder)) as difference:
        difference.hold(
            pa.Table.from_pylist([dict(zip(HELD.names, hold, strict=True)) for hold in held], schema=HELD).to_reader()
        )
        rows = [{"user_id": user, "identifiers": row, "rank": user.encode()} for user, row in sorted(want.items())]
        difference.want(pa.Table.from_pylist(rows, schema=CANDIDATES).to_reader())
        difference.expire(ids(expiring), ids(expired), again=again)
        counts = difference.compute()
        changes = {
            name: [row for batch in difference.changes(name) for row in batch.to_pylist()]
            for name in ("add", "remove", "none")
        }
        size = difference.full_set()
        lasting = [row for batch in difference.lasting() for row in batch.to_pylist()]
        closes = [row for batch in difference.closing() for row in batch.to_pylist()]
        waiting = set(difference.expired_users(among_candidates=True).column("user_id").to_pylist())
    return counts, changes, (size, lasting, closes), waiting


def as_hold(row):
    return Hold(row["campaign_id"], row["user_id"], row["identifiers"], row["present"])


@settings(deadline=None, max_examples=20)
@given(actions, circles.map(together))
def test_the_whole_set_is_what_the_difference_leads_to(tmp_path_factory, action, circle):
    held, want = circle
    _, changes, (size, lasting, closes), _ = computed(tmp_path_factory.getbasetemp(), action, held, want)
    after = applied(held, changes)
    assert {as_hold(row) for row in lasting} == {hold for hold in after if hold.present}
    places = {row["position"]: row["identifiers"] for row in lasting}
    assert sorted(places) == list(range(size))
    assert set(places.values()) == {hold.row for hold in after if hold.present}
    recorded = applied(held, {"all": [*closes, *(row for row in lasting if row["begins"])]})
    assert recorded == after


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(["mirror", "add"]), with_time_limits(), st.booleans())
def test_whose_time_is_up_leaves_and_comes_back_only_where_it_may(tmp_path_factory, action, limited, again):
    (held, want), up, up_before = limited
    mine = {hold.user for hold in held if hold.campaign == ME and hold.present}
    expiring, expired = up & mine, up_before - mine
    counts, changes, _, waiting = computed(
        tmp_path_factory.getbasetemp(), action, held, want, expiring=expiring, expired=expired, again=again
    )
    over = {hold for hold in held if hold.campaign == ME and hold.present and hold.user in expiring}
    kept_out = set() if again else expiring | expired
    left = {user: row for user, row in want.items() if user not in kept_out}
    assert applied(held, changes) == expected(action, held - over, left)
    assert counts.targeted == len(left)
    assert counts.expired == len(expiring - set(left))
    assert waiting == set(want) & (expiring | expired)


def test_a_row_whose_time_is_up_stays_while_another_campaign_holds_it(tmp_path):
    held = {Hold(ME, "a", b"same", True), Hold(OTHER, "b", b"same", True)}
    counts, changes, _, _ = computed(tmp_path, "add", held, {}, expiring={"a"})
    assert (counts.remove, counts.expired) == (0, 1)
    assert [(row["user_id"], row["gone"]) for row in changes["none"]] == [("a", True)]


def test_a_new_event_starts_the_time_again_without_a_request(tmp_path):
    held = {Hold(ME, "a", b"row", True)}
    counts, changes, _, _ = computed(tmp_path, "add", held, {"a": b"row"}, expiring={"a"}, again=True)
    assert (counts.add, counts.remove, counts.begun, counts.expired) == (0, 0, 1, 0)
    assert sorted(row["begins"] for row in changes["none"]) == [False, True]
