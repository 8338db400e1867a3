"""What a run was triggered with: the `conf` of its DAG run, whether from the form, by REST or by TriggerDagRunOperator.

Airflow takes any conf. A key that nobody reads would make a real run of `{"dryrun": true}`, so it is refused before
anything is opened. The conf itself is read and not `params`, which do not follow it where
`core.dag_run_conf_overrides_params` is off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from audiences.campaign.wording import choice, shown
from audiences.errors import FixConfigError
from audiences.pipeline.results import LIFTABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM, LIVE_FORM = ("dry_run", "full_refresh", "allow"), ("dry_run", "allow")  # a batch is not the whole set
DISPATCHED = ("batch", "events", "try")  # what the dispatcher of live campaigns adds
LIFTED_IN_FORM = tuple(guard for guard in LIFTABLE if guard != "past")
"""Airflow's runs are always as of now, so there is nothing to lift of it."""


@dataclass(eq=False)
class WrongConfError(FixConfigError):
    """A run was triggered with what its DAG does not know."""

    dag: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        found = "; ".join(self.problems)
        return f"nothing was opened or sent, since the run of `{self.dag}` was triggered with a wrong conf: {found}"


@dataclass(frozen=True, slots=True)
class RunConf:
    """A conf that was understood; `batch` is that of the dispatcher."""

    dry_run: bool = False
    full_refresh: bool = False
    allow: frozenset[str] = field(default_factory=frozenset)
    batch: int | None = None

    @classmethod
    def of(cls, dag: str, conf: Mapping[str, Any] | None, *keys: str) -> Self:
        """Read a conf that may hold these keys; raises WrongConfError with every problem found."""
        given = dict(conf or {})
        problems = [
            f"unknown key {shown(key)}{choice(key, keys, none='it takes none')}" for key in given if key not in keys
        ]
        problems += [
            f"`{key}` is true or false, found {shown(given[key])}"
            for key in ("dry_run", "full_refresh")
            if key in keys and key in given and not isinstance(given[key], bool)
        ]
        allow = given.get("allow") or []
        if not isinstance(allow, list | tuple):
            problems.append(f"`allow` is a list, found {shown(allow)}")
        else:
            problems += [
                f"`allow` has no guard {shown(guard)}{choice(guard, LIFTED_IN_FORM)}"
                for guard in allow
                if guard not in LIFTED_IN_FORM
            ]
        batch = given.get("batch")
        if batch is not None and (isinstance(batch, bool) or not isinstance(batch, int)):
            problems.append(f"`batch` is the number of a batch of events, found {shown(batch)}")
        if problems:
            raise WrongConfError(dag=dag, problems=tuple(problems))
        return cls(
            dry_run=given.get("dry_run", False),
            full_refresh=given.get("full_refresh", False),
            allow=frozenset(allow),
            batch=batch,
        )
