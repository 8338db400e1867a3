"""A run up to its plan that leaves nothing behind, for those who only look."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audiences.pipeline.audience.on_record import as_if_opened
from audiences.pipeline.preconditions.readable_properties import naming_the_property
from audiences.pipeline.scope import EVERYBODY, UsersScope
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.select import select

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Extracted, RunRef, Selected


@contextmanager
def rehearsed(
    resources: CampaignResources, at: datetime, *, users: Sequence[str] | None = None
) -> Iterator[tuple[RunRef, Extracted, list[Selected]]]:
    """A run up to its plan, in a folder that goes away afterwards; of these users only, if they are given."""
    with tempfile.TemporaryDirectory(prefix="audiences-preview-") as folder:
        run = as_if_opened(resources, at, staging=folder)
        with naming_the_property(resources):
            extracted = extract(resources, run, scope=EVERYBODY if users is None else UsersScope(users))
        yield run, extracted, [select(resources, run, shard) for shard in extracted.shards]
