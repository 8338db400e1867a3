"""A column of raw values as the columns that are sent. Raw values go in and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from audiences.campaign.identifiers import FIELDS
from audiences.digests.hex_digits import from_hex
from audiences.what.identifiers import fast_paths
from audiences.what.identifiers.groups import by_group
from audiences.what.identifiers.hashing import sha256_column
from audiences.what.identifiers.home import stated_country
from audiences.what.identifiers.outcome import Reason
from audiences.what.identifiers.rule_table import RULES, answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.campaign.identifier_fields import Field
    from audiences.what.identifiers.outcome import Context


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a column becomes: by Facebook key, one cell per row, null where there is nothing to send.

    Cells are 32 bytes of SHA-256 (binary), or text for keys that are not hashed. `reasons` has, as text, why a row that
    held a value gets no cell, and null for all others.
    """

    columns: Mapping[str, pa.Array]
    reasons: pa.Array

    @property
    def rejected(self) -> dict[str, int]:
        """The rows that held a value and get no cell, by reason."""
        return {count["values"]: count["counts"] for count in pc.value_counts(self.reasons.drop_null()).to_pylist()}

    @property
    def values(self) -> pa.Array:
        """The cells of a field with a single key."""
        (cells,) = self.columns.values()
        return cells


def encode_column(
    name: str,
    values: pa.Array | pa.ChunkedArray,
    context: Context,
    countries: pa.Array | pa.ChunkedArray | None = None,
) -> Encoded:
    """The cells for a column of text, whole numbers, dates or times; `name` is one in `FIELDS`.

    `countries` has the country of each row, as people write countries; where one says nothing, that of the context
    counts. Raises KeyError for an unknown field and TypeError or ValueError for a column that cannot be read at all,
    always without a value in the text.
    """
    known = FIELDS[name]
    if context.pre_hashed and len(known.keys) > 1:
        message = f"`{name}` cannot be hashed before: Facebook wants {', '.join(known.keys)}, each hashed by itself"
        raise ValueError(message)
    texts = _texts(values)
    if known.by_country and countries is not None and not context.pre_hashed:
        answers = by_group(
            _stated(countries),
            texts,
            lambda stated, rows: _answers(known, rows, replace(context, country=stated or context.country)),
        )
    else:
        answers = _answers(known, texts, context)
    return Encoded(
        columns=_columns(known, answers.field("normalised"), pre_hashed=context.pre_hashed),
        reasons=answers.field("reason"),
    )


def _texts(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    readable = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    writable = (pa.types.is_integer, pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp)
    if not any(is_kind(kind) for is_kind in readable + writable):
        message = (
            f"identifiers are read from text, whole numbers, dates and times, not from {kind}; cast the column to text"
        )
        raise TypeError(message)
    texts = pc.cast(values, pa.string())
    if isinstance(texts, pa.ChunkedArray):
        texts = pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], pa.string())
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        message = "the column holds bytes that are not UTF-8; set the client encoding of the connection to UTF-8"
        raise ValueError(message) from None
    return texts


def _stated(countries: pa.Array | pa.ChunkedArray) -> pa.Array:
    encoded = _texts(countries).dictionary_encode()
    stated = [stated_country(written) for written in encoded.dictionary.to_pylist()]
    return pa.array(stated, pa.string()).take(encoded.indices)


def _answers(field: Field, texts: pa.Array, context: Context) -> pa.StructArray:
    """`normalised` and `reason` per text, both null for null."""
    normalised, reasons = _in_one_pass(field, texts, context), pa.nulls(len(texts), pa.string())
    undecided = pc.and_(texts.is_valid(), normalised.is_null())
    if pc.any(undecided).as_py():
        distinct = texts.filter(undecided).dictionary_encode()
        answers = [answer(field, text, context) for text in distinct.dictionary.to_pylist()]
        accepted = pa.array([None if isinstance(each, Reason) else each for each in answers], pa.string())
        refused = pa.array([each.value if isinstance(each, Reason) else None for each in answers], pa.string())
        normalised = pc.replace_with_mask(normalised, undecided, accepted.take(distinct.indices))
        reasons = pc.replace_with_mask(reasons, undecided, refused.take(distinct.indices))
    return pa.StructArray.from_arrays([normalised, reasons], names=["normalised", "reason"])


def _in_one_pass(field: Field, texts: pa.Array, context: Context) -> pa.Array:
    """The normalised text per value by the fast path, null where the rule has to look."""
    if field.hashed and context.pre_hashed:
        return fast_paths.hashes(texts, short_words=field.short_words)
    fast_path = RULES[field.name].fast_path
    return fast_path(texts, context) if fast_path else pa.nulls(len(texts), pa.string())


def _columns(field: Field, normalised: pa.Array, *, pre_hashed: bool) -> dict[str, pa.Array]:
    if parts := RULES[field.name].parts:
        cells = {key: pc.utf8_slice_codeunits(normalised, *parts[key]) for key in field.keys}
    else:
        cells = dict.fromkeys(field.keys, normalised)
    if not field.hashed:
        return cells
    return {
        key: from_hex(cell) if pre_hashed else sha256_column(cell, repeats=field.repeats) for key, cell in cells.items()
    }
