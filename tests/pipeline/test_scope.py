"""Whom a run is about, as its steps ask for it, and run references of an earlier version."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from audiences.pipeline.live.batch_scope import BatchScope
from audiences.pipeline.results import RunRef
from audiences.pipeline.scope import EVERYBODY, Scope, UsersScope


@pytest.mark.parametrize(
    ("scope", "everybody", "outlasts_end"),
    [(EVERYBODY, True, False), (UsersScope(["1"]), False, False), (BatchScope(7), False, True)],
)
def test_only_a_batch_outlasts_the_campaign_and_only_everybody_is_everybody(
    scope: Scope, everybody: bool, outlasts_end: bool
) -> None:
    assert (scope.everybody, scope.outlasts_end) == (everybody, outlasts_end)


def test_a_run_that_an_earlier_version_opened_goes_on() -> None:
    then = RunRef(
        run=1,
        campaign=1,
        salt="carts",
        audience=1,
        facebook_id="2385",
        at=datetime(2026, 11, 29, tzinfo=UTC),
        staging="/staging",
    )
    assert RunRef.model_validate({**then.model_dump(mode="json"), "batch": None}) == then
