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
_PEOPLE = ((_E_MAIL, "[e-mail]"), (_HASH, "[hash]"), (_PHONE, "[number]"))
# Escape sequences begin with C0, DEL or C1; others turn the direction of what follows, or begin a line in some viewers of logs.
# Surrogates stand for bytes of a file's name that are no UTF-8, and can be written nowhere.
_STEERING = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
_BREAKS = re.compile("[\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029]+")


def harmless(text: str) -> str:
    """`text` with `�` for what would steer a terminal or a log; tabs and line breaks stay."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text)


def harmless_json(text: str) -> str:
    """JSON with an escape for each character in it that would steer a terminal; it means the same."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def harmless_line(text: str) -> str:
    """As `harmless`, on one line: a line break in a text of others would begin a line that looks like one of ours."""
    return harmless(_BREAKS.sub(" ", text))


def without_secrets(text: str) -> str:
    """`text` without what looks like an access token of Facebook or like the login in a URI; all else stays."""
    return _LOGIN.sub("[secret]@", _TOKEN.sub("[secret]", text))


def without_people(text: str) -> str:
    """One line without e-mail addresses, hashes, and what may be a phone number."""
    text = without_secrets(harmless_line(text))
    for pattern, name in _PEOPLE:
        text = pattern.sub(name, text)
    return text


def masked(text: str) -> str:
    """A text of which only the first character can be read."""
    return f"{text[:1]}…"


def redact(text: str, *secrets: str | None) -> str:
    """`text` on one harmless line, at most 300 characters long, without the given secrets, e-mails, phone numbers and hashes.

    Facebook does quote: a malformed token comes back inside the message, a bad cell may.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[secret]")
    text = without_secrets(harmless_line(text[: 10 * _LONGEST]).strip())
    for pattern, name in _PEOPLE:
        text = pattern.sub(name, text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
