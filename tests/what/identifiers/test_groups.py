from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from audiences.what.identifiers.groups import by_group


@given(
    rows=st.lists(st.tuples(st.sampled_from(["us", "de", "jp", None]), st.none() | st.text(max_size=3)), max_size=30)
)
def test_every_value_is_worked_on_under_its_label_and_comes_back_in_its_place(
    rows: list[tuple[str | None, str | None]],
):
    labels = pa.array([label for label, _ in rows], pa.string())
    values = pa.array([value for _, value in rows], pa.string())
    seen = []

    def work(label: str | None, group: pa.Array) -> pa.Array:
        seen.append(label)
        return pa.array([f"{label} {value}" for value in group.to_pylist()], pa.string())

    assert by_group(labels, values, work).to_pylist() == [f"{label} {value}" for label, value in rows]
    assert len(seen) == max(1, len({label for label, _ in rows}))
