"""A ledger that is lent to one test after the other, with a campaign, its audience and a run in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.ledger.records import start

from audiences.ledger import campaigns, known_audiences
from audiences.ledger.database import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Databases

    from audiences.ledger.known_audiences import KnownAudience


@pytest.fixture
def ledger(databases: Databases) -> Iterator[Ledger]:
    with databases.ledger() as connection, Ledger(connection) as opened:
        yield opened


@pytest.fixture
def campaign(ledger: Ledger) -> int:
    return campaigns.number(ledger, "abandoned_cart")


@pytest.fixture
def other(ledger: Ledger) -> int:
    return campaigns.number(ledger, "other")


@pytest.fixture
def audience(ledger: Ledger, campaign: int) -> KnownAudience:
    return known_audiences.record(ledger, ad_account="act_1", facebook_id="23", name="Carts", created_for=campaign)


@pytest.fixture
def run(ledger: Ledger, campaign: int) -> int:
    return start(ledger, campaign)
