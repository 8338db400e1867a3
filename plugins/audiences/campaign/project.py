"""A project folder as a whole: every campaign with all that it refers to, and everything that is wrong.

A broken campaign never keeps another one from loading; a broken catalog or settings file is reported once, and every
campaign says that it waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from pydantic import ValidationError

from audiences.campaign.base import STEM, STEM_RULE
from audiences.campaign.catalog import Catalog
from audiences.campaign.checks.audience import created_findings
from audiences.campaign.checks.campaign import SETTINGS, campaign_findings, campaign_warnings
from audiences.campaign.checks.catalog_and_settings import catalog_findings, settings_findings
from audiences.campaign.checks.event_rules import BLOCKED, CATALOG
from audiences.campaign.checks.finding import Findings
from audiences.campaign.checks.together import LoadedCampaign, formerly_findings, problems_together, warnings_together
from audiences.campaign.files import FOLDER, campaign_files, not_read
from audiences.campaign.goal import Goal
from audiences.campaign.model import Campaign
from audiences.campaign.problems import MOST_FINDINGS, M, first_of, validate
from audiences.campaign.segments import Segments
from audiences.campaign.settings import Settings
from audiences.campaign.source import Document, fail, named
from audiences.campaign.spec import CampaignSpec, SavedSegment
from audiences.campaign.what import What
from audiences.campaign.when import When
from audiences.campaign.who import Who
from audiences.campaign.wording import bare, did_you_mean, shown
from audiences.campaign.yaml_reader import read_document
from audiences.errors import ConfigError, Problem
from audiences.logs import logger

_log = logger(__name__)
RESERVED = ("audiences_live", "audiences_upkeep")  # the ids of the project's own DAGs


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

    @classmethod
    def load(cls, root: Path, *, time_is_up: Callable[[], bool] | None = None) -> Project:
        """Read a project. Whatever is wrong with its files is in the result; nothing is raised for it.

        With `time_is_up`, which says when to stop, saved segments that no campaign uses are not read, and campaigns are read
        in the order of their size; those that are left when time is up are in `broken` as not yet read.
        """
        try:
            files = campaign_files(root)
        except ConfigError as error:
            return cls(root, broken=_by_file(error))
        try:
            shared = _shared(root)
        except ConfigError as error:
            return cls(root, broken=_by_file(error) | _waiting(files, error))
        broken: dict[str, ConfigError] = {}
        loaded: dict[str, LoadedCampaign] = {}
        odd: list[Problem] = []
        for stem in files if time_is_up is None else sorted(files, key=lambda stem: _size(files[stem])):
            try:
                if time_is_up is not None and time_is_up():
                    not_yet_read(files[stem])
                loaded[stem] = _campaign(stem, files, shared)
            except ConfigError as error:
                broken |= _by_file(error)
            except Exception as error:  # noqa: BLE001  # a mistake of ours that one file brings to light must stay that file's own
                _log.exception("campaign %s cannot be checked", shown(stem))
                broken |= _by_file(_unforeseen(files[stem], error))
        loaded = {stem: loaded[stem] for stem in files if stem in loaded}
        for name in shared.segments.names if time_is_up is None else shared.segments.read:
            broken |= _by_file(ConfigError(shared.segments.problems(name)))
            odd += shared.segments.warnings(name)
        broken |= _by_file(ConfigError(tuple(problems_together(loaded))))
        right = {stem: each for stem, each in loaded.items() if each.document.file not in broken}
        return cls(
            root=root,
            campaigns={stem: each.spec for stem, each in right.items()},
            files={stem: each.document.file for stem, each in right.items()},
            broken=dict(sorted(broken.items())),
            warnings=tuple(
                sorted(
                    (*not_read(root), *shared.segments.not_read(), *odd, *warnings_together(right), *_warnings(right))
                )
            ),
        )

    @staticmethod
    def load_campaign(root: Path, campaign_id: str) -> CampaignSpec:
        """One campaign and what it refers to, without reading the others. Raises ConfigError."""
        files = campaign_files(root)
        if campaign_id not in files:
            near = did_you_mean(campaign_id, files)
            fail(FOLDER, "unknown-campaign", f"there is no campaign {shown(campaign_id)}{near}")
        return _campaign(campaign_id, files, _shared(root)).spec


def load_catalog(root: Path, file: str = CATALOG) -> tuple[Document, Catalog]:
    """The warehouse catalog and its file, without the rest of the project. Raises ConfigError."""
    catalog, problems = _shared_file(root, file, Catalog, catalog_findings)
    if catalog is None or problems:
        raise ConfigError(problems)
    return read_document(root / file, file), catalog


def load_settings(root: Path) -> Settings:
    """The settings that all campaigns share. Raises ConfigError."""
    settings, problems = _shared_file(root, SETTINGS, Settings, settings_findings)
    if settings is None or problems:
        raise ConfigError(problems)
    return settings


def warehouse_connection(root: Path) -> str:
    """The Airflow connection of the warehouse, also of a project without settings yet. Raises ConfigError."""
    if not (root / SETTINGS).exists():
        return str(Settings.model_fields["warehouse"].default)
    return load_settings(root).warehouse


def revived(root: Path, campaign_id: str, config: dict[str, Any]) -> CampaignSpec | None:
    """A campaign whose file is gone, from what a run recorded of it and today's settings; its segments are left out.

    None when the two no longer fit together. Raises ConfigError for broken settings.
    """
    catalog, settings, _ = _shared(root)
    with suppress(ValidationError, KeyError):
        return _assembled(campaign_id, Campaign.model_validate(config), catalog, settings, segments={})
    return None


class _Shared(NamedTuple):
    """What all campaigns refer to."""

    catalog: Catalog
    settings: Settings
    segments: Segments


def _shared(root: Path) -> _Shared:
    """Raises ConfigError with the problems of both files."""
    catalog, wrong_catalog = _shared_file(root, CATALOG, Catalog, catalog_findings)
    settings, wrong_settings = _shared_file(root, SETTINGS, Settings, settings_findings)
    if catalog is None or settings is None or wrong_catalog or wrong_settings:
        raise ConfigError((*wrong_catalog, *wrong_settings))
    return _Shared(catalog, settings, Segments(root, catalog))


def _shared_file(
    root: Path, file: str, model: type[M], check: Callable[[M], Findings]
) -> tuple[M | None, tuple[Problem, ...]]:
    try:
        document = read_document(root / file, file)
    except ConfigError as error:
        return None, error.problems
    read, problems = validate(document, model)
    if read is None or problems:
        return read, first_of(problems)
    return read, first_of(found.in_file(document) for found in check(read))


def _campaign(stem: str, folder: dict[str, list[Path]], shared: _Shared) -> LoadedCampaign:
    files = [named(FOLDER, path) for path in folder[stem]]
    if len(files) > 1:
        message = f"{' and '.join(files)} have one name; a campaign has one file"
        raise ConfigError(tuple(Problem(file, 0, 0, "", "same-name", message) for file in files))
    _check_id(stem, files[0])
    document = read_document(folder[stem][0], files[0])
    campaign, problems = validate(document, Campaign)
    readable = campaign or _sections(document)
    used = readable.who.segments()
    segments = {name: shared.segments.obstacle(name) if name in used else "" for name in shared.segments.names}
    named_formerly = [old for old in readable.formerly if old in folder]
    others = {name: named(FOLDER, folder[name][0]) for name in named_formerly}
    findings = [
        *islice(
            chain(
                campaign_findings(readable, shared.catalog, shared.settings, segments),
                formerly_findings(stem, readable, others),
                created_findings(stem, readable),
            ),
            MOST_FINDINGS,
        )
    ]
    if campaign is None or problems or findings:
        raise ConfigError(first_of((*problems, *(found.in_file(document) for found in findings))))
    return LoadedCampaign(_spec(stem, campaign, shared), document)


def _sections(document: Document) -> Campaign:
    """What can be checked further in a campaign with mistakes of shape: the sections that are right in themselves."""
    sections: dict[str, Any] = {"ad_account": document.data.get("ad_account", "main")}
    for key, model in (("who", Who), ("what", What), ("when", When), ("goal", Goal)):
        with suppress(ValidationError):
            sections[key] = model.model_validate(document.data.get(key))
    return Campaign.model_construct(**sections)


def _check_id(stem: str, file: str) -> None:
    """The stem is the DAG's id, a part of task parameters and of file names."""
    if not STEM.fullmatch(stem):
        fail(file, "bad-name", f"the file's name is the campaign's id and must be {STEM_RULE}; found {shown(stem)}")
    if stem in RESERVED:
        fail(file, "bad-name", f"{shown(stem)} is the name of one of the project's own DAGs; rename the file")


