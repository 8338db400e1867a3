from __future__ import annotations

import pytest

from audiences.errors import FacebookAccessError, FacebookTransientError, RefusedError, StoppedError
from audiences.facebook.graph_errors import ObjectNotFoundError
from audiences.reporting.remedy import Told


@pytest.mark.parametrize(
    "numbers", [{}, {"code": 190}, {"code": 190, "subcode": 463}, {"code": 10, "trace": "A/b_c-1"}]
)
def test_an_error_of_facebook_is_told_apart_from_its_remedy(numbers):
    error = FacebookAccessError("send rows: the access token has expired", "Make a new token.", **numbers)
    told = Told.of(str(error))
    assert told.reason.startswith("send rows: the access token has expired (")
    assert told.remedy == "Make a new token."


def test_the_remedy_of_a_request_is_found_in_the_error_of_its_run():
    error = ObjectNotFoundError(
        "read the audience: there is no such object", "Check the id. Give `Manage` on it.", 100, 33
    )
    told = Told.of(f"Facebook did not take 2 of 7 requests: {error}")
    assert told.reason.startswith("Facebook did not take 2 of 7 requests: read the audience")
    assert told.remedy == "Check the id. Give `Manage` on it."


def test_a_guard_says_how_to_allow_it_once():
    error = StoppedError(
        "max_removal", "60 of 100 members (60.0 %) would be removed", "If this is right, allow it once."
    )
    told = Told.of(str(error))
    assert told.reason == (
        "stopped by the guard `max_removal`: 60 of 100 members (60.0 %) would be removed. Nothing was sent."
    )
    assert told.remedy == "If this is right, allow it once."


def test_a_passing_fault_says_that_it_passes():
    assert Told.of(str(FacebookTransientError("send rows: no answer in time"))).remedy.startswith("Such faults pass")


@pytest.mark.parametrize("text", ["", "DiskFull; the log says more", str(RefusedError("a parameter is wrong", 100))])
def test_an_error_without_a_remedy_is_all_reason(text):
    assert Told.of(text) == Told(reason=text, remedy="")
