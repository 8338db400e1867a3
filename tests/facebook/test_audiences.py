from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.facebook.scripted import Answer, FakeTime, ScriptedGraph

from audiences.errors import FacebookAccessError, FacebookTransientError
from audiences.facebook import audiences
from audiences.facebook.audiences import FoundAudience, ListedAudience, marked

if TYPE_CHECKING:
    from audiences.facebook.session import GraphSession

pytestmark = pytest.mark.integration

OURS = "To buy [audiences:abandoned_cart]"


def _find(graph: GraphSession) -> FoundAudience:
    return audiences.create_or_find(graph, name="Cart", description="To buy", key="abandoned_cart")


def _listing(*items: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "data": [{"id": each, "name": name, "description": text, "subtype": "CUSTOM"} for each, name, text in items]
    }


def _posts(scripted: ScriptedGraph) -> list[Any]:
    return [seen for seen in scripted.seen if seen.method == "POST"]


def test_an_audience_that_is_missing_is_created_with_our_key(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_listing()), Answer(body={"id": "77"}), Answer(body={"id": "77"}))
    assert _find(graph) == FoundAudience("77", ours=True)
    assert _posts(scripted)[0].json == {
        "name": "Cart",
        "description": OURS,
        "subtype": "CUSTOM",
        "customer_file_source": "USER_PROVIDED_ONLY",
    }


def test_an_audience_is_found_by_our_key_after_it_was_renamed(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_listing(("5", "Cart", ""), ("77", "Renamed", OURS))))
    assert _find(graph) == FoundAudience("77", ours=True)
    assert not _posts(scripted)


def test_of_two_that_carry_our_key_the_older_is_taken(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_listing(("1000", "Cart", OURS), ("999", "Cart", OURS))))
    assert _find(graph).id == "999"


def test_an_audience_made_by_hand_is_taken_by_its_exact_name(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_listing(("5", "Cart", "by hand"), ("6", "cart", ""))))
    assert _find(graph) == FoundAudience("5", ours=False)


def test_a_name_of_another_campaign_is_not_taken(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_listing(("5", "Cart", marked("x", "other_campaign")))))
    with pytest.raises(FacebookAccessError, match="belongs to another campaign"):
        _find(graph)
    assert not _posts(scripted)


def test_a_name_that_stands_for_two_audiences_is_not_guessed(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=_listing(("5", "Cart", ""), ("6", "Cart", ""))))
    with pytest.raises(FacebookAccessError, match="2 audiences named `Cart`"):
        _find(graph)


def test_a_creation_whose_answer_was_lost_is_found_and_not_repeated(
    scripted: ScriptedGraph, graph: GraphSession
) -> None:
    scripted.play(Answer(body=_listing()), Answer(drop=True), Answer(body=_listing(("77", "Cart", OURS))))
    assert _find(graph) == FoundAudience("77", ours=True)
    assert len(_posts(scripted)) == 1


def test_a_creation_that_never_succeeds_ends(scripted: ScriptedGraph, graph: GraphSession) -> None:
    nothing, fault = Answer(body=_listing()), Answer(status=500, body=b"<html>")
    scripted.play(nothing, fault, nothing, fault, nothing, fault)
    with pytest.raises(FacebookTransientError):
        _find(graph)
    assert len(_posts(scripted)) == 3


def test_an_audience_that_lags_behind_its_creation_is_waited_for(
    scripted: ScriptedGraph, graph: GraphSession, time: FakeTime
) -> None:
    lagging = Answer(status=404, body={"error": {"code": 803, "message": "(#803) Some of the aliases"}})
    scripted.play(Answer(body=_listing()), Answer(body={"id": "77"}), lagging, lagging, Answer(body={"id": "77"}))
    assert _find(graph).id == "77"
    assert time.slept == [1, 2]


def test_a_page_too_large_for_facebook_is_halved(scripted: ScriptedGraph, graph: GraphSession) -> None:
    too_much = Answer(
        status=500, body={"error": {"code": 1, "message": "Please reduce the amount of data you're asking"}}
    )
    scripted.play(too_much, too_much, Answer(body=_listing(("5", "Cart", ""))))
    assert audiences.list_audiences(graph) == [ListedAudience("5", "Cart", "")]
    assert ["limit=100" in seen.path for seen in scripted.seen] == [True, False, False]
    assert "limit=25" in scripted.seen[2].path


def test_only_customer_lists_are_listed(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"data": [{"id": "5", "subtype": "LOOKALIKE"}, {"id": "6", "subtype": "CUSTOM"}, {}]}))
    assert [each.id for each in audiences.list_audiences(graph)] == ["6"]


def test_a_new_description_keeps_our_key(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"success": True}))
    audiences.describe(graph, "77", name="Cart", description="Sold", key="abandoned_cart")
    assert scripted.seen[0].json == {"name": "Cart", "description": "Sold [audiences:abandoned_cart]"}


def test_deleting_is_a_delete_of_the_node(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"success": True}))
    audiences.delete(graph, "77")
    assert (scripted.seen[0].method, scripted.seen[0].path.partition("?")[0]) == ("DELETE", "/v26.0/77")
