"""What lifts a guard that has stopped a run."""

from __future__ import annotations


def how_to_allow(campaign: str, guard: str) -> str:
    """What a person does to let the run through once."""
    return (
        f"If this is right, allow it once: `audiences run {campaign} --allow {guard}`, or trigger the DAG with "
        f"`{guard}` in its `allow` field."
    )
