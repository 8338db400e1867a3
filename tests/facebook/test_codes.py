"""The contract: every number that the error reference, the endpoints' pages and uploaders' logs name is on record."""

from __future__ import annotations

import pickle

import pytest

from audiences.errors import (
    AudiencesError,
    FacebookAccessError,
    FacebookTransientError,
    RefusedError,
    ThrottledError,
    WaitError,
)
from audiences.facebook.classify import CallContext, GraphFault, error_for
from audiences.facebook.codes import BY_CODE, BY_PAIR, BY_SUBCODE, ErrorKind
from audiences.facebook.graph_errors import (
    AudienceBusyError,
    AudienceTooSmallError,
    ObjectNotFoundError,
    ReplaceBrokenError,
)

CONTEXT = CallContext("add 3 rows to audience 7", "42", ("the-token",))

TRANSIENT = [(1, None), (2, None), (5000, None), (21009, None), (-1, None), (-3, 99)]
THROTTLED = [
    (4, None),
    (4, 1504022),
    (4, 1504039),
    (17, None),
    (17, 2446079),
    (32, None),
    (341, None),
    (613, None),
    (613, 1487742),
    (613, 1996),
    (613, 5044001),
    (613, 1487632),
    *[(code, None) for code in (80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014)],
]
ACCESS = [
    (190, None),
    *[(190, subcode) for subcode in (458, 459, 460, 463, 464, 467)],
    (102, None),
    (104, None),
    (3, None),
    (10, None),
    *[(code, None) for code in (200, 201, 210, 270, 294, 299)],
    (368, None),
    (2654, None),
    (2654, 1713092),
    (2635, None),
    (2655, None),
    (2663, None),
    (2664, None),
    *[(200, subcode) for subcode in (1870034, 1870050, 1870090, 1870092)],
    *[(100, subcode) for subcode in (1870065, 1487301, 1487366, 1713228, 1713230, 1713231, 1713232)],
    (1487301, None),
    (1487366, None),
]
REFUSED = [
    (100, None),
    (1, 99),
    (105, None),
    (194, None),
    (506, None),
    (2500, None),
    (2650, None),
    (2650, 1870144),
    (2656, None),
    (100, 1487007),
    (100, 1487033),
    (100, 1487056),
    (987654, None),
]
REPLACE_BROKEN = [(2650, 1870158), (2650, 1870147), (2650, 1870159), (2650, 1870148)]

CONTRACT: list[tuple[type[AudiencesError], int, int | None]] = [
    *[(FacebookTransientError, *pair) for pair in TRANSIENT],
    *[(ThrottledError, *pair) for pair in THROTTLED],
    *[(FacebookAccessError, *pair) for pair in ACCESS],
    *[(ObjectNotFoundError, *pair) for pair in [(803, None), (100, 33)]],
    *[(RefusedError, *pair) for pair in REFUSED],
    *[(ReplaceBrokenError, *pair) for pair in REPLACE_BROKEN],
    (AudienceTooSmallError, 200, 1870047),
    (AudienceBusyError, 2650, 1870145),
]


def _error(
    code: int, subcode: int | None, *, transient: bool = False, text: str = "", status: int = 400
) -> AudiencesError:
    return error_for(GraphFault(code, subcode, transient, text, "trace1"), status, CONTEXT)


@pytest.mark.parametrize(("kind", "code", "subcode"), CONTRACT)
def test_each_known_number_becomes_its_error(kind: type[AudiencesError], code: int, subcode: int | None) -> None:
    error = _error(code, subcode)
    assert type(error) is kind
    assert "add 3 rows to audience 7" in str(error)
    if isinstance(error, FacebookAccessError):
        assert error.remedy
        assert "{" not in error.remedy
    if not isinstance(error, WaitError):
        assert f"error {code}" in str(error)
        assert "trace trace1" in str(error)


@pytest.mark.parametrize(("kind", "code", "subcode"), CONTRACT)
def test_errors_survive_the_border_between_processes(
    kind: type[AudiencesError], code: int, subcode: int | None
) -> None:
    error = _error(code, subcode)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)


def test_the_tables_hold_nothing_that_the_contract_does_not_name() -> None:
    named = {code for _, code, _ in CONTRACT} | {subcode for _, _, subcode in CONTRACT}
    assert set(BY_CODE) | set(BY_SUBCODE) <= named
    assert set(BY_PAIR) <= {(code, subcode) for _, code, subcode in CONTRACT}


@pytest.mark.parametrize("meaning", [*BY_CODE.values(), *BY_PAIR.values(), *BY_SUBCODE.values()])
def test_a_meaning_that_calls_for_a_person_says_what_to_do(meaning: object) -> None:
    kind, remedy = meaning.kind, meaning.remedy  # type: ignore[attr-defined]  # values of the three tables
    assert bool(remedy) == (kind in {ErrorKind.ACCESS, ErrorKind.NOT_FOUND})


def test_terms_name_the_page_of_the_ad_account() -> None:
    error = _error(200, 1870034)
    assert isinstance(error, FacebookAccessError)
    assert "https://business.facebook.com/ads/manage/customaudiences/tos/?act=42" in error.remedy


def test_the_terms_of_value_based_audiences_are_another_page() -> None:
    error = _error(200, 1870092)
    assert isinstance(error, FacebookAccessError)
    assert "https://business.facebook.com/customaudiences/value_based/tos.php?act=42" in error.remedy


def test_an_ended_version_is_for_a_person_and_no_fault_of_the_rows() -> None:
    error = _error(2635, None)
    assert isinstance(error, FacebookAccessError)
    assert "`api_version`" in error.remedy


def test_a_throttle_stays_one_when_facebook_calls_it_transient() -> None:
    assert type(_error(17, 2446079, transient=True)) is ThrottledError


def test_a_refusal_that_facebook_calls_transient_is_tried_again() -> None:
    assert type(_error(100, None, transient=True)) is FacebookTransientError


def test_an_unknown_code_is_decided_by_the_status_only_between_retry_and_refusal() -> None:
    assert type(_error(987654, None, status=503)) is FacebookTransientError
    assert type(_error(987654, None, status=400)) is RefusedError


def test_an_access_error_stays_one_whatever_the_status() -> None:
    for status in (200, 400, 401, 403, 500):
        assert type(_error(190, 463, status=status)) is FacebookAccessError


def test_only_a_replace_that_timed_out_left_a_part_of_the_members() -> None:
    truncated = {
        subcode: error.truncated
        for code, subcode in REPLACE_BROKEN
        if isinstance(error := _error(code, subcode), ReplaceBrokenError)
    }
    assert truncated == {1870158: True, 1870147: False, 1870159: False, 1870148: False}
