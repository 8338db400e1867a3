from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.facebook.scripted import Answer, ScriptedGraph

from audiences.errors import FacebookAccessError, FacebookTransientError, RefusedError
from audiences.facebook import ad_set_targeting
from audiences.facebook.ad_set_targeting import TargetingList, with_audience

if TYPE_CHECKING:
    from audiences.facebook.session import GraphSession

INCLUDED, EXCLUDED = "custom_audiences", "excluded_custom_audiences"
TARGETING = {
    "geo_locations": {"countries": ["IN"]},
    "custom_audiences": [{"id": "1", "name": "One"}],
    "targeting_automation": {"advantage_audience": 0, "of_tomorrow": {"deep": [1, None]}, "device": 0},
    "a_key_of_tomorrow": {"deep": [1, None, {"x": None}]},
}


def test_linking_adds_to_the_audiences_that_are_there() -> None:
    assert with_audience(TARGETING, "2", TargetingList.INCLUDED) == {
        **TARGETING,
        "custom_audiences": [{"id": "1", "name": "One"}, {"id": "2"}],
    }


def test_linking_what_is_linked_changes_nothing() -> None:
    assert with_audience(TARGETING, "1", TargetingList.INCLUDED) is None


def test_unlinking_what_is_not_linked_changes_nothing() -> None:
    assert with_audience(TARGETING, "2", TargetingList.NOWHERE) is None


def test_excluding_what_is_included_moves_it() -> None:
    changed = with_audience(TARGETING, "1", TargetingList.EXCLUDED)
    assert changed is not None
    assert (changed[INCLUDED], changed[EXCLUDED]) == ([], [{"id": "1"}])


def test_derived_keys_are_not_sent_back() -> None:
    changed = with_audience({**TARGETING, "effective_publisher_platforms": ["facebook"]}, "2", TargetingList.INCLUDED)
    assert changed is not None
    assert "effective_publisher_platforms" not in changed


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_IDS = st.lists(st.sampled_from("123456"), max_size=5)


@given(
    st.dictionaries(st.text(max_size=10).filter(lambda key: key not in {INCLUDED, EXCLUDED}), _JSON, max_size=4),
    _IDS,
    _IDS,
    st.sampled_from("123456"),
    st.sampled_from(TargetingList),
)
def test_only_the_two_lists_change_and_only_by_our_audience(
    other: dict[str, Any], included: list[str], excluded: list[str], audience: str, place: TargetingList
) -> None:
    before = {**other, INCLUDED: [{"id": each} for each in included], EXCLUDED: [{"id": each} for each in excluded]}
    after = with_audience(json.loads(json.dumps(before)), audience, place)
    if after is None:
        after = before
    kept = {key: value for key, value in other.items() if not key.startswith("effective_")}
    assert {key: value for key, value in after.items() if key not in {INCLUDED, EXCLUDED}} in (kept, other)
    for name, ids in ((INCLUDED, included), (EXCLUDED, excluded)):
        result = [entry["id"] for entry in after[name]]
        assert [each for each in result if each != audience] == [each for each in ids if each != audience]
        assert result.count(audience) == (1 if name == place.value else 0)
    assert with_audience(after, audience, place) is None


def _ad_set(targeting: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "9", "targeting": targeting, "effective_status": "ACTIVE", "updated_time": "t1", **fields}


@pytest.mark.integration
def test_a_link_reads_writes_the_whole_targeting_and_reads_again(scripted: ScriptedGraph, graph: GraphSession) -> None:
    linked = with_audience(TARGETING, "2", TargetingList.INCLUDED)
    assert linked is not None
    scripted.play(Answer(body=_ad_set(TARGETING)), Answer(body={"success": True}), Answer(body=_ad_set(linked)))
    assert ad_set_targeting.put(graph, "9", "2", TargetingList.INCLUDED) == ad_set_targeting.AdSetChange(
        "9", changed=True
    )
    assert [seen.method for seen in scripted.seen] == ["GET", "POST", "GET"]
    assert scripted.seen[1].json == {"targeting": linked}


@pytest.mark.integration
def test_nothing_is_written_when_nothing_changes(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_ad_set(TARGETING)))
    assert not ad_set_targeting.put(graph, "9", "1", TargetingList.INCLUDED).changed
    assert [seen.method for seen in scripted.seen] == ["GET"]


@pytest.mark.integration
@pytest.mark.parametrize(("there", "room"), [(499, True), (500, False)])
def test_an_ad_set_takes_five_hundred_audiences(
    scripted: ScriptedGraph, graph: GraphSession, there: int, room: bool
) -> None:
    targeting = {"custom_audiences": [{"id": str(1000 + n)} for n in range(there)]}
    linked = with_audience(targeting, "2", TargetingList.INCLUDED)
    assert linked is not None
    scripted.play(Answer(body=_ad_set(targeting)), Answer(body={"success": True}), Answer(body=_ad_set(linked)))
    if room:
        assert ad_set_targeting.put(graph, "9", "2", TargetingList.INCLUDED).changed
    else:
        with pytest.raises(RefusedError, match="501 custom_audiences, more than the 500 allowed"):
            ad_set_targeting.put(graph, "9", "2", TargetingList.INCLUDED)


@pytest.mark.integration
def test_a_dry_run_only_validates(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_ad_set(TARGETING)), Answer(body={"success": True}))
    assert ad_set_targeting.put(graph, "9", "2", TargetingList.EXCLUDED, dry_run=True).changed
    assert scripted.seen[1].json["execution_options"] == ["validate_only"]
    assert len(scripted.seen) == 2


