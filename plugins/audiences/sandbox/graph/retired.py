"""What Facebook takes from older apps only, on all versions since 4 November 2026, and what it means for those.

Refused to a new app: method override, several ids at once, date formatting, field aliases, JSONP, asynchronous batches. The
refusal's wording is ours, as Meta shows none. An old app may go on with what it used; that it did is taken for granted.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from audiences.sandbox.graph.error_table import refuse

if TYPE_CHECKING:
    from audiences.sandbox.graph.call import Call
    from audiences.sandbox.objects import AccessToken

NEW_APPS_FROM: Final = date(2026, 11, 4)
_BY_PARAMETER: Final = {
    "method": "HTTP method override",
    "ids": "A request for several ids",
    "date_format": "Date formatting",
    "callback": "JSONP",
}
_ASYNCHRONOUS: Final = frozenset({"async_batch_requests", "asyncadrequestsets"})
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")
_CALLBACK: Final = re.compile(r"[A-Za-z_$][\w$.]{0,99}")
# The letters of PHP's `date`, as far as anybody asks Facebook for them.
_LETTERS: Final = {"Y": "%Y", "m": "%m", "d": "%d", "H": "%H", "i": "%M", "s": "%S", "O": "%z", "D": "%a", "M": "%b"}


def used(call: Call) -> list[str]:
    """The retired features of this call, in words."""
    found = [words for name, words in _BY_PARAMETER.items() if name in call.params]
    if any(".as(" in field for field in call.fields()):
        found.append("A field alias")
    if call.edge in _ASYNCHRONOUS:
        found.append("An asynchronous batch")
    return found


def require_old_app(call: Call, token: AccessToken) -> None:
    """Raise 100 when the token's app is too new for what the call makes use of."""
    if call.entry.retired and token.app_created >= NEW_APPS_FROM:
        refuse("ids_removed" if "ids" in call.params else "retired", feature=call.entry.retired[0])


def formatted(call: Call, answer: Any) -> Any:
    """The answer with its times as `date_format` asks for them."""
    wanted = call.text("date_format")
    return answer if wanted is None else _with_times(answer, wanted)


def callback(call: Call) -> str | None:
    """The function that the answer is to be wrapped in; raises 100 for what is no name of one."""
    name = call.text("callback")
    if name is not None and not _CALLBACK.fullmatch(name):
        refuse("invalid_param", text="Param callback must be the name of a function")
    return name


def _with_times(value: Any, wanted: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_times(part, wanted) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_times(part, wanted) for part in value]
    if isinstance(value, str) and _ISO.fullmatch(value):
        moment = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
        if wanted == "U":
            return int(moment.timestamp())
        return moment.strftime("".join(_LETTERS.get(letter, letter.replace("%", "%%")) for letter in wanted))
    return value