def _spec(stem: str, campaign: Campaign, shared: _Shared) -> CampaignSpec:
    return _assembled(stem, campaign, shared.catalog, shared.settings, shared.segments.needed(campaign.who.segments()))


def _assembled(
    stem: str, campaign: Campaign, catalog: Catalog, settings: Settings, segments: dict[str, SavedSegment]
) -> CampaignSpec:
    approval = {"approval": campaign.approval.or_else(settings.approval)} if campaign.approval else {}
    return CampaignSpec(
        id=stem,
        campaign=campaign.model_copy(update={"owner": campaign.owner or settings.owner, **approval}),
        segments=segments,
        catalog=catalog,
        account=settings.ad_accounts[campaign.ad_account],
        control_groups=settings.control_groups,
        timezone=campaign.when.timezone or settings.timezone or catalog.timezone,
        warehouse=settings.warehouse,
        ledger=settings.ledger,
        staging=settings.staging,
        notify=settings.notify.overridden_by(campaign.notify),
        deadline=campaign.deadline or settings.deadline,
    )


def _size(paths: list[Path]) -> int:
    """In bytes; what cannot be read takes no time."""
    try:
        return sum(path.stat().st_size for path in paths)
    except OSError:
        return 0


def not_yet_read(paths: list[Path]) -> NoReturn:
    """Raises ConfigError: there was no time for this campaign."""
    message = (
        "was not yet read: the files together take longer than Airflow's `[core] dagbag_import_timeout` leaves; raise that and "
        "`[dag_processor] dag_file_processor_timeout`, or make the largest files smaller"
    )
    raise ConfigError(tuple(Problem(named(FOLDER, path), 0, 0, "", "not-yet-read", message) for path in paths))


def _unforeseen(paths: list[Path], error: Exception) -> ConfigError:
    message = f"could not be checked, which is a mistake of this product: {type(error).__name__}: {bare(str(error))}"
    return ConfigError(tuple(Problem(named(FOLDER, path), 0, 0, "", "not-checked", message) for path in paths))


def _by_file(error: ConfigError) -> dict[str, ConfigError]:
    files = dict.fromkeys(problem.file for problem in error.problems)
    return {file: ConfigError(tuple(each for each in error.problems if each.file == file)) for file in files}


def _waiting(files: dict[str, list[Path]], error: ConfigError) -> dict[str, ConfigError]:
    """Every campaign, when a shared file is wrong."""
    culprits = " and ".join(dict.fromkeys(problem.file for problem in error.problems))
    message = f"cannot be checked before {culprits} is right; {error.problems[0]}"
    waiting = [named(FOLDER, path) for paths in files.values() for path in paths]
    return {file: ConfigError((Problem(file, 0, 0, "", BLOCKED, message),)) for file in waiting}


def _warnings(loaded: dict[str, LoadedCampaign]) -> Iterator[Problem]:
    for spec, document in loaded.values():
        yield from (found.in_file(document) for found in campaign_warnings(spec.campaign))
