"""A project folder as a whole: every campaign with all that it refers to, and everything that is wrong.

A broken campaign never keeps another one from loading; a broken catalog or settings file is reported once, and every
campaign says that it waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from audiences.campaign.checks.campaign import campaign_warnings
from audiences.campaign.checks.catalog_and_settings import brand_warnings
from audiences.campaign.checks.event_rules import BLOCKED
from audiences.campaign.checks.together import (
    LoadedCampaign,
    problems_together,
    run_after_elsewhere,
    warnings_together,
)
from audiences.campaign.common_files import CommonFiles, common_files
from audiences.campaign.files import (
    FOLDER,
    CampaignPath,
    CampaignPaths,
    brands,
    campaign_files,
    campaign_of,
    not_read,
)
from audiences.campaign.left_out import by_file, not_yet_read, unforeseen, waiting
from audiences.campaign.model import Campaign
from audiences.campaign.read_campaign import assembled, read_campaign
from audiences.campaign.source import fail
from audiences.campaign.spec import CampaignSpec
from audiences.campaign.wording import choice, shown
from audiences.errors import ConfigError, Problem
from audiences.logs import logger

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Project:
    """Everything in a project folder, right and wrong.

    `campaigns` by id, `files` with the file of each; `broken` by file: campaigns, segments and shared files alike;
    `warnings` stop nothing.
    """

    root: Path
    campaigns: dict[str, CampaignSpec] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    broken: dict[str, ConfigError] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All there is to correct, in the order of files and lines; without what only waits for another file."""
        every = (problem for error in self.broken.values() for problem in error.problems)
        return tuple(sorted(problem for problem in every if problem.code != BLOCKED))

    @property
    def broken_campaigns(self) -> dict[str, ConfigError]:
        """What is wrong with the files of campaigns, by their ids."""
        return {of: error for file, error in self.broken.items() if (of := campaign_of(file)) is not None}

    @property
    def unread(self) -> dict[str, ConfigError]:
        """Folders of campaigns that cannot be read, by name: nobody knows which campaigns are in them."""
        folders = (
            FOLDER,
            *(file for file in self.broken if file.startswith(f"{FOLDER}/") and campaign_of(file) is None),
        )
        return {folder: self.broken[folder] for folder in folders if folder in self.broken}

    @classmethod
    def load(
        cls,
        root: Path,
        *,
        time_is_up: Callable[[], bool] | None = None,
        of: Callable[[str | None], bool] = lambda _: True,
    ) -> Project:
        """Read a project. Whatever is wrong with its files is in the result; nothing is raised for it.

        With `time_is_up`, which says when to stop, saved segments that no campaign uses are not read, and campaigns are read
        in the order of their size; those that are left when time is up are in `broken` as not yet read. `of` says of a brand,
        and of None for campaigns of none, whether its campaigns are read; of the others the names of the files are known.
        """
        unreadable: list[Problem] = []
        try:
            files = campaign_files(root, unreadable)
        except ConfigError as error:
            return cls(root, broken=by_file(error))
        wanted = [stem for stem, found in files.items() if any(of(each.brand) for each in found)]
        broken = by_file(ConfigError(tuple(each for each in unreadable if of(Path(each.file).name))))
        try:
            shared = common_files(root)
        except ConfigError as error:
            return cls(root, broken=broken | by_file(error) | waiting([files[stem] for stem in wanted], error))
        loaded, wrong = _campaigns(wanted, files, shared, time_is_up)
        broken |= wrong
        segments = shared.segments.names if time_is_up is None else shared.segments.read
        for name in segments:
            broken |= by_file(ConfigError(shared.segments.problems(name)))
        elsewhere = _elsewhere(loaded, files.keys() - {*wanted}, files, shared, time_is_up)
        broken |= by_file(ConfigError(tuple(problems_together(loaded, elsewhere))))
        right = {stem: each for stem, each in loaded.items() if each.document.file not in broken}
        return cls(
            root=root,
            campaigns={stem: each.spec for stem, each in right.items()},
            files={stem: each.document.file for stem, each in right.items()},
            broken=dict(sorted(broken.items())),
            warnings=tuple(sorted(_warnings(root, shared, segments, right))),
        )

    @staticmethod
    def load_campaign(root: Path, campaign_id: str) -> CampaignSpec:
        """One campaign and what it refers to, without reading the others. Raises ConfigError."""
        unreadable: list[Problem] = []
        files = campaign_files(root, unreadable)
        if campaign_id not in files and unreadable:
            message = f"there is no campaign {shown(campaign_id)} in the folders that can be read"
            raise ConfigError((Problem(FOLDER, 0, 0, "", "unknown-campaign", message), *unreadable))
        if campaign_id not in files:
            there = choice(campaign_id, sorted(files), called="there are")
            fail(FOLDER, "unknown-campaign", f"there is no campaign {shown(campaign_id)}{there}")
        return read_campaign(campaign_id, files, common_files(root)).spec


