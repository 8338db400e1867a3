"""Tells people: from the step that closes a run, from a task that failed, from the daily upkeep, from a deadline.

What goes wrong here is told in the log and fails nothing. A notice is claimed in the ledger before it is sent, so that it is
sent once although Airflow calls back twice for a worker that was killed; while the ledger does not answer it is sent all the
same, since that may be the very thing to tell.
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
    from audiences.ledger.database import Ledger
    from audiences.notices.notice import Notice
    from audiences.pipeline.resources import CampaignResources, Resources
    from audiences.pipeline.results import Summary
    from audiences.pipeline.steps.due_notices import DueNotice

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
            if not notify.somebody or isinstance(cause, NotDoneError) or _dry(context["dag_run"].conf):
                return
            notice = _failure(self.spec, cause, context["ti"].task_id)
            _tell(notify, [notice], self.spec, link=getattr(context["ti"], "log_url", None))


class OnOwnFailure(BaseNotifier):
    """Tells that a task of one of the project's own DAGs failed for good, once a day for each campaign it was for."""

    def __init__(self, project: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def notify(self, context: Any) -> None:
        """Tell it to those whom the settings name."""
        from audiences.campaign.project import Project, load_settings

        with harmless(_UNTOLD):
            notify = load_settings(self.project).notify
            some = next(iter(Project.load(self.project).campaigns.values()), None)
            if some is None or not notify.somebody:
                return
            run, task, error = context["dag_run"], context["ti"].task_id, context.get("exception")
            about = getattr(context.get("task"), "campaign", None)
            name = f"The task {task} of {run.dag_id}{f' for {about}' if about else ''}"
            reason, _ = _reason(cause_of(error) if isinstance(error, BaseException) else None, task)
            told = what_holds.failure(subject=run.dag_id, name=name, reason=reason)
            _tell(notify, [replace(told, what=f"{task} {about or ''} {run.run_after:%Y-%m-%d}")], some)


def tell_of_run(resources: CampaignResources, summary: Summary, *, link: str | None = None) -> None:
    """Tell what the run that has just ended brought to light, or made right again; `link` leads to it."""
    notify = resources.spec.notify
    if not notify.somebody:
        return
    with harmless(_UNTOLD):
        from audiences.pipeline.steps.due_notices import due_of_run

        _send(resources.ledger, notify, due_of_run(resources, summary), resources, link=link)


def tell_of_accounts(project: Path) -> list[str]:
    """Ask each ad account after its token and API version, and tell what ends soon; the titles of what holds."""
    from audiences.campaign.project import Project, load_settings
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
            _send(resources.ledger, settings.notify, due, resources)
    return found


async def deadline_missed(campaign: str, project: str, deadline: str, context: Any = None) -> None:
    """Airflow calls this in the triggerer when a run has not ended in time; beside its event loop, since mail takes a while."""
    await asyncio.to_thread(_deadline_missed, campaign, project, deadline, (context or {}).get("dag_run") or {})


def _deadline_missed(campaign: str, project: str, deadline: str, run: dict[str, Any]) -> None:
    from audiences.campaign.project import Project

    with harmless(_UNTOLD):
        # Of a run that has failed meanwhile people have been told already.
        if run.get("state") not in (None, "queued", "running") or _dry(run.get("conf")):
            return
        spec = Project.load_campaign(Path(project), campaign)
        if spec.notify.somebody and "deadline_missed" in spec.notify.about:
            notice = what_holds.deadline_missed(
                campaign=campaign,
                name=spec.campaign.name,
                deadline=deadline,
                run=str(run.get("dag_run_id", "")),
            )
            _tell(spec.notify, [notice], spec)


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
    reason, stopped = _reason(cause, task)
    return what_holds.failure(subject=spec.id, name=spec.campaign.name, reason=reason, stopped=stopped)


def _tell(notify: Notify, holding: Iterable[Notice], spec: CampaignSpec, *, link: str | None = None) -> None:
    """Send what has not been sent, by the ledger; without one, all of it."""
    from audiences.ledger import runs
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.steps.due_notices import DueNotice, claimed

    wanted = [notice for notice in holding if notice.condition in notify.about]
    with CampaignResources(spec) as resources:
        try:
            due, ledger = claimed(resources.ledger, wanted, at=resources.now()), resources.ledger
        except Exception as error:  # noqa: BLE001  # whatever keeps it from answering
            _log.error("the ledger does not say what was told already, so it is told again: %s", runs.error_text(error))
            due, ledger = [DueNotice(None, notice) for notice in wanted], None
        _send(ledger, notify, due, resources, link=link)


def _send(
    ledger: Ledger | None, notify: Notify, due: Iterable[DueNotice], resources: Resources, *, link: str | None = None
) -> None:
    from audiences.airflow.senders import send
    from audiences.ledger import notices

    for number, notice in due:
        if send(notify, replace(notice, link=link)) and ledger is not None and number is not None:
            notices.sent(ledger, number, at=resources.now())


def _dry(conf: Any) -> bool:
    return isinstance(conf, dict) and conf.get("dry_run") is True
