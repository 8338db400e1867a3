"""The last look at a request before it leaves."""

from __future__ import annotations

import pyarrow as pa
import pytest

from audiences.errors import RefusedError
from audiences.pipeline.upload.request_body import request_payload
from audiences.what import rows
from audiences.what.changes import CHANGES


def changes(**columns: str) -> pa.Table:
    """One change whose row has these cells, sent as they are."""
    packed = rows.pack({"PHONE": pa.array([bytes(32)]), **{key: pa.array([text]) for key, text in columns.items()}})
    cells = {"action": ["add"], "user_id": ["1"], "identifiers": packed}
    return pa.table({name: cells.get(name, [None]) for name in CHANGES.names}, CHANGES)


def test_an_address_in_plain_text_is_refused_by_us_and_not_repeated_in_the_error():
    with pytest.raises(RefusedError, match="normalised and hashed before") as caught:
        request_payload(changes(EXTERN_ID="jane@example.com"), ("EXTERN_ID",))
    assert "jane" not in str(caught.value)


def test_what_may_leave_becomes_a_body():
    ready = request_payload(changes(EXTERN_ID="N1"), ("EXTERN_ID",))
    assert ready.schema == ("PHONE", "EXTERN_ID")
    assert b'"N1"' in ready.body
