"""What the tasks of a run hand over to each other, by XCom: the campaign, the run, and what the steps have found.

The campaign travels from `open_run` to the later steps as JSON, so a commit in the middle of a run changes nothing in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from audiences.campaign.spec import CampaignSpec
from audiences.errors import FailedError, RetryError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from audiences.pipeline.results import Extracted, Plan, RunRef, Selected

Model = TypeVar("Model", bound="BaseModel")
OPEN, EXTRACT, SELECT, PLAN, CLOSE = "open_run", "extract", "select", "plan", "close_run"
REMOVE, ADD, REMOVE_LATE = "remove", "add", "remove_late"
"""The ids of the tasks."""
SPEC, FOUND, PLANNED = "spec", "found", "planned"
"""The keys of XComs."""


@dataclass(eq=False)
class HandedOverError(RetryError):
    """What an earlier task handed over is of another version of the product. It passes: the next worker may have that version."""

    what: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"this version of the product cannot read the {self.what} that an earlier task of the run handed over "
            f"({', '.join(self.keys)}): that task was of another version, as in the middle of an upgrade. Nothing was done. "
            "Start what runs here in the version of the other workers; the task is tried again until a worker has it"
        )


@dataclass(eq=False)
class NothingHandedOverError(FailedError):
    """What an earlier task handed over is not there any more, so no worker can read it."""

    what: str

    def __str__(self) -> str:
        return (
            f"there is no {self.what}, which an earlier task of the run handed over as an XCom: it was removed, as `airflow db "
            "clean` does. Nothing was done. Clear the whole run, or trigger a new one"
        )


def read(model: type[Model], value: Any) -> Model:
    """A value as another task of the run has written it, as JSON or as plain data.

    Raises HandedOverError, and NothingHandedOverError for None.
    """
    if value is None:
        raise NothingHandedOverError(model.__name__)
    try:
        return model.model_validate_json(value) if isinstance(value, str) else model.model_validate(value)
    except ValidationError as error:
        # Of the keys alone: values may name users.
        keys = tuple(dict.fromkeys(".".join(map(str, each["loc"])) for each in error.errors(include_input=False)))
        raise HandedOverError(model.__name__, keys[:3]) from None


def spec_of(ti: Any) -> CampaignSpec:
    """The campaign as it was when the run was opened."""
    return read(CampaignSpec, ti.xcom_pull(task_ids=OPEN, key=SPEC))


def run_of(ti: Any) -> RunRef:
    """The run that was opened."""
    from audiences.pipeline.results import RunRef

    return read(RunRef, ti.xcom_pull(task_ids=OPEN))


def extracted_of(ti: Any) -> Extracted:
    """What was extracted."""
    from audiences.pipeline.results import Extracted

    return read(Extracted, ti.xcom_pull(task_ids=EXTRACT, key=FOUND))


def selected_of(ti: Any) -> list[Selected]:
    """What was selected of each shard."""
    from audiences.pipeline.results import Selected

    # Asked for in a list, or one shard would come bare; no shard at all comes as None.
    return [read(Selected, part) for part in ti.xcom_pull(task_ids=[SELECT]) if part is not None]


def planned_of(ti: Any) -> Plan | None:
    """What was planned, by `plan` or, of a small campaign, by `extract`; None where the run did not come so far."""
    from audiences.pipeline.results import Plan

    planned = ti.xcom_pull(task_ids=EXTRACT, key=PLANNED) or ti.xcom_pull(task_ids=PLAN, key=PLANNED)
    return read(Plan, planned) if planned else None
