"""The campaign files of a project by their ids, whatever is in them: in `campaigns/`, and in the folder of each brand there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePath
from typing import NamedTuple

from audiences.campaign.base import STEM, as_tuple
from audiences.campaign.source import (
    entries,
    fail,
    files_by_stem,
    is_anything,
    is_file,
    is_folder,
    is_there,
    leads_out,
    named,
    read_text,
    real_path,
)
from audiences.campaign.wording import file_name
from audiences.campaign.yaml_reader import parse
from audiences.errors import ConfigError, Problem

FOLDER = "campaigns"
SHARED = ("include", "include/segments")
"""Where everything lies that campaigns share."""
SUFFIXES = (".yml", ".yaml")
_MOST_PARSED = 4_000_000  # characters, a few seconds


class CampaignPath(NamedTuple):
    """A campaign's file, and the brand in whose folder it lies; None for one right in `campaigns/`."""

    path: Path
    brand: str | None

    @property
    def name(self) -> str:
        """The file relative to the project, as messages name it: `campaigns/acme/carts.yml`."""
        return named(folder_name(self.brand), self.path)


CampaignPaths = dict[str, list[CampaignPath]]
"""By stem, which is the campaign's id if it can be one. It is unique over all brands, so each has one file if all is right."""


def campaign_files(root: Path, unreadable: list[Problem] | None = None) -> CampaignPaths:
    """The files of all campaigns by stem, and whatever else has such a name. Everything that looks for campaign files asks here.

    Raises ConfigError for a folder that cannot be read. Where `unreadable` is given, that of a brand goes there, and the others
    are found: for who must not take all campaigns offline for it, and not for who takes what is not found for gone.
    """
    found: list[tuple[str, CampaignPath]] = []
    for brand in (None, *brands(root)):
        try:
            stems = files_by_stem(_folder(root, brand), SUFFIXES, folder_name(brand))
        except ConfigError as error:
            if brand is not None and not STEM.fullmatch(brand):
                continue  # no campaign can be there; `lost+found` is such a folder
            if brand is None or unreadable is None:
                raise
            unreadable += error.problems
        else:
            found += [(stem, CampaignPath(path, brand)) for stem, paths in stems.items() for path in paths]
    files: CampaignPaths = {}
    for stem, file in sorted(found, key=lambda each: (each[1].path.name, each[1].name)):
        files.setdefault(stem, []).append(file)
    return files


def brands(root: Path) -> list[str]:
    """The names of the folders in `campaigns/`, each of which holds the campaigns of a brand. Raises as above.

    So is what is meant to be one: a link whose folder is away at the moment must not pass for campaigns that were deleted.
    A second name of a folder, as of `campaigns/` itself, is none, or each of its campaigns would be there twice.
    """
    return [path.name for path, is_second in _folders_inside(root) if not is_second]


def _folders_inside(root: Path) -> Iterator[tuple[Path, bool]]:
    """What may be the folder of a brand, and whether it is a link to one that is read under another name."""
    found = [
        path
        for path in entries(root / FOLDER, FOLDER)
        if not (_is_passed_over(path) or path.name.lower().endswith(SUFFIXES))
        and (is_folder(path) or (STEM.fullmatch(path.name) and is_there(path) and not is_anything(path)))
    ]
    links = [path for path in found if path.is_symlink()]
    read = {real_path(path) for path in [root / FOLDER, *found] if path not in links} if links else set()
    for path in found:
        is_second = path in links and real_path(path) in read
        if path in links:
            read.add(real_path(path))
        yield path, is_second


def folders_read(root: Path) -> list[Path]:
    """The folders whose files the project is made of, be they links to others; of folders inside them none is read."""
    with suppress(ConfigError):
        return [root / FOLDER, *(root / FOLDER / brand for brand in brands(root)), *(root / each for each in SHARED)]
    return [root / each for each in (FOLDER, *SHARED)]


def folder_name(brand: str | None) -> str:
    """The folder of a brand's campaigns relative to the project, as messages name it: `campaigns/acme`."""
    return FOLDER if brand is None else f"{FOLDER}/{file_name(brand)}"


def campaign_of(file: str) -> str | None:
    """The id, right or wrong, of the campaign whose file this is by its name in messages; None of a folder and any other file."""
    return PurePath(file).stem if file.startswith(f"{FOLDER}/") and file.lower().endswith(SUFFIXES) else None


