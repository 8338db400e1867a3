"""The one step of the build that pyproject.toml cannot say: the SQL texts under include/sql go into the package."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent


class WithSqlTexts(build_py):
    """Copies include/sql to audiences/include_sql, where `audiences.sql` looks first."""

    def run(self) -> None:
        """Build; an editable installation reads include/sql itself."""
        super().run()
        if not self.editable_mode:
            inside = Path(self.build_lib) / "audiences" / "include_sql"
            shutil.copytree(HERE / "include" / "sql", inside, dirs_exist_ok=True)


setup(cmdclass={"build_py": WithSqlTexts})
