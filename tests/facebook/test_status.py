from __future__ import annotations

from typing import Any

import pytest

from audiences.errors import FacebookAccessError
from audiences.facebook.answers import AudienceAnswer
from audiences.facebook.graph_errors import AudienceBusyError
from audiences.facebook.status import AudienceStatus, Reaction

GO, WARN, WAIT, STOP = Reaction.GO, Reaction.WARN, Reaction.WAIT, Reaction.STOP


def _status(**fields: Any) -> AudienceStatus:
    return AudienceStatus.read(AudienceAnswer.model_validate({"id": "7", **fields}))


@pytest.mark.parametrize(
    ("code", "reaction"),
    [
        (0, GO),
        (100, WARN),
        (200, GO),
        (300, WARN),
        (400, WARN),
        (410, GO),
        (411, WARN),
        (412, WARN),
        (414, WAIT),
        (415, WARN),
        (421, WARN),
        (431, WARN),
        (441, GO),
        (442, WARN),
        (450, WARN),
        (470, WARN),
        (471, STOP),
        (500, WARN),
        (999, WARN),
        ("200", GO),
        (None, GO),
    ],
)
def test_each_operation_status_has_its_reaction(code: object, reaction: Reaction) -> None:
    status = _status(operation_status={"code": code, "description": "Facebook's words"})
    assert status.reaction is reaction
    assert status.advice


def test_an_answer_with_the_id_only_is_enough() -> None:
    status = _status()
    assert (status.lower, status.upper, status.can_edit, status.delivers) == (None, None, None, None)
    status.ensure_writable()


@pytest.mark.parametrize("value", [None, [], "x", 7, {"code": []}, {"code": None}])
def test_fields_of_another_form_count_as_absent(value: object) -> None:
    status = _status(operation_status=value, delivery_status=value, permission_for_actions=value)
    assert status.operation_code is None
    assert status.can_edit is None


@pytest.mark.parametrize(
    ("found", "bound"), [(-1, None), (None, None), (1000, 1000), ("1000", 1000), (2**63, None), ([], None)]
)
def test_a_size_of_minus_one_is_unknown(found: object, bound: int | None) -> None:
    assert _status(approximate_count_lower_bound=found).lower == bound


@pytest.mark.parametrize(("code", "delivers"), [(200, True), (300, False), (400, False), (None, None)])
def test_delivery_status_says_whether_ads_reach_it(code: int | None, delivers: bool | None) -> None:
    assert _status(delivery_status={"code": code}).delivers is delivers


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"operation_status": {"code": 414}}, AudienceBusyError),
        ({"operation_status": {"code": 471, "description": "flagged"}}, FacebookAccessError),
        ({"permission_for_actions": {"can_edit": False}}, FacebookAccessError),
        ({"permission_for_actions": {"can_edit": "false"}}, FacebookAccessError),
        ({"subtype": "LOOKALIKE"}, FacebookAccessError),
        ({"is_value_based": True}, FacebookAccessError),
        ({"is_value_based": "true"}, FacebookAccessError),
    ],
)
def test_an_audience_that_takes_no_members_is_told_before_the_upload(
    fields: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error, match="audience 7"):
        _status(**fields).ensure_writable()


@pytest.mark.parametrize("value", [False, None, "false", 0, []])
def test_an_audience_without_values_takes_rows_without_values(value: object) -> None:
    _status(is_value_based=value).ensure_writable()


def test_removing_from_a_value_based_audience_is_possible() -> None:
    _status(is_value_based=True).ensure_writable(adds=False)


def test_a_shared_audience_is_its_owner_s_to_change() -> None:
    with pytest.raises(FacebookAccessError) as caught:
        _status(permission_for_actions={"can_edit": False}).ensure_writable()
    assert "ad account that owns it" in caught.value.remedy
