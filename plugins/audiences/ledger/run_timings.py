"""How long the steps of a run took, and how long each waited before it began; no decision depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.ledger.database import Ledger

QUEUED: Final = "_queued"
"""Ends the names of waits: `plan_queued` are the seconds from the end of the step before until `plan` began."""


def note(ledger: Ledger, run: int, seconds: Mapping[str, float], *, queued: float | None = None) -> None:
    """Add up the seconds of steps that one process has just done, one after the other; tries and mapped tasks add up.

    The first of them was `queued` so many seconds; by default since the step before ended, if there was one.
    """
    first, spent = next(iter(seconds)), sum(seconds.values())
    ledger.sql.execute(
        """
        with before as (
            select id, timings, greatest(0, coalesce(%(queued)s::float8,
                extract(epoch from clock_timestamp() - step_ended_at)::float8 - %(spent)s, 0)) as queued
            from audiences.run where id = %(run)s for update
        ), added as (
            select b.id, jsonb_object_agg(each.key, round((each.value::float8
                + coalesce((b.timings ->> each.key)::float8, 0))::numeric, 3)) as timings
            from before b, jsonb_each_text(%(seconds)s || jsonb_build_object(%(wait)s::text, b.queued)) each
            group by b.id
        )
        update audiences.run r set timings = r.timings || added.timings, step_ended_at = clock_timestamp()
        from added where r.id = added.id
        """,
        {"run": run, "seconds": Jsonb(dict(seconds)), "spent": spent, "queued": queued, "wait": f"{first}{QUEUED}"},
    )


def of_run(ledger: Ledger, run: int) -> dict[str, float]:
    """What is on record, by step."""
    found = ledger.value(dict, "select timings from audiences.run where id = %(run)s", {"run": run}) or {}
    return {str(step): float(seconds) for step, seconds in found.items()}
