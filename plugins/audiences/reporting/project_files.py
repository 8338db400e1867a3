"""The project's files for a process that lives long: read once, and again when one of them has changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from audiences.campaign.common_files import load_settings
from audiences.campaign.file_states import FileState, states_in
from audiences.campaign.files import accounted_for, campaign_files, folders_read
from audiences.campaign.project import Project
from audiences.errors import ConfigError
from audiences.reporting.send_times import SendTimes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from audiences.campaign.settings import Settings
    from audiences.campaign.spec import CampaignSpec
    from audiences.errors import Problem


@dataclass(frozen=True)
class ProjectFiles:
    """A project as it was read, and what is asked of it again and again.

    `files` and `brands`: the file of each campaign, right or broken, and in whose folder it is, by id; `changed_at`: when it was
    written. `accounted_for`: the ids that have a file, or that a file takes over; `successors`: of each former id the campaign
    that names it. `unread`: the folders of brands that cannot be read; what is in them is not known, so any campaign that is
    nowhere else may be there.
    """

    project: Project
    settings: Settings | None
    files: Mapping[str, str]
    changed_at: Mapping[str, datetime]
    accounted_for: frozenset[str]
    successors: Mapping[str, str]
    brands: Mapping[str, str | None] = field(default_factory=dict)
    unread: tuple[Problem, ...] = ()
    times: SendTimes = field(default_factory=SendTimes, repr=False)
    _digests: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, root: Path) -> ProjectFiles:
        """Read the files now. Raises ConfigError if `campaigns/` itself cannot be read."""
        unread: list[Problem] = []
        found = campaign_files(root, unread)
        try:
            settings: Settings | None = load_settings(root)
        except ConfigError:
            settings = None
        project = Project.load(root)
        return cls(
            project=project,
            settings=settings,
            files={stem: files[0].name for stem, files in found.items()},
            changed_at={stem: _changed_at(files[0].path) for stem, files in found.items()},
            brands={stem: files[0].brand for stem, files in found.items()},
            accounted_for=accounted_for(root, unread),
            successors={old: name for name, spec in project.campaigns.items() for old in spec.campaign.formerly},
            unread=tuple(dict.fromkeys(unread)),
        )

    @property
    def specs(self) -> Mapping[str, CampaignSpec]:
        """The campaigns whose files are right, by id."""
        return self.project.campaigns

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.project.root

    def problems(self, campaign: str) -> tuple[Problem, ...]:
        """What is wrong with the campaign's file, or with the folders in which it may be; nothing where it is right or gone."""
        if campaign not in self.files:
            return () if campaign in self.accounted_for else self.unread
        error = self.project.broken.get(self.files[campaign])
        return error.problems if error else ()

    def called_now(self, on_record: str) -> str:
        """The id of the campaign that the ledger has under this name: another one where its file was renamed and has not run."""
        return on_record if on_record in self.files else self.successors.get(on_record, on_record)

    def prepared(self) -> ProjectFiles:
        """The same with every digest computed, so that nobody who asks has to wait for a thousand of them."""
        for campaign in self.specs:
            self.digest(campaign)
        return self

    def digest(self, campaign: str) -> str:
        """The digest of a campaign that is right, computed once."""
        if campaign not in self._digests:
            self._digests[campaign] = self.specs[campaign].digest
        return self._digests[campaign]


class CachedProject:
    """Gives a project's files as they are, without reading them as long as none has changed; for several threads.

    Reading a thousand campaigns takes seconds. While one thread reads them, others get them as they were before.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._reading = Lock()
        self._read: tuple[frozenset[FileState], ProjectFiles] | None = None

    def current(self) -> ProjectFiles:
        """The files as they are now. Raises ConfigError for a folder that cannot be read."""
        now, known = fingerprint(self._root), self._read
        if known and known[0] == now:
            return known[1]
        if not self._reading.acquire(blocking=known is None):
            return known[1] if known else self.current()
        try:
            if self._read is None or self._read[0] != now:
                self._read = now, ProjectFiles.read(self._root).prepared()
            return self._read[1]
        finally:
            self._reading.release()


def fingerprint(root: Path) -> frozenset[FileState]:
    """What tells whether a file of the project was changed, added or taken away."""
    return states_in(folders_read(root))


def _changed_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)
