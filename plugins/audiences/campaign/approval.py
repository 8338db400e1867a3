"""Whether somebody must approve what a campaign sends, who may, and for how long the question stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from audiences.campaign.base import ShortName, Strict, as_tuple, each_once
from audiences.campaign.windows import Duration, Length
from audiences.campaign.wording import shown
from audiences.redact import harmless_line

DEADLINE: Final = Duration(1, "day")
"""How long a question stands where neither the campaign nor the settings say."""
_SHORTEST, _LONGEST = Duration(1, "minute"), Duration(7, "day")


def _within_bounds(value: Duration) -> Duration:
    if not _SHORTEST.seconds <= value.seconds <= _LONGEST.seconds:
        message = (
            f"{shown(str(value))} is no deadline; write {_SHORTEST} to {_LONGEST}: what was shown grows old meanwhile"
        )
        raise ValueError(message)
    return value


def _one_line(value: str) -> str:
    if harmless_line(value) != value:
        message = f"{shown(value)} cannot be the id of an Airflow user: it holds control characters or a line break"
        raise ValueError(message)
    return value


Approver = Annotated[ShortName, AfterValidator(_one_line)]


class Approval(Strict):
    """How an approval is asked for, in the Airflow UI. In the settings: what holds for campaigns that say nothing else."""

    short_form: ClassVar = {"enum": ["required", "none"]}

    deadline: Annotated[Length, AfterValidator(_within_bounds)] | None = None
    """How long the question stands, at most 7 days, by default 1 day; then the run ends and nothing is sent."""
    approvers: Annotated[
        tuple[Approver, ...],
        BeforeValidator(as_tuple, json_schema_input_type=Approver | tuple[Approver, ...]),
        AfterValidator(each_once),
    ] = ()
    """The ids of the Airflow users who may answer; by default everybody with the right to the DAG."""

    @property
    def stands_for(self) -> timedelta:
        """How long the question stands."""
        return timedelta(seconds=(self.deadline or DEADLINE).seconds)

    def or_else(self, settings: Approval | None) -> Approval:
        """This one, with what it does not say as in the settings."""
        if settings is None:
            return self
        given = {"deadline": self.deadline or settings.deadline, "approvers": self.approvers or settings.approvers}
        return Approval(**{key: value for key, value in given.items() if value})


def _long_form(value: Any) -> Any:
    if value == "none" or value is None:
        return None
    if value == "required":
        return Approval()
    if not isinstance(value, dict | Approval):
        message = f"{shown(value)} is neither `required` nor `none` nor a mapping such as `{{deadline: 8 hours}}`"
        raise ValueError(message)
    return value


def _as_written(value: Approval | None) -> Any:
    if value is None:
        return "none"
    return value.model_dump(mode="json", exclude_defaults=True) or "required"


RequiredApproval = Annotated[
    Approval | None,
    BeforeValidator(_long_form, json_schema_input_type=Literal["required", "none"] | Approval),
    PlainSerializer(_as_written),
]
"""What a campaign file says: `required`, `none`, or how it is asked for; None stands for `none`."""
