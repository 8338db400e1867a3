"""The preflight as a part of every run: what a person must put right at Facebook is told before anybody is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from audiences.checklist import State
from audiences.errors import FixAccessError
from audiences.facebook import preflight_checks as facebook
from audiences.ledger import preflights

if TYPE_CHECKING:
    from audiences.pipeline.resources import CampaignResources

STANDS_FOR = timedelta(hours=1)
"""Live campaigns run every few minutes; a token or a permission lost in between shows in the run's first request."""


@dataclass(eq=False)
class PreflightError(FixAccessError):
    """Facebook would refuse the upload; a line for each reason, with its remedy."""

    ad_account: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"ad account {self.ad_account} is not ready, so nothing was looked for or sent. {' '.join(self.lines)}"


def preflight(resources: CampaignResources) -> tuple[str, ...]:
    """What a person should look at before long, in sentences; raises PreflightError for what stops a run.

    Three requests, at most once in STANDS_FOR for each ad account; the audience itself is read by every run.
    """
    account, now = resources.spec.account, resources.now()
    key = {"ad_account": account.id, "connection": account.connection}
    known = preflights.passed_since(resources.ledger, **key, since=now - STANDS_FOR)
    if known is not None:
        return known
    checks = facebook.run(resources.facebook, now=now, count_audiences=False)
    if failed := tuple(str(check) for check in checks if check.state is State.FAIL):
        raise PreflightError(ad_account=account.id, lines=failed)
    warnings = tuple(str(check) for check in checks if check.state is State.WARN and check.known)
    if all(check.known for check in checks):
        preflights.passed(resources.ledger, **key, at=now, warnings=warnings)
    return warnings
