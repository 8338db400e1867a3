"""A project folder to write into, with the catalog and settings of the sample project."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audiences.campaign.project import Project

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec

ROOT = Path(__file__).parents[2]

CAMPAIGN = """\
name: Test
who:
  did: {event: Charged}
what:
  audience:
    create: {name: Test}
when: now
"""


class Folder:
    """A project folder; `include/` as in the sample project, without its segments and campaigns."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "campaigns").mkdir()
        (root / "include" / "segments").mkdir(parents=True)
        for name in ("warehouse.yml", "settings.yml"):
            shutil.copy(ROOT / "include" / name, root / "include" / name)

    def write(self, path: str, content: str | bytes) -> None:
        """One file; text as UTF-8."""
        data = content.encode() if isinstance(content, str) else content
        (self.root / path).write_bytes(data)

    def campaign(self, text: str | bytes, name: str = "test.yml") -> None:
        """One campaign file."""
        self.write(f"campaigns/{name}", text)

    def who(self, text: str) -> None:
        """A campaign whose `who` is this YAML, each line indented by two."""
        lines = "".join(f"  {line}\n" for line in text.strip("\n").splitlines())
        self.campaign(f"name: Test\nwho:\n{lines}what: {{audience: {{create: {{name: Test}}}}}}\nwhen: now\n")

    def when(self, text: str) -> None:
        """A campaign whose `when` is this YAML in flow style."""
        self.campaign(
            "name: Test\nwho: {did: {event: Charged}}\n"
            f"what: {{audience: {{create: {{name: Test}}}}}}\nwhen: {text}\n"
        )

    def load(self) -> Project:
        """The project as it is now."""
        return Project.load(self.root)

    def spec(self, name: str = "test") -> CampaignSpec:
        """A campaign that must be right."""
        project = self.load()
        assert project.problems == ()
        return project.campaigns[name]

    def problems(self) -> list[str]:
        """Every problem as people see it."""
        return [str(problem) for problem in self.load().problems]

    def codes(self) -> list[str]:
        """The code of every problem."""
        return [problem.code for problem in self.load().problems]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
