from __future__ import annotations

import pytest
from tests.left_out import left_out, unwanted


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("not integration and not e2e and not long", {"integration", "e2e", "long"}),
        ("not long", {"long"}),
        ("integration and not long", set()),
        ("not (integration or e2e)", set()),
        ("not integration or e2e", set()),
        ("", set()),
    ],
)
def test_only_what_every_test_must_be_without_is_unwanted(expression, expected):
    assert unwanted(expression) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("pytestmark = pytest.mark.integration\n", True),
        ("import x\n\npytestmark = [pytest.mark.slow, pytest.mark.e2e]\n", True),
        ("pytestmark = pytest.mark.slow\n", False),
        ("@pytest.mark.integration\ndef test_one(): pass\n", False),
        ("class TestIt:\n    pytestmark = pytest.mark.integration\n", False),
        ("", False),
    ],
)
def test_a_file_is_left_out_when_all_of_it_is_unwanted(source, expected):
    assert left_out(source, {"integration", "e2e"}) is expected
