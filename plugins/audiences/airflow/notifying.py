"""Tells people: from the step that closes a run, from a task that failed, from the daily upkeep, from a deadline.

What goes wrong here is told in the log and fails nothing. A notice is put on record and taken in the ledger before it is sent,
so that it is sent once although Airflow calls back twice for a worker that was killed, and sent later where nobody takes it now;
while the ledger does not answer it is sent all the same, since that may be the very thing to tell.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier

from audiences.airflow.failures import NotDoneError, cause_of
from audiences.airflow.harmless import harmless
from audiences.logs import logger
from audiences.notices import what_holds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audiences.campaign.notify import Notify
    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.notices import WaitingNotice
    from audiences.notices.notice import Notice
    from audiences.pipeline.resources import CampaignResources, Resources
    from audiences.pipeline.results import Summary

_log = logger(__name__)
_UNTOLD = "people could not be told"
_KILLED = "the task `{}` was ended from outside: killed, out of memory, or marked by hand; its log may say more"


class OnFailure(BaseNotifier):
    """Tells that a campaign's task failed for good; `on_failure_callback` of its tasks, on the worker where one is left.

    The step that closes a run tells of that run itself, with its counts.
    """

    def __init__(self, spec: CampaignSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec

    def notify(self, context: Any) -> None:
        """Tell it, once until the campaign succeeds again."""
        with harmless(_UNTOLD):
            notify, error = self.spec.notify, context.get("exception")
            cause = cause_of(error) if isinstance(error, BaseException) else None
            if isinstance(cause, NotDoneError) or _dry(context["dag_run"].conf):
                return
            notice = _failure(self.spec, cause, context["ti"].task_id)
            _tell(notify, notice, self.spec, link=getattr(context["ti"], "log_url", None))


class OnOwnFailure(BaseNotifier):
    """Tells that a task of one of the project's own DAGs failed for good, once a day for each campaign it was for."""

    def __init__(self, project: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def notify(self, context: Any) -> None:
        """Tell it to those whom the settings name."""
        from audiences.campaign.common_files import load_settings
        from audiences.campaign.project import Project

        with harmless(_UNTOLD):
            notify = load_settings(self.project).notify
            some = next(iter(Project.load(self.project).campaigns.values()), None)
            if some is None or not notify.somebody:
                return
            run, task, error = context["dag_run"], context["ti"].task_id, context.get("exception")
            reason, _ = _reason(cause_of(error) if isinstance(error, BaseException) else None, task)
            notice = what_holds.task_failed(
                dag=run.dag_id,
                task=task,
                campaign=getattr(context.get("task"), "campaign", None),
                reason=reason,
                day=run.run_after,
            )
            _tell(notify, notice, some, link=getattr(context["ti"], "log_url", None))


def tell_of_run(resources: CampaignResources, summary: Summary, *, link: str | None = None) -> None:
    """Tell what the run that has just ended brought to light, or made right again; `link` leads to it."""
    notify = resources.spec.notify
    if not notify.somebody:
        return
    with harmless(_UNTOLD):
        from audiences.pipeline.steps.due_notices import due_of_run

        _deliver(resources, [(each, notify) for each in due_of_run(resources, summary, link=link)])


def tell_of_accounts(project: Path) -> list[str]:
    """Ask each ad account after its token and API version, and tell what ends soon; the titles of what holds."""
    from audiences.campaign.common_files import load_settings
    from audiences.campaign.project import Project
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.steps.due_notices import due_of_account
    from audiences.pipeline.upkeep.check_accounts import check_accounts

    settings, specs = load_settings(project), Project.load(project).campaigns.values()
    some = next(iter(specs), None)
    if some is None or not settings.notify.somebody:
        return []
    found = []
    with CampaignResources(some) as resources:
        now = resources.now()
        for account, checks in check_accounts(settings, (), now=now).items():
            found += [notice.title for notice in what_holds.of_account(account, checks, settings.notify)]
            due = due_of_account(resources.ledger, account, checks, settings.notify, at=now)
            with harmless(_UNTOLD):
                _deliver(resources, [(each, settings.notify) for each in due])
    return found


def tell_late(project: Path) -> int:
    """Send what could not be sent before, of everything; how many notices it was about, sent now or still not."""
    from audiences.campaign.common_files import load_settings
    from audiences.campaign.files import on_file
    from audiences.campaign.project import Project
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.upkeep.late_notices import late_notices

    settings, specs = load_settings(project), Project.load(project).campaigns
    some = next(iter(specs.values()), None)
    if some is None:
        return 0
    with CampaignResources(some) as resources:
        late = late_notices(resources.ledger, settings, specs, on_file(project), at=resources.now())
        with harmless(_UNTOLD):
            _deliver(resources, late)
    return len(late)


async def deadline_missed(
    campaign: str, project: str = "", deadline: str = "", spec: str = "", context: Any = None
) -> None:
    """Airflow calls this in the triggerer when a run has not ended in time; beside its event loop, since mail takes a while.

    `spec` is the campaign as JSON, since the triggerer may not have its file; `project` its folder, of an earlier version.
    """
    run = (context or {}).get("dag_run") or {}
    await asyncio.to_thread(_deadline_missed, campaign, project, deadline, spec, run)


def _deadline_missed(campaign: str, project: str, deadline: str, told: str, run: dict[str, Any]) -> None:
    from audiences.campaign.project import Project
    from audiences.campaign.spec import CampaignSpec

    with harmless(_UNTOLD):
        # Of a run that has failed meanwhile people have been told already.
        if run.get("state") not in (None, "queued", "running") or _dry(run.get("conf")):
            return
        spec = CampaignSpec.model_validate_json(told) if told else Project.load_campaign(Path(project), campaign)
        if not spec.notify.wants("deadline_missed"):
            return
        run_id = str(run.get("dag_run_id", ""))
        notice = what_holds.deadline_missed(
            campaign=campaign,
            name=spec.campaign.name,
            deadline=deadline,
            run=run_id,
            asked_until=_asked_until(spec, run_id),
        )
        _tell(spec.notify, notice, spec)


def _asked_until(spec: CampaignSpec, run_id: str) -> str | None:
    """Until when the run waits for somebody to approve it, in words; None where it does not, or the ledger does not say."""
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.steps.due_notices import asked_until

    if spec.campaign.approval is None:
        return None
    with harmless("it is not known whether the run waits for an approval"), CampaignResources(spec) as resources:
        until = asked_until(resources, run_id)
        return f"{until.astimezone(spec.zone):%a %d %b %Y at %H:%M %Z}" if until else None
    return None


def _reason(cause: BaseException | None, task: str) -> tuple[str, bool]:
    """Why a task failed, in words that nobody's data is in, and whether a guard stopped it."""
    from audiences.errors import StoppedError
    from audiences.ledger.ledger_errors import as_ours

    ours = as_ours(cause) if isinstance(cause, Exception) else None
    if ours is not None:
        return str(ours), isinstance(ours, StoppedError)
    if cause is not None:
        return f"{type(cause).__name__} in the task `{task}`, whose log says more", False
    return _KILLED.format(task), False


def _failure(spec: CampaignSpec, cause: BaseException | None, task: str) -> Notice:
    from audiences.pipeline.preconditions.approved import NotApprovedError
    from audiences.pipeline.steps.due_notices import unapproved_of

    reason, stopped = _reason(cause, task)
    unapproved = unapproved_of(cause.question) if isinstance(cause, NotApprovedError) else None
    return what_holds.failure(
        subject=spec.id, name=spec.campaign.name, reason=reason, stopped=stopped, unapproved=unapproved
    )


def _tell(notify: Notify, notice: Notice, spec: CampaignSpec, *, link: str | None = None) -> None:
    """Tell what holds, and what could not be told before of the same, by the ledger; without one, what holds."""
    from audiences.airflow.senders import send
    from audiences.ledger import runs
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.steps.due_notices import due

    if not notify.wants(notice.condition):
        return
    notice = replace(notice, link=link)
    with CampaignResources(spec) as resources:
        try:
            found = due(resources.ledger, notice, at=resources.now())
        except Exception as error:  # noqa: BLE001  # whatever keeps it from answering
            _log.error("the ledger does not say what was told already, so it is told again: %s", runs.error_text(error))
            send(notify, notice)
            return
        _deliver(resources, [(each, notify) for each in found])


def _deliver(resources: Resources, due: Iterable[tuple[WaitingNotice, Notify]]) -> None:
    """Send each, one after the other: it is taken just before, so that the ledger's lease begins with the sending."""
    from audiences.airflow.senders import send
    from audiences.ledger import notices

    ledger, slow = resources.ledger, dict[str, str]()
    for waiting, notify in due:
        taken = notices.take(ledger, waiting.id, at=resources.now())
        if taken is not None:
            sent = send(notify, taken.notice, only=taken.ways, slow=slow)
            notices.put_back(ledger, taken.id, delivered=bool(sent.taken), undelivered=sent.failed, at=resources.now())


def _dry(conf: Any) -> bool:
    return isinstance(conf, dict) and conf.get("dry_run") is True
