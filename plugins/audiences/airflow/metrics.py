"""What runs came to, as metrics of Airflow's own: StatsD, OpenTelemetry or Datadog, whichever `[metrics]` is set to.

Each has two names: `audiences.users_added` with the tag `campaign`, which a plain StatsD server drops and so adds up over all
campaigns, and `audiences.users_added.<campaign>`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow.sdk.observability import stats

from audiences.airflow.failures import cause_of
from audiences.airflow.harmless import harmless
from audiences.errors import ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiences.notices.what_holds import Ended
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Summary


def of_summary(resources: CampaignResources, summary: Summary) -> None:
    """As `of_run`, by the run's summary and its requests on record."""
    from audiences.pipeline.steps.due_notices import ended

    with harmless("the metrics of the run could not be sent"):
        of_run(ended(resources, summary))


def of_run(run: Ended) -> None:
    """Count what a run that has ended added, removed, and could not send; how large its audience is.

    Where a metric cannot be sent, the log says so: no metric raises anything.
    """
    _incr(run.campaign, f"runs_{run.state}", 1)
    _incr(run.campaign, "users_added", run.added)
    _incr(run.campaign, "users_removed", run.removed)
    _incr(run.campaign, "users_failed", run.failed)
    _incr(run.campaign, "rows_invalid", run.unusable)
    _gauge(run.campaign, "members", run.members)


def live_lag(campaign: str, seconds: float) -> None:
    """How long the events of a batch waited after they were due."""
    _gauge(campaign, "live_lag_seconds", seconds)


@dataclass
class Throttled:
    """Sleeps as a session asks, and adds up for how long."""

    really: Callable[[float], None]
    seconds: float = 0.0

    def sleep(self, seconds: float) -> None:
        """Sleep, and remember it."""
        self.seconds += seconds
        self.really(seconds)


@contextmanager
def throttle_seconds(campaign: str, really: Callable[[float], None]) -> Iterator[Throttled]:
    """Count what a step waits for Facebook's limits: what it sleeps, and what it is put off by."""
    throttled = Throttled(really)
    try:
        yield throttled
    except BaseException as error:
        if isinstance(cause := cause_of(error), ThrottledError):
            throttled.seconds += cause.seconds
        raise
    finally:
        _incr(campaign, "throttle_seconds", round(throttled.seconds))


def _incr(campaign: str, name: str, count: int) -> None:
    if count:
        with harmless(f"the metric {name} could not be sent"):
            stats.incr(f"audiences.{name}", count=count, tags={"campaign": campaign})
            stats.incr(f"audiences.{name}.{campaign}", count=count)


def _gauge(campaign: str, name: str, value: float) -> None:
    with harmless(f"the metric {name} could not be sent"):
        stats.gauge(f"audiences.{name}.{campaign}", value)
        stats.gauge(f"audiences.{name}", value, tags={"campaign": campaign})
