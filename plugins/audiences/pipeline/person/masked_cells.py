"""What people may see of the identifiers of a row."""

from __future__ import annotations

from audiences.campaign.identifiers import FIELDS
from audiences.redact import masked
from audiences.what import rows

# There are so few birthdays, names and places that the first digits of a hash tell which one it is.
_FEW = frozenset(key for field in FIELDS.values() if field.repeats for key in field.keys)


def masked_cells(packed: bytes) -> dict[str, str]:
    """By Facebook key, what may be shown of a packed row.

    Of the hash of an address or a number its first digits, of any other hash nothing, of a cell in plain its first character.
    """

    def shown(key: str, cell: str) -> str:
        if key in _FEW:
            return "…"
        return masked(cell) if key in rows.UNHASHED else f"{cell[:6]}…"

    return {key: shown(key, cell) for key, cell in rows.unpack(packed).items()}
