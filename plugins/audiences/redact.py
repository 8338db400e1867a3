"""Keeps secrets and personal data out of what others wrote, Facebook or a database, before it reaches an error or a log."""

from __future__ import annotations

import re

_LONGEST = 300
_E_MAIL = re.compile(r"[^\s@\"'<>,;:]+@[^\s@\"'<>,;:]+")
_HASH = re.compile(r"\b[0-9A-Fa-f]{32,}\b")
_TOKEN = re.compile(r"\bEAA[0-9A-Za-z_-]{10,}")  # how Facebook's access tokens begin
_LOGIN = re.compile(r"(?<=://)[^\s/@]*@|(?<=://)[^\s@]*:[^\s@]*@")  # of a URI: `user:password@`
# Phone numbers: 7 to 14 digits. Ids of audiences and ad sets are longer, and an account's follows an underscore.
_PHONE = re.compile(r"\+\d[\d\s().-]{5,}\d|(?<!\w)\d{7,14}(?!\w)")


def without_secrets(text: str) -> str:
    """`text` without what looks like an access token of Facebook or like the login in a URI; all else stays."""
    return _LOGIN.sub("[secret]@", _TOKEN.sub("[secret]", text))


def redact(text: str, *secrets: str | None) -> str:
    """`text` on one line, at most 300 characters long, without the given secrets, e-mails, phone numbers and hashes.

    Facebook does quote: a malformed token comes back inside the message, a bad cell may.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[secret]")
    text = " ".join(text[: 10 * _LONGEST].split())
    text = without_secrets(text)
    for pattern, name in ((_E_MAIL, "[e-mail]"), (_HASH, "[hash]"), (_PHONE, "[number]")):
        text = pattern.sub(name, text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
