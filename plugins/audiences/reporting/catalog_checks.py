"""The warehouse catalog, saved segments and the login held against the database, as `audiences catalog check` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.campaign.segments import FOLDER, Segments
from audiences.campaign.wording import dotted
from audiences.checklist import Check
from audiences.warehouse.catalog.check import check_catalog
from audiences.warehouse.catalog.check_login import check_login
from audiences.warehouse.catalog.check_segments import check_segments

if TYPE_CHECKING:
    from pathlib import Path

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.source import Document
    from audiences.campaign.spec import SavedSegment
    from audiences.warehouse.catalog.check import Line
    from audiences.warehouse.catalog.reflect import Glance

LOGIN: Final = "the login of the connection"


def catalog_checks(root: Path, document: Document, catalog: Catalog, glance: Glance) -> dict[str, list[Check]]:
    """Lines by what they are about: the catalog's file, the folder of segments, the login. It asks the warehouse."""
    return {
        document.file: [_placed(line, document) for line in check_catalog(catalog, glance)],
        FOLDER: list(check_segments(_saved(root, catalog), catalog, glance)),
        LOGIN: list(check_login(glance)),
    }


def _saved(root: Path, catalog: Catalog) -> dict[str, SavedSegment]:
    """The saved segments by file; of broken ones `validate` tells."""
    segments = Segments(root, catalog)
    return {segments.file(name): saved for name, saved in segments.needed(segments.names).items()}


def _placed(line: Line, document: Document) -> Check:
    """The line by the name of its entry; where something is to be done, with the entry's place in the file."""
    row, column = document.at(line.path)
    remedy = f"{document.file}:{row}:{column}: {line.remedy}" if line.remedy else ""
    return Check(dotted(line.path), line.state, line.found, remedy)
