"""Work that differs by a label, done once per label over whole columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable


def by_group(labels: pa.Array, values: pa.Array, work: Callable[[str | None, pa.Array], pa.Array]) -> pa.Array:
    """`work(label, values with that label)` for every label, its results in the order of the values.

    `labels` has one text or null per value; `work` gives one result per value, all of one type.
    """
    encoded = labels.dictionary_encode()
    names = [*encoded.dictionary.to_pylist(), None]
    codes = encoded.indices.fill_null(len(names) - 1).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes, minlength=len(names))
    if (counts > 0).sum() <= 1:
        return work(names[int(codes[0])] if len(codes) else None, values)
    order = np.argsort(codes, kind="stable")
    ordered = values.take(pa.array(order))
    starts = np.cumsum(counts) - counts
    results = [
        work(name, ordered.slice(start, count))
        for name, start, count in zip(names, starts.tolist(), counts.tolist(), strict=True)
        if count
    ]
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return pa.concat_arrays(results).take(pa.array(back))
