"""The tasks that ask people whether a campaign may send, by Airflow's human-in-the-loop operator.

The answer that Airflow hands to the operator goes into the ledger, where the step that sends verifies it. Nothing else that
Airflow keeps is taken for an answer: neither its record of answers nor an XCom, which others can write.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from audiences.airflow import lineage
from audiences.airflow.approvers import doubts_about_approvers
from audiences.airflow.operators import handed_over
from audiences.airflow.operators.live_batch import export_batch
from audiences.airflow.operators.previewing import preview_in_task, previewed
from audiences.airflow.operators.steps import StepOperator
from audiences.airflow.operators.upgrading import UpgradingOperator
from audiences.airflow.run_conf import DISPATCHED, LIVE_FORM, RunConf
from audiences.campaign.phrases import plain
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.approvals import ApprovalState, Question
    from audiences.pipeline.preconditions.approved import NotApprovedError
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef

ASK, APPROVE = "ask", "approve"
_SHOWN_BEFORE = "this DAG run has asked before, and Airflow goes on showing the figures and approvers of then"
_log = logger(__name__)


class AskOperator(StepOperator):
    """Counts what the run would do and puts the question on record; skipped where this version is approved already."""

    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Return the question's number."""
        from audiences.pipeline.steps.ask import ask

        context = get_current_context()
        extracted, selected = handed_over.extracted_of(context["ti"]), handed_over.selected_of(context["ti"])
        doubts = doubts_about_approvers(resources.spec.campaign.approval)
        question = ask(resources, run, extracted, selected, asked_in=str(context["run_id"]), doubts=doubts)
        if question is None:
            message = "this version of the campaign is approved"
            raise AirflowSkipException(message)
        return question.id


class AskingOperator(UpgradingOperator):
    """Waits for the answer to a question on record; holds neither a worker nor the triggerer meanwhile.

    There are no retries: each would repeat the question. There are no defaults either: nobody would have approved.

    :param spec: the campaign as its file says now.
    """

    ui_color = "#fff6dd"
    template_fields: Sequence[str] = ()

    def __init__(self, *, spec: CampaignSpec, **kwargs: Any) -> None:
        super().__init__(
            subject=f"May the campaign {plain(spec.campaign.name)} send?",
            retries=0,
            # Else tasks whose rule is `none_failed` would run after a no; teardowns are left out of it.
            ignore_downstream_trigger_rules=True,
            **kwargs,
        )
        self.spec = spec

    def put(self, context: Context, question: Question) -> None:
        """Show the question and wait for the answer, which ends this process. Raises NotApprovedError where Airflow cannot."""
        from audiences.ledger.approvals import ApprovalState

        approval, left = self.spec.campaign.approval, question.until - datetime.now(UTC)
        self.body = question.body
        self.assigned_users = [{"id": user, "name": user} for user in (approval.approvers if approval else ())]
        self.response_timeout = max(left, timedelta(seconds=1))
        if _on_show(self, context) != self.body:
            raise self.unsent(question, _SHOWN_BEFORE, ApprovalState.LAPSED)
        ApprovalOperator.execute(self, context)

    def approved(self, context: Context, question: Question, event: dict[str, Any]) -> bool:
        """Put the answer on record; whether it is a yes.

        Raises NotApprovedError for no answer in time, and when the file was edited meanwhile.
        """
        from audiences.ledger import approvals
        from audiences.ledger.approvals import ApprovalState
        from audiences.pipeline.resources import CampaignResources

        if event.get("error_type") == "timeout":
            until = question.until.astimezone(self.spec.zone)
            found = f"nobody answered before {until:%a %d %b %Y at %H:%M %Z} whether it may send"
            raise self.unsent(question, found, ApprovalState.UNANSWERED)
        answer = HITLOperator.execute_complete(self, context, event)
        user, yes = answer["responded_by_user"] or {}, bool(answer["chosen_options"] == [self.APPROVE])
        if self.spec.digest != question.digest:
            edited = "the campaign's file was edited after the question was asked"
            raise self.unsent(question, edited, ApprovalState.LAPSED)
        if not user.get("id"):
            raise self.unsent(question, "the answer came from nobody", ApprovalState.LAPSED)
        by, name = str(user["id"]), str(user.get("name") or user["id"])
        if not question.was_answered(approved=yes, by=by):  # before a pause of this task
            with CampaignResources(self.spec) as resources:
                approvals.answer(
                    resources.ledger, question.id, approved=yes, by=by, name=name, at=answer["responded_at"]
                )  # fmt: skip
        who = approvals.called(question.id, by=by, name=name)
        _log.info("%s by %s", "approved" if yes else "rejected", who)
        return yes

    def rejected(self, question: Question, event: dict[str, Any]) -> NotApprovedError:
        """Note that somebody said no."""
        from audiences.ledger.approvals import ApprovalState, called

        user = event["responded_by_user"]
        who = called(question.id, by=str(user["id"]), name=str(user.get("name") or user["id"]))
        return self.unsent(question, f"{who} rejected it", ApprovalState.REJECTED)

    def unsent(self, question: Question, found: str, became: ApprovalState) -> NotApprovedError:
        """Note why nothing is sent, and what became of the question."""
        from audiences.pipeline.preconditions.approved import not_approved
        from audiences.pipeline.resources import CampaignResources
        from audiences.pipeline.steps.ask import withdraw

        with CampaignResources(self.spec) as resources:
            error = not_approved(resources, found, question=became)
            withdraw(resources, question, error)
        return error


