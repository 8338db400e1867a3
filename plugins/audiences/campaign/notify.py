"""Who is told, by which way, and of what: `notify` of the settings, and of a campaign where that says something else."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt

from audiences.campaign.base import ConnectionId, Name, Strict, as_tuple, each_once
from audiences.campaign.wording import shown

Condition = Literal[
    "failed",
    "stopped",
    "size_changed",
    "failed_share",
    "invalid_share",
    "small_audience",
    "deadline_missed",
    "token",
    "api_version",
    "recovered",
]
CONDITIONS: Final[tuple[Condition, ...]] = get_args(Condition)
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\()\[\]]+@[^\s@<>,;:\"\\()\[\]]+")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        message = f"{shown(value)} is not an e-mail address; write it alone, such as `crm@example.com`"
        raise ValueError(message)
    return value


Address = Annotated[Name, Field(max_length=254), AfterValidator(_address)]
Addresses = Annotated[
    tuple[Address, ...],
    Field(max_length=50),
    BeforeValidator(as_tuple, json_schema_input_type=Address | tuple[Address, ...]),
    AfterValidator(each_once),
]
Percentage = Annotated[StrictInt, Field(ge=1, le=100)]


class Notify(Strict):
    """Whom to tell of what needs a person. What a campaign leaves out is as in include/settings.yml."""

    email: Addresses = ()
    """E-mail addresses, by the Airflow connection `smtp_default` unless `smtp` names another one."""
    smtp: ConnectionId = "smtp_default"
    """The Airflow connection of the mail server, with `from_email` in its extra."""
    slack: ConnectionId | None = None
    """An Airflow connection of the type Slack Incoming Webhook; needs `apache-airflow-providers-slack`."""
    webhook: ConnectionId | None = None
    """An Airflow connection of the type HTTP; each notice is posted there as JSON."""
    about: Annotated[
        tuple[Condition, ...],
        BeforeValidator(as_tuple, json_schema_input_type=Condition | tuple[Condition, ...]),
        AfterValidator(each_once),
    ] = CONDITIONS
    """What to tell of; everything unless given, nothing with an empty list."""
    size_changed_by: Percentage = 30
    """`size_changed`: the audience grew or shrank in one run by more than this percentage."""
    failed_above: Percentage = 5
    """`failed_share`: more than this percentage of the users to be added were not."""
    invalid_above: Percentage = 5
    """`invalid_share`: Facebook could not use more than this percentage of the rows sent."""

    def overridden_by(self, other: Notify | None) -> Notify:
        """These, but for what `other` says itself."""
        return (
            self.model_copy(update={name: getattr(other, name) for name in other.model_fields_set}) if other else self
        )

    @property
    def somebody(self) -> bool:
        """Whether there is anybody to be told."""
        return bool((self.email or self.slack or self.webhook) and self.about)
