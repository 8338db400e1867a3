"""The campaign files of a project by their ids, whatever is in them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from audiences.campaign.base import STEM, as_tuple
from audiences.campaign.reader import parse
from audiences.campaign.source import files_by_stem, read_text
from audiences.errors import ConfigError

FOLDER = "campaigns"
SUFFIXES = (".yml", ".yaml")


def campaign_files(root: Path) -> dict[str, list[Path]]:
    """The files under `campaigns/` by stem, which is the campaign's id. Raises ConfigError for a folder that cannot be read."""
    return files_by_stem(root / FOLDER, SUFFIXES, FOLDER)


def former_ids(root: Path) -> frozenset[str]:
    """What campaign files name under `formerly`, those with mistakes too as far as they can be read. Raises as above."""
    return frozenset(
        old
        for paths in campaign_files(root).values()
        for path in paths
        for old in _formerly(path)
        if STEM.fullmatch(old)
    )


def accounted_for(root: Path) -> frozenset[str]:
    """The ids that have a file, or that a file takes over; any other campaign of the ledger is without one. Raises as above."""
    return former_ids(root) | frozenset(campaign_files(root))


def _formerly(path: Path) -> list[str]:
    with suppress(ConfigError):  # the file's own mistake, which is told where campaigns are loaded
        text = read_text(path, path.name)
        named = parse(text, path.name).data.get("formerly", ()) if "formerly" in text else ()
        return [old for old in as_tuple(named) if isinstance(old, str)]
    return []
