"""A project of many campaigns of one kind: copies of the sample `abandoned_cart`, for what is measured through Airflow."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]


def cart(number: int) -> str:
    """The id of one of the campaigns, counted from 0."""
    return f"cart_{number:05d}"


def project_of_carts(project: Path, campaigns: int) -> Path:
    """Make the folder `project` with that many campaigns, none of which is due while it is measured."""
    (project / "campaigns").mkdir(parents=True)
    shutil.copytree(ROOT / "include", project / "include")
    text = (ROOT / "campaigns" / "abandoned_cart.yml").read_text()
    # At a time of the day that does not come meanwhile.
    at = datetime.now(UTC) + timedelta(hours=12)
    text = text.replace('at: "09:00"', f'at: "{at:%H:%M}"').replace("Asia/Kolkata", "UTC")
    for number in range(campaigns):
        named = text.replace("name: Abandoned_Cart", f"name: N{number}_Cart")
        (project / "campaigns" / f"{cart(number)}.yml").write_text(named)
    for name in ("dags", "plugins"):
        (project / name).symlink_to(ROOT / name)
    return project
