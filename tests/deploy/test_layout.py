"""What an image without mounts and an installed wheel have: the package with all that it reads at run time."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

from tests.compose_files import PROJECT
from tests.image import laid_out

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {str(file.relative_to(PROJECT / "include" / "sql")): file for file in PROJECT.glob("include/sql/**/*.sql")}
PACKAGE = {
    str(file.relative_to(PROJECT / "plugins"))
    for file in PROJECT.glob("plugins/audiences/**/*")
    if file.is_file() and "__pycache__" not in file.parts
}
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def ensure_every_text_is_found(package: Path) -> None:
    """Read every SQL text by the look-up of that copy of the package."""
    spec = spec_from_file_location("copied_sql", package / "sql.py")
    copied = module_from_spec(spec)
    spec.loader.exec_module(copied)
    for name, file in TEXTS.items():
        assert copied.statement(name.removesuffix(".sql")) == file.read_text(encoding="utf-8")


def test_image_without_mounts_has_every_sql_text(tmp_path):
    laid_out(tmp_path)
    assert not (tmp_path / "include").exists()
    assert {str(file) for file in PACKAGE} <= {
        str(file.relative_to(tmp_path / "plugins")) for file in tmp_path.glob("plugins/audiences/**/*")
    }
    ensure_every_text_is_found(tmp_path / "plugins" / "audiences")


def test_a_mounted_project_of_another_version_changes_no_text_of_the_image(tmp_path):
    laid_out(tmp_path)
    mounted = tmp_path / "include" / "sql" / "live" / "form.sql"
    mounted.parent.mkdir(parents=True)
    mounted.write_text("select 'of a later version'")
    spec = spec_from_file_location("copied_sql", tmp_path / "plugins" / "audiences" / "sql.py")
    copied = module_from_spec(spec)
    spec.loader.exec_module(copied)
    assert copied.statement("live/form") == TEXTS["live/form.sql"].read_text(encoding="utf-8")
    assert copied.statement("goal/counted") == TEXTS["goal/counted.sql"].read_text(encoding="utf-8")


def test_wheel_holds_the_package_and_every_sql_text(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copy(PROJECT / name, source)
    for name in ("plugins/audiences", "include/sql"):
        shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert set(archive.namelist()) >= PACKAGE
        archive.extractall(tmp_path / "installed")
    ensure_every_text_is_found(tmp_path / "installed" / "audiences")


def test_every_statement_that_the_code_names_has_a_text():
    named = {
        name
        for file in PROJECT.glob("plugins/audiences/**/*.py")
        for name in re.findall(r'\bstatement\("([\w/]+)"\)', file.read_text(encoding="utf-8"))
    }
    assert named
    assert {f"{name}.sql" for name in named} <= set(TEXTS)
