from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.facebook.scripted import Answer, FakeTime, ScriptedGraph

from audiences.campaign.mark import Mark
from audiences.errors import FacebookTransientError
from audiences.facebook import custom_audiences
from audiences.facebook.custom_audiences import ListedAudience

if TYPE_CHECKING:
    from audiences.facebook.session import GraphSession

pytestmark = pytest.mark.integration

MARK = Mark("abandoned_cart", "0123456789ab")
OURS = "To buy [audiences:abandoned_cart@0123456789ab]"


def _create(graph: GraphSession) -> str:
    return custom_audiences.create(graph, name="Cart", description="To buy", mark=MARK)


def _listing(*items: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "data": [{"id": each, "name": name, "description": text, "subtype": "CUSTOM"} for each, name, text in items]
    }


def _posts(scripted: ScriptedGraph) -> list[Any]:
    return [seen for seen in scripted.seen if seen.method == "POST"]


def test_an_audience_is_created_with_our_mark(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"id": "77"}), Answer(body={"id": "77"}))
    assert _create(graph) == "77"
    assert _posts(scripted)[0].json == {
        "name": "Cart",
        "description": OURS,
        "subtype": "CUSTOM",
        "customer_file_source": "USER_PROVIDED_ONLY",
    }


def test_of_two_that_carry_a_mark_the_older_comes_first() -> None:
    listed = [ListedAudience(each, "Cart", OURS) for each in ("1000", "999")]
    assert custom_audiences.of_mark(listed, MARK) == ["999", "1000"]


@pytest.mark.parametrize(
    "description",
    [
        "",
        "by hand",
        "[audiences:abandoned_cart]",
        "[audiences:abandoned_cart@ba9876543210]",
        "[audiences:cart@0123456789ab]",
    ],
    ids=["none", "by hand", "an earlier version's", "another ledger's", "another campaign's"],
)
def test_no_other_mark_is_taken_for_ours(description: str) -> None:
    assert custom_audiences.of_mark([ListedAudience("5", "Cart", description)], MARK) == []


def test_a_creation_whose_answer_was_lost_is_found_and_not_repeated(
    scripted: ScriptedGraph, graph: GraphSession
) -> None:
    scripted.play(Answer(drop=True), Answer(body=_listing(("77", "Cart", OURS))))
    assert _create(graph) == "77"
    assert len(_posts(scripted)) == 1


def test_a_creation_that_never_succeeds_ends(scripted: ScriptedGraph, graph: GraphSession) -> None:
    nothing, fault = Answer(body=_listing()), Answer(status=500, body=b"<html>")
    scripted.play(fault, nothing, fault, nothing, fault)
    with pytest.raises(FacebookTransientError):
        _create(graph)
    assert len(_posts(scripted)) == 3


def test_an_audience_that_lags_behind_its_creation_is_waited_for(
    scripted: ScriptedGraph, graph: GraphSession, time: FakeTime
) -> None:
    lagging = Answer(status=404, body={"error": {"code": 803, "message": "(#803) Some of the aliases"}})
    scripted.play(Answer(body={"id": "77"}), lagging, lagging, Answer(body={"id": "77"}))
    assert _create(graph) == "77"
    assert time.slept == [1, 2]


def test_a_page_too_large_for_facebook_is_halved(scripted: ScriptedGraph, graph: GraphSession) -> None:
    too_much = Answer(
        status=500, body={"error": {"code": 1, "message": "Please reduce the amount of data you're asking"}}
    )
    scripted.play(too_much, too_much, Answer(body=_listing(("5", "Cart", ""))))
    assert custom_audiences.list_audiences(graph) == [ListedAudience("5", "Cart", "")]
    assert ["limit=100" in seen.path for seen in scripted.seen] == [True, False, False]
    assert "limit=25" in scripted.seen[2].path


def test_only_customer_lists_are_listed(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"data": [{"id": "5", "subtype": "LOOKALIKE"}, {"id": "6", "subtype": "CUSTOM"}, {}]}))
    assert [each.id for each in custom_audiences.list_audiences(graph)] == ["6"]


def test_a_new_description_keeps_our_mark_and_no_other(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"success": True}), Answer(body={"success": True}))
    custom_audiences.remark(graph, "77", description="Sold [audiences:old]", mark=MARK)
    custom_audiences.remark(graph, "77", description="Sold", mark=MARK, name="Cart 2")
    described = {"description": "Sold [audiences:abandoned_cart@0123456789ab]"}
    assert [seen.json for seen in scripted.seen] == [described, described | {"name": "Cart 2"}]
