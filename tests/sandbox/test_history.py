"""Between any two moments the history tells what really came and went."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audiences.sandbox import history
from audiences.sandbox.history import History, number_of
from audiences.sandbox.member_sets import MemberSet

PEOPLE = st.frozensets(st.integers(0, 9))
REQUESTS = st.lists(st.tuples(st.sampled_from(["add", "remove", "replace"]), PEOPLE), max_size=8)


def rows(people):
    """People 0 to 4 are known by e-mail address, the others by phone as well."""
    groups = {("EMAIL",): {bytes([one]) * 32 for one in people if one < 5}}
    return groups | {("EMAIL", "PHONE"): {bytes([one]) * 64 for one in people if one >= 5}}


def note(kept, members, action, people):
    if action == "add":
        added, removed = members.add(rows(people)), {}
    elif action == "remove":
        added, removed = {}, members.remove(rows(people))
    else:
        after = MemberSet({shape: packed for shape, packed in rows(people).items() if packed})
        added, removed = after.minus(members.groups), members.minus(after.groups)
        members.groups = after.groups
    return kept.note("1", at=0, request=0, action=action, added=added, removed=removed)


def flat(groups):
    return {row for packed in groups.values() for row in packed}


@given(REQUESTS, st.data())
def test_the_difference_of_two_moments_is_that_of_their_members(requests, data):
    kept, members, moments = History(), MemberSet(), [set()]
    for action, people in requests:
        note(kept, members, action, people)
        moments.append(flat(members.groups))
    until = data.draw(st.integers(0, len(requests)))
    after = data.draw(st.integers(0, until))
    found = kept.between("1", after=after, until=until)
    assert flat(found.added) == moments[until] - moments[after]
    assert flat(found.removed) == moments[after] - moments[until]
    assert found.complete


def test_rows_of_long_ago_are_forgotten_and_the_difference_says_so(monkeypatch):
    monkeypatch.setattr(history, "ROWS_KEPT", 5)
    kept, members = History(), MemberSet()
    first = note(kept, members, "add", range(4))
    note(kept, members, "add", range(4, 8))
    assert (first.added, first.kept, first.added_rows) == (4, False, {})
    assert not kept.between("1").complete
    assert kept.between("1", after=1).complete
    assert len(flat(kept.between("1", after=1).added)) == 4


def test_only_numbers_of_changes_are_taken():
    kept = History()
    note(kept, MemberSet(), "add", [1])
    taken = [number_of(text, kept.of("1")) for text in ("0", "1", "2", "-1", "x", "", "²", "9" * 30, None)]
    assert taken == [0, 1, None, None, None, None, None, None, None]
