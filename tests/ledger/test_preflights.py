from __future__ import annotations

from datetime import timedelta

import pytest
from tests.ledger.records import NOON

from audiences.ledger import preflights

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)


def test_a_preflight_holds_for_its_account_and_connection_until_it_is_old(ledger):
    def since(at, account="act_1", connection="main"):
        return preflights.passed_since(ledger, ad_account=account, connection=connection, since=at)

    preflights.passed(ledger, ad_account="act_1", connection="main", at=NOON, warnings=["w"])
    assert since(NOON - MINUTE) == ("w",)
    assert since(NOON) is None
    assert since(NOON - MINUTE, account="act_2") is None
    assert since(NOON - MINUTE, connection="other") is None
    preflights.passed(ledger, ad_account="act_1", connection="main", at=NOON + MINUTE, warnings=[])
    assert since(NOON) == ()
