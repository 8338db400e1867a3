"""The project as a process sees it: API server, triggerer and each worker may have it at another path, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import audiences


def project_here() -> Path:
    """The folder with `campaigns/` and `include/`: by AUDIENCES_PROJECT, else the one in which `plugins/` lies.

    It may not be there. No path of one machine is passed to another.
    """
    return Path(os.environ.get("AUDIENCES_PROJECT") or Path(audiences.__file__).resolve().parents[2])
