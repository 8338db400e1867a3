"""The column that names users wherever rows travel: in staged files, in the difference, in and out of the ledger."""

from __future__ import annotations

import pyarrow as pa

USER_ID = pa.field("user_id", pa.string())
USERS = pa.schema([USER_ID])
