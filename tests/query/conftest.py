"""The rules as SQL are tried on the warehouses of the tests of `who`."""

from tests.who.conftest import Shop, shop, warehouse, who_database

__all__ = ["Shop", "shop", "warehouse", "who_database"]
