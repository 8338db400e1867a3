"""A later version of the product, which knows a ledger that the one of this checkout does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.ledger.migrate import NEWEST

if TYPE_CHECKING:
    from tests.distributed.machines import Machine

NEWER: Final = f"{int(NEWEST) + 1:04d}"
"""The revision of its ledger."""
_VERSIONS: Final = "plugins/audiences/ledger/migrations/versions"
_MIGRATION: Final = f"""
from alembic import op

revision = "{NEWER}"
down_revision = "{NEWEST}"


def upgrade() -> None:
    op.execute("alter table audiences.campaign add column of_a_later_version text")
"""


def upgrade(machine: Machine, seconds: float) -> None:
    """As `docker compose up` with a later image: what runs there ends its work, and the later version begins."""
    machine.stop(seconds)
    (machine.home / _VERSIONS / f"{NEWER}_of_a_later_version.py").write_text(_MIGRATION)
    machine.start()


def migrate(machine: Machine) -> None:
    """As `airflow-init` does it, in the version that the machine has now."""
    done = machine.run(["audiences", "ledger", "migrate"])
    assert f"revision {NEWER}" in done.stdout, done
