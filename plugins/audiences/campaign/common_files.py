"""The files that all campaigns of a project share: the warehouse catalog, the settings, the saved segments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from audiences.campaign.catalog import Catalog
from audiences.campaign.checks.campaign import SETTINGS
from audiences.campaign.checks.catalog_and_settings import catalog_findings, settings_findings
from audiences.campaign.checks.event_rules import CATALOG
from audiences.campaign.checks.finding import Findings
from audiences.campaign.problems import M, first_of, validate
from audiences.campaign.segments import Segments
from audiences.campaign.settings import Settings
from audiences.campaign.source import Document
from audiences.campaign.yaml_reader import read_document
from audiences.errors import ConfigError, Problem


class CommonFiles(NamedTuple):
    """What all campaigns refer to."""

    catalog: Catalog
    settings: Settings
    segments: Segments


def common_files(root: Path) -> CommonFiles:
    """Raises ConfigError with the problems of both files."""
    catalog, wrong_catalog = _shared_file(root, CATALOG, Catalog, catalog_findings)
    settings, wrong_settings = _shared_file(root, SETTINGS, Settings, settings_findings)
    if catalog is None or settings is None or wrong_catalog or wrong_settings:
        raise ConfigError((*wrong_catalog, *wrong_settings))
    return CommonFiles(catalog, settings, Segments(root, catalog))


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