def shared_files(root: Path) -> dict[str, list[Path]]:
    """The files under `include/` by stem: the catalog and the settings. Raises as above."""
    return files_by_stem(root / "include", SUFFIXES, "include")


def may_be_live(root: Path) -> bool:
    """Whether a campaign file says, or might say, `qualification: live`; in doubt it does, such as when it is no YAML.

    Files in which no such word can be are not parsed, and no more of the others than takes a moment.
    """
    try:
        files = [file for files in campaign_files(root).values() for file in files]
    except ConfigError:
        return True
    left = _MOST_PARSED
    for file in files:
        try:
            text = read_text(file.path, file.name)
        except ConfigError:
            if is_file(file.path):
                return True
            continue
        if "live" in text or "\\" in text:  # in double quotes, a word may be written in escapes
            left -= len(text)
            if left < 0 or _says_live(text):
                return True
    return False


def not_read(root: Path) -> Iterator[Problem]:
    """Warnings of what lies in `campaigns/` and looks like campaigns and is none by its name. Raises as above.

    What is in the folder of a brand that cannot be read is not told here.
    """
    for path, is_second in _folders_inside(root):
        if is_second:
            message = "is not read, since it is a link to a folder whose campaigns are read already"
            yield Problem(folder_name(path.name), 0, 0, "", "not-read", message)
    for brand in (None, *brands(root)):
        try:
            yield from _not_read_in(_folder(root, brand), brand)
        except ConfigError:
            if brand is not None and not STEM.fullmatch(brand):
                message = "cannot be read, and is passed over, since no brand can have this name"
                yield Problem(folder_name(brand), 0, 0, "", "not-read", message)


def _not_read_in(folder: Path, brand: str | None) -> Iterator[Problem]:
    for path in entries(folder, folder_name(brand)):
        file, name = named(folder_name(brand), path), path.name.lower()
        if _is_passed_over(path) or name.endswith(SUFFIXES):
            continue
        if name.rstrip(" .").removesuffix(".txt").endswith(SUFFIXES):
            yield Problem(file, 0, 0, "", "not-read", "is not read, since its name does not end in .yml or .yaml")
        elif brand is not None and is_folder(path):
            message = f"folders inside {folder_name(brand)}/, which is a brand's, are not read; move its files up"
            yield Problem(file, 0, 0, "", "not-read", message)


def former_ids(root: Path, unreadable: list[Problem] | None = None) -> frozenset[str]:
    """What campaign files name under `formerly`, those with mistakes too as far as they can be read.

    Raises as `campaign_files`, and takes `unreadable` as it does.
    """
    return frozenset(
        old
        for files in campaign_files(root, unreadable).values()
        for file in files
        for old in _formerly(file)
        if STEM.fullmatch(old)
    )


def accounted_for(root: Path, unreadable: list[Problem] | None = None) -> frozenset[str]:
    """The ids that have a file, or that a file takes over; any other campaign of the ledger is without one.

    Raises as `campaign_files`; with something in `unreadable` the others may have one.
    """
    there = frozenset(stem for stem in campaign_files(root, unreadable) if STEM.fullmatch(stem))
    return there | former_ids(root, None if unreadable is None else [])


def on_file(root: Path) -> frozenset[str] | None:
    """The same for who only tells of campaigns without a file: None where a folder cannot be read, so nobody knows."""
    with suppress(ConfigError):
        return accounted_for(root)
    return None


def _formerly(file: CampaignPath) -> list[str]:
    with suppress(ConfigError):  # the file's own mistake, which is told where campaigns are loaded
        text = read_text(file.path, file.name)
        former = parse(text, file.name).data.get("formerly", ()) if "formerly" in text else ()
        return [old for old in as_tuple(former) if isinstance(old, str)]
    return []


def _folder(root: Path, brand: str | None) -> Path:
    """Raises ConfigError for a link that leads out of the project, as for a file."""
    folder = root / FOLDER / (brand or "")
    if brand is not None and leads_out(folder, root):
        fail(folder_name(brand), "not-readable", "is a link that leads out of the project; put the folder itself here")
    return folder


def _is_passed_over(path: Path) -> bool:
    """Of editors, of Python, and of Kubernetes, which mounts files as links into such a folder."""
    return path.name.startswith((".", "__"))


def _says_live(text: str) -> bool:
    try:
        return bool(parse(text, FOLDER).data.get("qualification") == "live")
    except ConfigError:
        return "live" in text
