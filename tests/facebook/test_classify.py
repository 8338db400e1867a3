from __future__ import annotations

import ssl
from typing import Any

import orjson
import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from audiences.errors import (
    AudiencesError,
    FacebookAccessError,
    FacebookTransientError,
    RefusedError,
    ThrottledError,
)
from audiences.facebook.classify import CallContext, error_for_exception, read_answer
from audiences.facebook.graph_errors import TooMuchDataError

CONTEXT = CallContext("add 3 rows to audience 7", "42", ("the-token", "the-secret", None))
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def _error(status: int, body: Any) -> AudiencesError:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    with pytest.raises(AudiencesError) as caught:
        read_answer(status, content, CONTEXT)
    return caught.value


def _graph_error(**fields: Any) -> dict[str, Any]:
    return {"error": fields}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_html_from_a_gateway_is_a_passing_fault(status: int) -> None:
    assert type(_error(status, HTML)) is FacebookTransientError


@pytest.mark.parametrize("status", [101, 102, 103])
def test_an_answer_before_the_answer_refuses_nothing(status: int) -> None:
    assert type(_error(status, b"")) is FacebookTransientError


def test_a_500_with_json_and_no_error_is_not_success() -> None:
    assert type(_error(500, {"num_received": 3})) is FacebookTransientError


@pytest.mark.parametrize("body", [b"", b'{"num_rec', b"[]", b"null", b'"text"', b"\xff\xfe", HTML])
def test_a_200_that_is_no_json_object_is_a_passing_fault(body: bytes) -> None:
    assert type(_error(200, body)) is FacebookTransientError


def test_success_false_is_not_success() -> None:
    for success in (False, None, 0, "false", []):
        assert type(_error(200, {"success": success})) is FacebookTransientError


def test_an_error_in_a_200_is_an_error() -> None:
    assert type(_error(200, _graph_error(code=190, message="expired"))) is FacebookAccessError


def test_a_long_address_refused_by_a_gateway_is_a_refusal() -> None:
    assert type(_error(414, HTML)) is RefusedError


def test_too_many_requests_from_a_gateway_is_a_throttle() -> None:
    assert type(_error(429, HTML)) is ThrottledError


def test_error_as_a_string_is_read() -> None:
    error = _error(400, {"error": "invalid_request"})
    assert type(error) is RefusedError
    assert "invalid_request" in str(error)


@pytest.mark.parametrize(
    "error_data",
    ["{not json", '{"blame_field_specs":[["payload"]]}', {"blame_field_specs": [["payload"]]}, [], None, 7],
)
def test_error_data_of_any_kind_changes_nothing(error_data: object) -> None:
    error = _error(400, _graph_error(code=2650, error_subcode=1870148, error_data=error_data))
    assert (error.code, error.subcode) == (2650, 1870148)  # type: ignore[attr-defined]  # a ReplaceBrokenError


def test_numbers_sent_as_text_are_understood() -> None:
    assert type(_error(400, _graph_error(code="80003"))) is ThrottledError


def test_too_much_data_is_told_from_an_unknown_fault_by_its_text() -> None:
    message = "Please reduce the amount of data you're asking for, then retry your request"
    assert type(_error(500, _graph_error(code=1, message=message))) is TooMuchDataError
    assert type(_error(500, _graph_error(code=1, message="An unknown error occurred"))) is FacebookTransientError


def test_a_wrong_proof_points_to_the_app_secret() -> None:
    error = _error(400, _graph_error(code=100, message="Invalid appsecret_proof provided in the API argument"))
    assert isinstance(error, FacebookAccessError)
    assert "app_secret" in error.remedy


def test_what_facebook_quotes_back_stays_out_of_the_error() -> None:
    message = (
        "Malformed access token the-token; cell mary@example.com, +1 (555) 987-6543, 15559876543, " + "ab" * 32 + " bad"
    )
    text = str(_error(400, _graph_error(code=100, message=message, error_user_msg="secret is the-secret")))
    for forbidden in ("the-token", "the-secret", "@", "5559876543", "987-6543", "abab"):
        assert forbidden not in text


def test_a_long_text_is_cut() -> None:
    assert len(str(_error(400, _graph_error(code=100, message="x y " * 5000)))) < 500


_KEYS = st.sampled_from(
    ["error", "code", "error_subcode", "message", "error_data", "is_transient", "success", "fbtrace_id"]
)
_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20)
_ANSWERS = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=12
)


@given(_ANSWERS, st.sampled_from([200, 400, 401, 403, 500, 503]))
def test_any_answer_is_either_an_object_without_error_or_an_error_of_ours(body: Any, status: int) -> None:
    try:
        answer = read_answer(status, orjson.dumps(body), CONTEXT)
    except AudiencesError:
        return
    assert status == 200
    assert isinstance(answer, dict)
    assert "error" not in answer


def _request_errors() -> list[type[requests.RequestException]]:
    return [
        kind
        for kind in vars(requests.exceptions).values()
        if isinstance(kind, type)
        and issubclass(kind, requests.RequestException)
        and not issubclass(kind, (requests.exceptions.JSONDecodeError,))
    ]


@pytest.mark.parametrize("kind", _request_errors())
def test_every_exception_of_requests_becomes_an_error_that_does_not_quote_it(
    kind: type[requests.RequestException],
) -> None:
    error = error_for_exception(kind("https://host/?access_token=the-token"), CONTEXT)
    assert isinstance(error, (FacebookTransientError, FacebookAccessError))
    assert "the-token" not in str(error)


def test_a_certificate_that_does_not_verify_calls_for_a_person() -> None:
    cause = urllib3.exceptions.SSLError(ssl.SSLCertVerificationError("certificate verify failed"))
    pool = urllib3.HTTPSConnectionPool("localhost")
    wrapped = requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(pool, "/", cause))
    assert type(error_for_exception(wrapped, CONTEXT)) is FacebookAccessError
    assert type(error_for_exception(requests.exceptions.SSLError("EOF"), CONTEXT)) is FacebookTransientError


@pytest.mark.parametrize("code", [100, 105])
@pytest.mark.parametrize("transient", [True, False])
def test_a_refusal_that_facebook_calls_transient_is_tried_again(code: int, transient: bool) -> None:
    error = _error(400, _graph_error(code=code, message="Invalid parameter", is_transient=transient))
    assert isinstance(error, FacebookTransientError if transient else RefusedError)


def test_an_error_that_a_person_must_resolve_stays_one_whatever_is_called_transient() -> None:
    assert isinstance(_error(400, _graph_error(code=190, message="expired", is_transient=True)), FacebookAccessError)


@pytest.mark.parametrize(
    ("status", "transient", "passes"), [(400, False, False), (400, True, True), (503, False, True)]
)
def test_a_code_that_nobody_knows_passes_if_facebook_says_so_or_its_server_failed(
    status: int, transient: bool, passes: bool
) -> None:
    error = _error(status, _graph_error(code=987654, message="new", is_transient=transient))
    assert type(error) is (FacebookTransientError if passes else RefusedError)
