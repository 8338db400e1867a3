"""A project over a shop, a ledger and a sandbox, and the answers about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.pipeline import conftest as pipeline

from audiences.campaign.project import Project
from audiences.ledger.database import Ledger
from audiences.reporting.overview import Overview, overview
from audiences.reporting.project_files import ProjectFiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pipeline.conftest import ProjectFolder, Shop

    from audiences.pipeline.results import Summary

sandbox_server, shop, project = pipeline.sandbox_server, pipeline.shop, pipeline.project  # fixtures
audiences = pipeline.command_line  # a fixture too


@dataclass
class Desk:
    """Where one asks: the shop whose campaigns run, and its project and ledger."""

    shop: Shop
    folder: ProjectFolder
    ledger: Ledger

    def write(self, campaign: str, text: str) -> None:
        self.folder.write(f"campaigns/{campaign}.yml", text)

    def files(self) -> ProjectFiles:
        return ProjectFiles.read(self.folder.path)

    def run(self, campaign: str, **more: Any) -> Summary:
        return self.shop.run(Project.load_campaign(self.folder.path, campaign), **more)

    def overview(self, **more: Any) -> Overview:
        return overview(self.files(), self.ledger, **{"now": self.shop.now, **more})


@pytest.fixture
def desk(shop: Shop, project: ProjectFolder) -> Iterator[Desk]:
    with Ledger(shop.connections["ledger"]) as ledger:
        for number in range(1, 5):
            shop.user(number, f"user{number}@example.com")
            shop.event(number)
        yield Desk(shop, project, ledger)
