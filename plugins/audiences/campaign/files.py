"""The campaign files of a project by their ids, whatever is in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from audiences.campaign.base import STEM, as_tuple
from audiences.campaign.source import entries, files_by_stem, is_file, is_folder, named, read_text
from audiences.campaign.yaml_reader import parse
from audiences.errors import ConfigError, Problem

FOLDER = "campaigns"
SUFFIXES = (".yml", ".yaml")
_MOST_PARSED = 4_000_000  # characters, a few seconds


def campaign_files(root: Path) -> dict[str, list[Path]]:
    """The files under `campaigns/` by stem, which is the campaign's id if it can be one, and whatever else has such a name.

    Everything that looks for campaign files asks here. Raises ConfigError for a folder that cannot be read.
    """
    return files_by_stem(root / FOLDER, SUFFIXES, FOLDER)


def shared_files(root: Path) -> dict[str, list[Path]]:
    """The files under `include/` by stem: the catalog and the settings. Raises as above."""
    return files_by_stem(root / "include", SUFFIXES, "include")


def may_be_live(root: Path) -> bool:
    """Whether a campaign file says, or might say, `qualification: live`; in doubt it does, such as when it is no YAML.

    Files in which no such word can be are not parsed, and no more of the others than takes a moment.
    """
    try:
        paths = [path for paths in campaign_files(root).values() for path in paths]
    except ConfigError:
        return True
    left = _MOST_PARSED
    for path in paths:
        try:
            text = read_text(path, named(FOLDER, path))
        except ConfigError:
            if is_file(path):
                return True
            continue
        if "live" in text or "\\" in text:  # in double quotes, a word may be written in escapes
            left -= len(text)
            if left < 0 or _says_live(text):
                return True
    return False


def not_read(root: Path) -> Iterator[Problem]:
    """Warnings of what lies in `campaigns/` and looks like campaigns and is none by its name. Raises as above."""
    for path in entries(root / FOLDER, FOLDER):
        file, name = named(FOLDER, path), path.name.lower()
        if name.startswith((".", "__")) or name.endswith(SUFFIXES):
            continue
        if name.rstrip(" .").removesuffix(".txt").endswith(SUFFIXES):
            yield Problem(file, 0, 0, "", "not-read", "is not read, since its name does not end in .yml or .yaml")
        elif is_folder(path):
            yield Problem(file, 0, 0, "", "not-read", f"folders inside {FOLDER}/ are not read; move its files up")


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
    return former_ids(root) | frozenset(stem for stem in campaign_files(root) if STEM.fullmatch(stem))


def _formerly(path: Path) -> list[str]:
    file = named(FOLDER, path)
    with suppress(ConfigError):  # the file's own mistake, which is told where campaigns are loaded
        text = read_text(path, file)
        former = parse(text, file).data.get("formerly", ()) if "formerly" in text else ()
        return [old for old in as_tuple(former) if isinstance(old, str)]
    return []


def _says_live(text: str) -> bool:
    try:
        return bool(parse(text, FOLDER).data.get("qualification") == "live")
    except ConfigError:
        return "live" in text