class ApproveOperator(AskingOperator):
    """Asks the question that the run has put on record."""

    def ask(self, context: Context) -> None:
        """Ask, and wait."""
        self.put(context, self._question(context))

    def take(self, context: Context, event: dict[str, Any]) -> Any:
        """Take the answer; after a no everything that follows is skipped, but for the closing of the run."""
        question = self._question(context)
        if not self.approved(context, question, event):
            self.rejected(question, event)
        return ApprovalOperator.execute_complete(self, context, event)

    def _question(self, context: Context) -> Question:
        """The question of this run, as the ledger has it."""
        from audiences.ledger import approvals
        from audiences.pipeline.preconditions.approved import not_approved
        from audiences.pipeline.resources import CampaignResources

        run = handed_over.run_of(context["ti"])
        with CampaignResources(self.spec) as resources:
            question = approvals.of_run(resources.ledger, run.run)
            if question is None:
                raise not_approved(resources, "the run has no question on record")
        return question


class ApprovedBatchOperator(AskingOperator):
    """Exports a batch of a live campaign as soon as somebody has approved this version of its file; one task all the same."""

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def ask(self, context: Context) -> Any:
        """Export, if this version is approved; else ask, and wait."""
        asked = self._conf(context)
        if asked.dry_run:
            return preview_in_task(self.spec, self.project, context, asked)
        question = self._question_of(context, asked)
        if question is None:
            return export_batch(self.spec, self.project, context, asked)
        return self.put(context, question)

    def take(self, context: Context, event: dict[str, Any]) -> Any:
        """Take the answer and export; after a no, or none in time, the batch waits and its events are kept."""
        from audiences.pipeline.live.question import asked_in, put_in_force, wait_on
        from audiences.pipeline.preconditions.approved import NotApprovedError
        from audiences.pipeline.resources import CampaignResources

        asked = self._conf(context)
        with CampaignResources(self.spec) as resources:
            question = asked_in(resources, str(context["run_id"]))
            try:
                if not self.approved(context, question, event):
                    raise self.rejected(question, event)
                put_in_force(resources, question)
            except NotApprovedError as error:
                wait_on(resources, asked.batch, error)
                raise
        return export_batch(self.spec, self.project, context, asked)

    def get_openlineage_facets_on_complete(self, _: Any) -> Any:
        """The audience that the batch went to, and the tables behind it; OpenLineage's provider asks for them."""
        return lineage.audience_written(self.spec)

    def _conf(self, context: Context) -> RunConf:
        return RunConf.of(self.spec.id, context["dag_run"].conf, *LIVE_FORM, *DISPATCHED)

    def _question_of(self, context: Context, asked: RunConf) -> Question | None:
        from audiences.pipeline.live.question import ask_live, needed, wait_on
        from audiences.pipeline.preconditions.approved import NotApprovedError
        from audiences.pipeline.resources import CampaignResources

        with CampaignResources(self.spec) as resources:
            try:
                if not needed(resources, asked.batch):
                    return None
            except NotApprovedError as error:
                wait_on(resources, asked.batch, error)
                raise
            found = previewed(self.spec, self.project, asked)
            doubts = doubts_about_approvers(self.spec.campaign.approval)
            return ask_live(resources, found, asked_in=str(context["run_id"]), batch=asked.batch, doubts=doubts)


def _on_show(operator: HITLOperator, context: Context) -> str | None:
    """Put the question to Airflow and give the text that it shows: of a task that was cleared, it keeps that of the first time.

    Airflow's own operator does not look at what comes back (contract: `tests/airflow/test_with_all_processes.py`).
    """
    from airflow.sdk.execution_time.comms import CreateHITLDetailPayload
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    payload = {
        "ti_id": context["ti"].id,
        "options": operator.options,
        "subject": operator.subject,
        "body": operator.body,
        "assigned_users": operator.assigned_users or [],
        "params": {},
    }
    shown: Any = SUPERVISOR_COMMS.send(msg=CreateHITLDetailPayload.model_validate(payload))
    body: str | None = shown.body
    return body
