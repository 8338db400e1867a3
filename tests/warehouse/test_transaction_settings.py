"""The settings of a transaction with the warehouse."""

from __future__ import annotations

import pytest

from audiences.warehouse.transaction_settings import TransactionSettings, WarehouseSettingError


def test_a_setting_that_has_not_come_about_is_refused():
    terms = TransactionSettings("UTC", "20s", snapshot=True)
    right = [value for _, value in terms.wanted]
    terms.ensure(right, place="here")
    for number, (name, _) in enumerate(terms.wanted):
        with pytest.raises(WarehouseSettingError, match=f"`{name}`"):
            terms.ensure([*right[:number], "wibble", *right[number + 1 :]], place="here")
