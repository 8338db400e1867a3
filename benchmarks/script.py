"""(a) The script people write today: pandas.read_sql, pandas filters, apply(hashlib), the SDK's add_users."""

from __future__ import annotations

import hashlib
import os

import pandas as pd
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.customaudience import CustomAudience
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession
from sqlalchemy import create_engine

from benchmarks.contender import report
from benchmarks.world import QUALIFIED


def sha256(text: str) -> str:
    """The hex digest of a value."""
    return hashlib.sha256(text.encode()).hexdigest()


def work() -> dict[str, object]:
    """Everybody who qualifies, uploaded."""
    session = FacebookSession("1234567890", "sandbox-secret", "sandbox-token")
    session.GRAPH = os.environ["BENCH_SANDBOX"]
    api = FacebookAdsApi(session, api_version="v26.0")
    audience = AdAccount("act_1001", api=api).create_custom_audience(
        params={"name": "Script", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
    )
    engine = create_engine(os.environ["BENCH_SHOP"].replace("postgresql://", "postgresql+psycopg://"))
    users = pd.read_sql(QUALIFIED, engine)
    users = users[users.customer_type.isin(["Silver", "Gold", "Platinum", "Bronze"]) & ~users.opted_out]
    users["email"] = users.email.str.strip().str.lower().apply(sha256)
    users["phone"] = users.phone.str.replace(r"\D", "", regex=True).apply(sha256)
    rows = users[["email", "phone"]].to_numpy().tolist()
    schema = [CustomAudience.Schema.MultiKeySchema.email, CustomAudience.Schema.MultiKeySchema.phone]
    for first in range(0, len(rows), 10_000):
        audience.add_users(schema, rows[first : first + 10_000], is_raw=True, pre_hashed=True)
    return {"rows": len(rows), "requests": -(-len(rows) // 10_000)}


if __name__ == "__main__":
    report(work)
