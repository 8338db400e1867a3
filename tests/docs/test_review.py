"""The workflow that `docs/review.md` shows: its commands do what the page says, as far as that needs no GitHub."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
(TEXT,) = re.findall(r"## In a pull request\n.*?```yaml\n(.*?)```", (ROOT / "docs/review.md").read_text(), re.DOTALL)
JOB: dict[str, Any] = yaml.safe_load(TEXT)["jobs"]["diff"]


def test_the_comparison_writes_the_report_and_leaves_a_failure_to_the_last_step(tmp_path: Path) -> None:
    run = {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    git = ("git", "-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    for part in ("campaigns", "include"):
        (tmp_path / part).mkdir()
        for file in (ROOT / part).glob("*.yml"):
            (tmp_path / part / file.name).write_bytes(file.read_bytes())
    (tmp_path / ".gitignore").write_text(".venv\n")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    for command in (
        ("init", "-qb", "main"),
        ("add", "-A"),
        ("commit", "-qm", "x"),
        ("update-ref", "refs/remotes/origin/main", "HEAD"),
    ):
        subprocess.run([*git, *command], **run)  # type: ignore[call-overload]  # one dictionary of different types
    next((tmp_path / "campaigns").glob("*.yml")).write_text("name: [")
    steps = {step["name"]: step for step in JOB["steps"] if "name" in step}
    secrets = dict.fromkeys(JOB["env"], "")  # as GitHub gives those that are not there
    environment = {**os.environ, **secrets, "GITHUB_BASE_REF": "main", "GITHUB_ENV": str(tmp_path / "env")}
    subprocess.run(["bash", "-e", "-c", steps["Compare"]["run"]], **run, env=environment)  # type: ignore[call-overload]  # as above
    assert "#### " in (tmp_path / "report.md").read_text()
    assert "its file is wrong" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "env").read_text() == "failed=1\n"
    last = subprocess.run(
        ["bash", "-e", "-c", JOB["steps"][-1]["run"]], env={**environment, "failed": "1"}, check=False
    )
    assert last.returncode == 1
