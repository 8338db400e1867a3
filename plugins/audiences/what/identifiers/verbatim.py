"""Identifiers that are sent as they are: the shop's own id of a person, and the advertising id of a device."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from audiences.what.identifiers.outcome import Reason, RuleResult

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

LONGEST_EXTERNAL_ID: Final = 255
"""In bytes of UTF-8; what a packed row has room for."""

DEVICE_ID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NO_DEVICE: Final = "00000000-0000-0000-0000-000000000000"
"""What iOS and Android give an app when the person refuses to be tracked: it would stand for all of them."""


def external_id(text: str, _: Context) -> RuleResult:
    """As it is, case and all, so that a removal names what an addition named."""
    return text if len(text.encode()) <= LONGEST_EXTERNAL_ID else Reason.TOO_LONG


def device_id(text: str, _: Context) -> RuleResult:
    """A UUID in lower case with its hyphens; 32 digits without them may as well be an MD5."""
    lowered = text.lower()
    if lowered == NO_DEVICE:
        return Reason.PLACEHOLDER
    return lowered if re.fullmatch(DEVICE_ID, lowered) else Reason.NOT_A_DEVICE_ID
