from __future__ import annotations

import io
import json

import pytest
from rich.markup import escape
from rich.table import Table

from audiences.cli.console import json_line
from audiences.cli.safe_console import SafeConsole
from audiences.redact import redact

STEERING = ["\x1b[31m", "\x1b]0;title\x07", "\x9b31m", "\x7f", "\u202e", "\r", "\x00", "\u2028", "\udcff"]


def printed(thing: object, *, terminal: bool = False) -> str:
    written = io.StringIO()
    colours = "standard" if terminal else None
    SafeConsole(file=written, force_terminal=terminal, width=100, color_system=colours).print(thing)
    return written.getvalue()


@pytest.mark.parametrize("hostile", STEERING)
def test_no_text_steers_the_terminal(hostile):
    table = Table("name")
    table.add_row(escape(hostile))
    for thing in (f"user {escape(hostile)}", table):
        assert not set(printed(thing)) & set("\x1b\x07\x9b\x7f\u202e\r\x00\u2028\udcff")


def test_colours_of_our_own_and_texts_of_all_languages_stay():
    assert printed("[red]Zoë[/] наш 東京\tعرب", terminal=True).startswith("\x1b[31mZoë\x1b[0m наш 東京")


def test_json_steers_nothing_and_says_the_same(capsys):
    given = {"name": "".join(STEERING) + "Zoë 東京 [e-mail]", "rate": [float("nan"), float("inf"), 0.5], "id": 2**70}
    json_line(given)
    text = capsys.readouterr().out
    assert not set(text) & set("\x1b\x07\x9b\x7f\u202e\r\x00\u2028\udcff")
    assert json.loads(text) == {**given, "rate": [None, None, 0.5]}
    assert "Zoë 東京" in text


def test_what_facebook_says_is_one_harmless_line_wherever_it_goes():
    said = redact("no\n2026-11-29 [ERROR] all\r\x1b[2Jis\u202e well\x00")
    assert said == "no 2026-11-29 [ERROR] all �[2Jis� well�"
