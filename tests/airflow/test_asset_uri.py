"""Assets that a campaign runs after, as Airflow's own class `Asset` has them: the contract of `campaign/asset_uri.py`."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.e2e
URIS = [
    "s3://lake/orders",
    "S3://Lake/Orders//",
    "FACEBOOK://act_1/a%20b/?b=2&a=1#part",
    "facebook:act_1",
    "orders:",
    "x-Ours://A/",
    "//host/path",
    "1:2",
    "file:///data/x/",
    "airflow://x",
    "http://[::1",
    "http://\u2100/x",
    "s3://lake/" + "x" * 1491,
    "postgres://db/shop/public/orders",
    "postgresql://me@db:6432/shop//orders/",
    "postgres://db:/shop/public/orders",
    "postgres://shop/orders",
    "postgres:///shop/public/orders",
    "postgres://db:port/shop/public/orders",
]
COMPARE = f"""
import json
from airflow.sdk import Asset
from audiences.campaign.asset_uri import as_stored

def taken(read, uri):
    try:
        return read(uri)
    except ValueError:
        return None

def airflows(uri):
    return Asset(name="x", uri=uri).uri

found = [[uri[:40], taken(airflows, uri), taken(as_stored, uri)] for uri in {URIS!r}]
print("RESULT" + json.dumps(found))
"""


def test_what_airflow_refuses_is_refused_by_validation_and_the_rest_is_one_spelling(airflow):
    said = airflow.code(COMPARE)
    assert "RESULT" in said, said
    found = json.loads(said.split("RESULT", 1)[1].splitlines()[0])
    assert [uri for uri, theirs, ours in found if theirs != ours] == []
    assert sum(theirs is None for _, theirs, _ in found) == 7
