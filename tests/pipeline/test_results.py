"""What passes between the steps of a run is read as the step before wrote it, also where that was an earlier version."""

from __future__ import annotations

from audiences.pipeline.results import AudienceHolding, Plan


def test_a_plan_that_an_earlier_version_made_is_read_by_the_run_that_goes_on() -> None:
    plan = Plan(
        outcomes={},
        add_rows=2,
        remove_rows=0,
        begun=3,
        left=0,
        quarantined=1,
        requests=1,
        after=AudienceHolding(memberships=2, rows=2),
    )
    written = plan.model_dump(mode="json")
    earlier = {"kept_back" if name == "quarantined" else name: value for name, value in written.items()}
    assert Plan.model_validate(written) == Plan.model_validate(earlier) == plan