@pytest.mark.integration
def test_a_link_that_another_editor_overwrote_is_made_again(scripted: ScriptedGraph, graph: GraphSession) -> None:
    theirs = {**TARGETING, "age_min": 30}
    linked = with_audience(theirs, "2", TargetingList.INCLUDED)
    assert linked is not None
    done = Answer(body={"success": True})
    scripted.play(
        Answer(body=_ad_set(TARGETING)),
        done,
        Answer(body=_ad_set(theirs)),
        Answer(body=_ad_set(theirs)),
        done,
        Answer(body=_ad_set(linked)),
    )
    assert ad_set_targeting.put(graph, "9", "2", TargetingList.INCLUDED).changed
    assert scripted.seen[4].json == {"targeting": linked}


@pytest.mark.integration
def test_an_editor_who_overwrites_every_time_ends_in_an_error(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_ad_set(TARGETING)))
    with pytest.raises(FacebookTransientError, match="overwritten by another editor"):
        ad_set_targeting.put(graph, "9", "2", TargetingList.INCLUDED)


@pytest.mark.integration
def test_another_edit_at_the_same_time_is_reported(scripted: ScriptedGraph, graph: GraphSession) -> None:
    linked = with_audience(TARGETING, "2", TargetingList.INCLUDED)
    assert linked is not None
    after = _ad_set({**linked, "geo_locations": {"countries": ["FR"]}}, updated_time="t2")
    scripted.play(Answer(body=_ad_set(TARGETING)), Answer(body={"success": True}), Answer(body=after))
    (warning,) = ad_set_targeting.put(graph, "9", "2", TargetingList.INCLUDED).warnings
    assert "t2" in warning


@pytest.mark.integration
def test_advantage_audience_is_reported_for_inclusions_only(scripted: ScriptedGraph, graph: GraphSession) -> None:
    targeting = {**TARGETING, "targeting_automation": {"advantage_audience": 1}, EXCLUDED: [{"id": "5"}]}
    scripted.play(Answer(body=_ad_set(targeting)))
    assert any(
        "Advantage+" in warning for warning in ad_set_targeting.put(graph, "9", "1", TargetingList.INCLUDED).warnings
    )
    assert ad_set_targeting.put(graph, "9", "5", TargetingList.EXCLUDED).warnings == ()


@pytest.mark.integration
@pytest.mark.parametrize("status", ["ARCHIVED", "DELETED"])
def test_a_closed_ad_set_is_not_written(scripted: ScriptedGraph, graph: GraphSession, status: str) -> None:
    scripted.play(Answer(body=_ad_set(TARGETING, effective_status=status)))
    with pytest.raises(FacebookAccessError, match=status.lower()):
        ad_set_targeting.put(graph, "9", "2", TargetingList.INCLUDED)
    assert len(scripted.seen) == 1


@pytest.mark.integration
def test_a_full_list_is_refused_before_it_is_sent(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_ad_set({INCLUDED: [{"id": str(each)} for each in range(1000, 1500)]})))
    with pytest.raises(RefusedError, match="501 custom_audiences"):
        ad_set_targeting.put(graph, "9", "2", TargetingList.INCLUDED)
    assert len(scripted.seen) == 1


@pytest.mark.integration
def test_whatever_stands_under_targeting_automation_goes_back_as_it_came(
    scripted: ScriptedGraph, graph: GraphSession
) -> None:
    automation = {
        "advantage_audience": 1,
        "unheard_of": None,
        "individual_setting": {"age": 1, "device": 0, "x": {"y": []}},
    }
    targeting = {**TARGETING, "targeting_automation": automation}
    linked = with_audience(targeting, "2", TargetingList.INCLUDED)
    assert linked is not None
    scripted.play(Answer(body=_ad_set(targeting)), Answer(body={"success": True}), Answer(body=_ad_set(linked)))
    ad_set_targeting.put(graph, "9", "2", TargetingList.INCLUDED)
    assert scripted.seen[1].json["targeting"]["targeting_automation"] == automation


@pytest.mark.integration
@pytest.mark.parametrize(
    ("automation", "named"),
    [
        ({"advantage_audience": 0, "device": 1}, "`device`"),
        ({"advantage_audience": 0, "device_targeting": "1"}, "`device_targeting`"),
        ({"advantage_audience": 0, "individual_setting": {"age": 1, "device": True}}, "`individual_setting.device`"),
        ({"advantage_audience": 0, "device": 0, "individual_setting": {"age": 1}}, None),
        ({"device": None}, None),
        (None, None),
    ],
)
def test_the_device_setting_is_reported_for_inclusions_as_advantage_audience_is(
    scripted: ScriptedGraph, graph: GraphSession, automation: dict[str, Any] | None, named: str | None
) -> None:
    targeting = {**TARGETING, "targeting_automation": automation, EXCLUDED: [{"id": "5"}]}
    scripted.play(Answer(body=_ad_set(targeting)))
    warnings = ad_set_targeting.put(graph, "9", "1", TargetingList.INCLUDED).warnings
    assert [named in warning and "other devices" in warning for warning in warnings if named] == [True] * bool(named)
    assert named or not warnings
    assert ad_set_targeting.put(graph, "9", "5", TargetingList.EXCLUDED).warnings == ()
