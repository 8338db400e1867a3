"""A campaign's file beside the version that ran last."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

import yaml

from audiences.ledger import run_records
from audiences.redact import harmless_json
from audiences.reporting.shape import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.database import Ledger


class FileDifference(Shown):
    """What changed since run `run`, as lines of a unified difference of both versions in one spelling, keys in order.

    `lines` are empty where the file says the same and something that it refers to has changed: a segment, the catalog, settings.
    """

    run: int
    lines: tuple[str, ...]


def file_difference(
    ledger: Ledger, spec: CampaignSpec, *, digest: str, run: int, run_digest: str
) -> FileDifference | None:
    """The file against what `run` recorded of it; None where that run was of this very version."""
    if run_digest == digest:
        return None
    before = _spelled(run_records.config_of(ledger, run))
    now = _spelled(spec.campaign.model_dump(mode="json", by_alias=True, exclude_unset=True))
    lines = unified_diff(before, now, fromfile=f"run {run}", tofile="the file", lineterm="", n=3)
    return FileDifference(run=run, lines=tuple(lines))


def _spelled(config: Mapping[str, object]) -> list[str]:
    text = yaml.safe_dump(dict(config), sort_keys=True, allow_unicode=True, width=100)
    return harmless_json(text).splitlines()
