"""A list of ids as editors, spreadsheets and databases save it is read right, or refused at its place: never as nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audiences.campaign.id_list import read_list, unlike_the_others
from audiences.errors import ConfigError

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder


def read(text: str, key: str = "customer_no") -> tuple[str, ...]:
    return read_list(text, "include/segments/a.csv", key)


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("1\n2\n", ("1", "2")),
        ("1\r\n2\r\n", ("1", "2")),
        ("1\r2\r", ("1", "2")),
        ("1\n2", ("1", "2")),
        ("1\n2\n1\n2\n", ("1", "2")),
        ("\n\n1\n  \n2\n,\n", ("1", "2")),
        ("sep=;\n1\n2\n", ("1", "2")),
        ("sep=;\r\nuser_id;\r\n1;\r\n", ("1",)),
        ('"sep=,"\n1\n', ("1",)),
        ("SEP=\t\n1\t\n", ("1",)),
        ("1;\n2;;\n", ("1", "2")),
        ("1\t\n2\n", ("1", "2")),
        ("1|\n2|\n", ("1", "2")),
        ("user_id\n1\n", ("1",)),
        ("User ID\n1\n", ("1",)),
        ("\n userId \n1\n", ("1",)),
        ("Customer-No\n1\n", ("1",)),
        ('"customer_no"\n"1"\n', ("1",)),
        ('="00123"\n"=""00124"""\n', ("00123", "00124")),
        ("  17 \n\xa018\xa0\n\u200b19\n", ("17", "18", "19")),
        ('"1"\n"2"\n', ("1", "2")),
        ('"a,b"\n"c;d"\n', ("a,b", "c;d")),
        ("auth0|5f7c8ec7\ngoogle-oauth2|10\n", ("auth0|5f7c8ec7", "google-oauth2|10")),
        ("a\x85b\n", ("a\x85b",)),  # no line of a CSV ends with these
        ("a\u2028b\n", ("a\u2028b",)),
        ("1.0\n2.00\n", ("1.0", "2.00")),  # whether that is a user is known by the type of the key
        ("12E4\n1.234\n10.0.0.1\n", ("12E4", "1.234", "10.0.0.1")),
        ("Kundennummer\n1\n", ("Kundennummer", "1")),  # it may be an id; a preview says that no user has it
        ("0f8fad5b-d9cb-469f-a165-70867728950e\n", ("0f8fad5b-d9cb-469f-a165-70867728950e",)),
    ],
)
def test_lists_are_read_however_they_are_saved(text: str, users: tuple[str, ...]) -> None:
    assert read(text) == users


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("1,2\n", 1, "several columns, between commas"),
        ("1\n2;x\n", 2, "several columns, between semicolons"),
        ("user_id\tname\n1\tx\n", 1, "several columns, between tabs"),
        ("user_id|name\n1|x\n", 1, "several columns, between `|`"),
        ("1|x\n2|y\n", 1, "several columns, between `|`"),
        ("sep=;\n1;2\n", 2, "several columns, between semicolons"),
        ("sep=#\n1\n2#x\n", 3, "several columns, between `#`"),
        ("1\n2\n3,4\n", 3, "several columns"),
        ("1\n,2\n", 2, "several columns"),
        ("1\n1,234\n", 2, "several columns"),
        ("1\njane@example.com\n", 2, "e-mail address"),
        ("email\njane@example.com\n", 2, "e-mail address"),
        ("1\n+49 171 2345678\n", 2, "phone number"),
        ("1\n9.0E+15\n", 2, "last digits are lost"),
        ("1\n9,0E+15\n", 2, "several columns"),
        ("sep=;\n9,0E+15\n", 2, "last digits are lost"),
        ("9e+15\n", 1, "last digits are lost"),
        ('"1,234"\n', 1, "thousands separators"),
        ("1 234\n", 1, "thousands separators"),
        ("1\xa0234\n", 1, "thousands separators"),
        ("1'234'567\n", 1, "thousands separators"),
        ("1.234.567\n", 1, "thousands separators"),
        ("'123'\n", 1, "stands in quotes"),
        ("“123”\n", 1, "stands in quotes"),
        ("'123\n", 1, "stands in quotes"),
        ("1\n#N/A\n", 2, "error of a spreadsheet"),
        ('1\n"2\n3"\n', 2, "line break inside of quotes"),
        ('1\n"2\n3\n', 2, "is a double quote not closed?"),
        ('1\n"2"3\n', 2, "cannot be read as CSV"),
    ],
)
def test_what_is_no_id_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    (problem,) = caught.value.problems
    assert (problem.code, problem.line) == ("bad-list", line)
    assert said in problem.message


@pytest.mark.parametrize("text", ["", "\n\n", "user_id\n", "sep=;\n", "sep=;\nuser_id\n", ",,\n", '""\n'])
def test_a_list_of_nobody_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="lists nobody"):
        read(text)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("1\n2\n".encode("utf-16"), "not-utf8"),
        ("1\n2\n".encode("utf-16-le"), "bad-character"),
        ("1\nü\n".encode("latin-1"), "not-utf8"),
        (b"1\n2\x00\n", "bad-character"),
        (b"", "empty-file"),
    ],
)
def test_other_encodings_are_refused_with_their_place(folder: Folder, content: bytes, code: str) -> None:
    folder.write("include/segments/a.csv", "")
    (folder.root / "include/segments/a.csv").write_bytes(content)
    assert folder.codes() == [code]


def test_a_byte_order_mark_is_no_part_of_an_id(folder: Folder) -> None:
    folder.write("include/segments/a.csv", "")
    (folder.root / "include/segments/a.csv").write_bytes("\ufeff17\n18\n".encode())
    folder.who("segment: a")
    assert folder.spec().segments["a"].users == ("17", "18")


@pytest.mark.parametrize(
    ("users", "odd"),
    [
        (("Kundennummer", "1", "2", "3"), ("Kundennummer",)),
        (("1", "2.0", "007", "-4"), ()),
        (("a1", "b2", "c3"), ()),
        (("1", "a"), ()),
        (("1", "2", "a", "b"), ()),
        ((*map(str, range(60)), "total", "n/a", "-"), ("total", "n/a", "-")),
        ((*map(str, range(40)), "total", "n/a", "-"), ()),
    ],
)
def test_what_is_no_number_among_numbers_is_found(users: tuple[str, ...], odd: tuple[str, ...]) -> None:
    assert unlike_the_others(users) == odd
