"""Which campaigns Airflow's DAG processor is given at a reading of their files, and which it was given not long ago.

Building, writing and comparing a DAG takes Airflow some ten milliseconds of CPU, at each reading and for each campaign, whether
its file has changed or not. A campaign that has not is given anew only so often that Airflow does not take it for gone, for which
see `[dag_processor] stale_dag_threshold`; a few of them at each reading. What was given when is kept in a file in AIRFLOW_HOME,
for one process of the DAG processor, so that a restart gives everything. Where it cannot be kept, everything is given each time.
After a reading that broke off everything is given as well: Airflow took all campaigns for gone then.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from airflow.configuration import AIRFLOW_HOME, conf

from audiences.airflow.parse_request import is_plain_reading
from audiences.campaign.file_states import state_of, states_in
from audiences.campaign.files import SHARED
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

_SLACK_SECONDS = 60.0
"""How long a reading may take, and Airflow to write down what it was given, at most."""
_OF_A_COMMIT = (".git/HEAD", ".git/index")
"""Change with each commit that a checkout goes to: a run keeps to the commit at which its DAG was given."""
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds between two readings; after which Airflow takes a DAG for gone; for which it may put off to write a change."""

    interval: float
    gone_after: float
    put_off: float

    @property
    def settled_after(self) -> float:
        """How long to give what has changed at each reading, so that Airflow has surely written it."""
        return self.put_off + _SLACK_SECONDS

    @property
    def again_after(self) -> float:
        """The age at which a campaign is given again whatever else there is to do; negative for at each reading."""
        return self.gone_after - self.interval - _SLACK_SECONDS

    def share(self, campaigns: int) -> int:
        """How many of the campaigns to give again at a reading, so that all had their turn twice before that."""
        return (
            math.ceil(campaigns * min(1.0, 2 * self.interval / self.again_after)) if self.again_after > 0 else campaigns
        )


class _Given(NamedTuple):
    """The state of a campaign's file as it was given, for the first and for the last time."""

    state: str
    first: float
    last: float


@dataclass
class Readings:
    """What was given at earlier readings.

    :param memory: the file in which that is kept; None gives everything, and keeps nothing.
    :param holds_for: the process, and the state of all files that campaigns share; another one has been given nothing.
        The memory is away until `keep`, so that nothing is left of a reading that does not come to its end.
    :param now: this reading's time, in seconds.
    """

    memory: Path | None
    holds_for: str
    now: float
    rhythm: Rhythm
    _given: dict[str, _Given] = field(default_factory=dict)
    _states: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Path, loader: Path) -> Self:
        """Those of the DAG processor that reads the DAG file `loader` at the moment; everybody else gets everything."""
        rhythm = Rhythm(
            conf.getfloat("dag_processor", "min_file_process_interval"),
            conf.getfloat("dag_processor", "stale_dag_threshold"),
            conf.getfloat("core", "min_serialized_dag_update_interval"),
        )
        if not is_plain_reading() or rhythm.again_after <= 0:
            return cls(None, "", time.time(), rhythm)
        name = hashlib.sha256(f"{project}\n{loader}".encode()).hexdigest()[:12]  # each DAG file is read by itself
        state = state_of_shared_files(project, loader)
        return cls(Path(AIRFLOW_HOME) / f"audiences-readings-{name}.json", f"{_reader()} {state}", time.time(), rhythm)

    def __post_init__(self) -> None:
        if self.memory is None:
            return
        try:
            kept = json.loads(self.memory.read_text())
            self.memory.unlink()
            if kept["holds_for"] == self.holds_for:
                self._given = {
                    campaign: _Given(str(state), float(first), float(last))
                    for campaign, (state, first, last) in kept["given"].items()
                }
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning(
                "every campaign is given to Airflow, since %s cannot be read: %s", self.memory, type(error).__name__
            )

    def due(self, campaigns: Mapping[str, Path]) -> list[str]:
        """Those to be given now, by their ids: what is new, what changed a moment ago, then what was given longest ago."""
        self._states = {campaign: _digest(state_of(file)) for campaign, file in campaigns.items()}
        self._given = {campaign: given for campaign, given in self._given.items() if campaign in campaigns}
        same = sorted((each for each in campaigns if self._is_same(each)), key=lambda each: self._given[each].last)
        young = [each for each in same if self.now - self._given[each].first < self.rhythm.settled_after]
        rest = [each for each in same if each not in set(young)]
        old = sum(not self.stands(each) for each in rest)
        new = [campaign for campaign in campaigns if not self._is_same(campaign)]
        return [*new, *young, *rest[: max(old, self.rhythm.share(len(campaigns)))]]

    def stands(self, campaign: str) -> bool:
        """Whether Airflow has the campaign as it is, and keeps it until the next reading."""
        return self._is_same(campaign) and self.now - self._given[campaign].last < self.rhythm.again_after

    def note(self, campaign: str) -> None:
        """The campaign is given."""
        first = self._given[campaign].first if self._is_same(campaign) else self.now
        self._given[campaign] = _Given(self._states[campaign], first, self.now)

    def keep(self) -> None:
        """Write down what was given."""
        if self.memory is None:
            return
        draft = self.memory.with_suffix(f".{os.getpid()}")
        try:
            draft.write_text(json.dumps({"holds_for": self.holds_for, "given": self._given}))
            draft.replace(self.memory)
        except OSError as error:
            _log.warning("every campaign is given to Airflow each time, since %s: %s", self.memory, error.strerror)

    def _is_same(self, campaign: str) -> bool:
        return campaign in self._given and self._given[campaign].state == self._states[campaign]


def state_of_shared_files(project: Path, loader: Path) -> str:
    """Changes when a file does on which all campaigns depend.

    The loader too: while it is gone or broken, Airflow takes all of its DAGs for gone.
    """
    alone = [state_of(each) for each in (loader, *(project / name for name in _OF_A_COMMIT))]
    return _digest(alone, sorted(states_in(project / each for each in SHARED)))


def _reader() -> str:
    """The process that has this one read, by its number and its start, since numbers come again."""
    import psutil

    return f"{os.getppid()} {psutil.Process(os.getppid()).create_time()}"


def _digest(*states: object) -> str:
    return hashlib.sha256(repr(states).encode("utf-8", "surrogateescape")).hexdigest()[:16]
