"""E-mail addresses: trimmed and lower-cased, nothing else; Facebook asks for no dot or plus folding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from audiences.what.identifiers.outcome import Reason, RuleResult

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

_ATOM: Final = r"[a-z0-9_!#$%&'*+/=?^`{|}~-]+"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"

PATTERN: Final = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}$"
"""A dot-atom before the `@` and two labels or more after it (RFC 5322, 3.4.1; RFC 1035, 2.3.1), for Python and RE2.

Facebook's own library takes the same addresses: no quotes, no comments, ASCII only, so that a domain outside ASCII
has to come in punycode.
"""

LONGEST: Final = 254
"""RFC 5321, 4.5.3.1.3, less the angle brackets."""

_ADDRESS: Final = re.compile(PATTERN.removesuffix("$") + r"\Z")


def email(text: str, _: Context) -> RuleResult:
    """A cleaned text as an address."""
    address = text.lower()
    return address if len(address) <= LONGEST and _ADDRESS.match(address) else Reason.NOT_AN_EMAIL
