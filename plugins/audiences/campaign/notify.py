"""Who is told, by which way, and of what: `notify` and `deadline` of the settings, and of a campaign that says something else."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, model_validator

from audiences.campaign.base import ConnectionId, Name, PlacedError, Strict, as_tuple, each_once, written_twice
from audiences.campaign.windows import Duration, Length
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
WORTH_TELLING: Final[tuple[Condition, ...]] = ("failed", "stopped", "deadline_missed", "small_audience")
"""Of these it is told when they are over."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_SHORTEST, _LONGEST = Duration(1, "minute"), Duration(30, "day")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        message = f"{shown(value)} is not an e-mail address; write it alone, such as `crm@example.com`"
        raise ValueError(message)
    return value


def _no_mailbox_twice(values: tuple[str, ...]) -> tuple[str, ...]:
    if doubled := written_twice(values, key=str.lower):
        message = f"names {', '.join(map(shown, doubled))} more than once"
        raise ValueError(message)
    return values


def _within_bounds(value: Duration) -> Duration:
    if not _SHORTEST.seconds <= value.seconds <= _LONGEST.seconds:
        message = (
            f"{shown(str(value))} is no deadline of a run; write {_SHORTEST} to {_LONGEST}, or leave it out for none"
        )
        raise ValueError(message)
    return value


Deadline = Annotated[Length, AfterValidator(_within_bounds)]
Address = Annotated[Name, Field(max_length=254), AfterValidator(_address)]
Addresses = Annotated[
    tuple[Address, ...],
    Field(max_length=50),
    BeforeValidator(as_tuple, json_schema_input_type=Address | tuple[Address, ...]),
    AfterValidator(_no_mailbox_twice),
]
# More than all of them cannot be.
Share = Annotated[StrictInt, Field(ge=1, le=99)]
# An audience may well grow by more than it was.
Growth = Annotated[StrictInt, Field(ge=1, le=1000)]


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
    size_changed_by: Growth = 30
    """`size_changed`: the audience grew or shrank in one run by more than this percentage."""
    failed_above: Share = 5
    """`failed_share`: more than this percentage of the users to be added were not."""
    invalid_above: Share = 5
    """`invalid_share`: Facebook could not use more than this percentage of the rows sent."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if "recovered" in self.about and not set(WORTH_TELLING) & set(self.about):
            of = ", ".join(map(shown, WORTH_TELLING))
            message = f"`recovered` is told of what was told before; name one of {of} as well, or leave it out"
            raise PlacedError(message, "about")
        return self

    def overridden_by(self, other: Notify | None) -> Notify:
        """These, but for what `other` says itself."""
        return (
            self.model_copy(update={name: getattr(other, name) for name in other.model_fields_set}) if other else self
        )

    @property
    def somebody(self) -> bool:
        """Whether there is anybody to be told."""
        return bool((self.email or self.slack or self.webhook) and self.about)

    def wants(self, condition: str) -> bool:
        """Whether somebody is to be told of this."""
        return self.somebody and condition in self.about
