from __future__ import annotations

import io

import pytest
from rich.markup import escape
from rich.table import Table

from audiences.cli.safe_console import SafeConsole

STEERING = ["\x1b[31m", "\x1b]0;title\x07", "\x9b31m", "\x7f", "\u202e", "\r", "\x00"]


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
        assert not set(printed(thing)) & set("\x1b\x07\x9b\x7f\u202e\r\x00")


def test_colours_of_our_own_and_texts_of_all_languages_stay():
    assert printed("[red]Zoë[/] наш 東京\tعرب", terminal=True).startswith("\x1b[31mZoë\x1b[0m наш 東京")