def revived(root: Path, campaign_id: str, config: dict[str, Any]) -> CampaignSpec | None:
    """A campaign whose file is gone, from what a run recorded of it and today's settings; its segments are left out.

    None when the two no longer fit together. Raises ConfigError for broken settings.
    """
    catalog, settings, _ = common_files(root)
    with suppress(ValidationError, KeyError):
        return assembled(campaign_id, Campaign.model_validate(config), catalog, settings, segments={})
    return None


def _campaigns(
    wanted: list[str], files: CampaignPaths, shared: CommonFiles, time_is_up: Callable[[], bool] | None
) -> tuple[dict[str, LoadedCampaign], dict[str, ConfigError]]:
    """The wanted campaigns that are right in themselves, by id and in their order; what is wrong with the others, by file."""
    loaded: dict[str, LoadedCampaign] = {}
    broken: dict[str, ConfigError] = {}
    for stem in wanted if time_is_up is None else sorted(wanted, key=lambda stem: _size(files[stem])):
        try:
            if time_is_up is not None and time_is_up():
                not_yet_read(each.name for each in files[stem])
            loaded[stem] = read_campaign(stem, files, shared)
        except ConfigError as error:
            broken |= by_file(error)
        except Exception as error:  # noqa: BLE001  # a mistake of ours that one file brings to light must stay that file's own
            _log.exception("campaign %s cannot be checked", shown(stem))
            broken |= by_file(unforeseen(files[stem], error))
    return {stem: loaded[stem] for stem in wanted if stem in loaded}, broken


def _elsewhere(
    loaded: Mapping[str, LoadedCampaign],
    others: Set[str],
    files: CampaignPaths,
    shared: CommonFiles,
    time_is_up: Callable[[], bool] | None,
) -> dict[str, LoadedCampaign]:
    """Those of the `others`, which are not wanted, that wanted ones run after. What is wrong with them is told where they are."""

    def load(stem: str) -> LoadedCampaign | None:
        try:
            is_up = time_is_up is not None and time_is_up()
            return read_campaign(stem, files, shared) if stem in others and not is_up else None
        except Exception:  # noqa: BLE001  # whatever it is, it is that file's own
            return None

    return run_after_elsewhere(loaded, load) if others else {}


def _size(files: list[CampaignPath]) -> int:
    """In bytes; what cannot be read takes no time."""
    try:
        return sum(file.path.stat().st_size for file in files)
    except OSError:
        return 0


def _warnings(
    root: Path, shared: CommonFiles, segments: Iterable[str], right: dict[str, LoadedCampaign]
) -> Iterator[Problem]:
    """What is worth a look and stops nothing: of files that nobody reads, of these `segments`, of right campaigns."""
    yield from not_read(root)
    yield from shared.segments.not_read()
    yield from brand_warnings(shared.settings, brands(root))
    for name in segments:
        yield from shared.segments.warnings(name)
    yield from warnings_together(right)
    for spec, document in right.values():
        yield from (found.in_file(document) for found in campaign_warnings(spec.campaign))
