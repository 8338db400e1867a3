from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.campaign.source import decode
from audiences.campaign.yaml_reader import MAX_DEPTH, MAX_NODES, parse
from audiences.errors import ConfigError, Problem


def read(text: str) -> object:
    document = parse(text, "file.yml")
    assert document.problems == ()
    return document.data


def refused(text: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        parse(text, "file.yml")
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("09:00", "09:00"),
        ("1:30:00", "1:30:00"),
        ("2026-12-01", "2026-12-01"),
        ("2026-12-01 09:00:00", "2026-12-01 09:00:00"),
        ("007", "007"),
        ("+4912345", "+4912345"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("3.10.2", "3.10.2"),
        ("=", "="),
        ("'5'", "5"),
        ('"true"', "true"),
        ("''", ""),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("0", 0),
        ("-12", -12),
        ("9223372036854775807", 2**63 - 1),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
    ],
)
def test_scalars_follow_the_core_schema(written: str, value: object) -> None:
    data = read(f"key: {written}\n")
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


@pytest.mark.parametrize("key", ["on", "yes", "5", "true", "null", "1.5", "2026-12-01", "a b"])
def test_keys_are_always_text(key: str) -> None:
    assert read(f"{key}: 1\n") == {key: 1}


def test_every_key_and_value_has_its_place() -> None:
    document = parse("a: 1\nb:\n  - c: x\n  -   d: [ 1,   2 ]\n", "file.yml")
    assert document.at(("a",)) == (1, 4)
    assert document.at(("b",), key=True) == (2, 1)
    assert document.at(("b", 0, "c")) == (3, 8)
    assert document.at(("b", 1, "d", 1)) == (4, 17)


def test_the_place_of_what_is_not_there_is_the_nearest_key() -> None:
    document = parse("a:\n  b: {c: 1}\n", "file.yml")
    assert document.at(("a", "b", "missing")) == (2, 3)
    assert document.at(("missing",)) == (1, 1)


def test_columns_count_characters_and_not_bytes() -> None:
    assert parse("é: {ü: 1}\n", "file.yml").at(("é", "ü")) == (1, 8)


def test_duplicate_keys_are_reported_with_both_places() -> None:
    document = parse("a: 1\nb: {x: 1, x: 2}\na: 3\n", "file.yml")
    assert [str(problem) for problem in document.problems] == [
        "file.yml:2:11: b.x: is given twice, first at 2:5; keep one",
        "file.yml:3:1: a: is given twice, first at 1:1; keep one",
    ]


def test_an_empty_value_is_a_mistake_and_null_is_not() -> None:
    document = parse("a:\nb: null\n", "file.yml")
    assert [(problem.line, problem.key, problem.code) for problem in document.problems] == [(1, "a", "empty-value")]


def test_a_comma_in_flow_text_is_explained() -> None:
    (problem,) = parse("a: {text: one or more, none at all}\n", "file.yml").problems
    assert "needs quotes" in problem.message


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "9" * 5000, "1e999", "-1e999"])
def test_numbers_that_postgres_cannot_hold_are_mistakes(number: str) -> None:
    (problem,) = parse(f"a: {number}\n", "file.yml").problems
    assert problem.code == "out-of-range"


@pytest.mark.parametrize("version", ["name: a", "name: b\nwho: c"])
def test_a_conflict_that_git_has_left_is_told_as_one(version: str) -> None:
    problem = refused(f"# first\n<<<<<<< HEAD\n{version}\n=======\nname: d\n>>>>>>> feature\n")
    assert (problem.line, problem.column, problem.message[:28]) == (2, 1, "git has left a conflict here")


def test_a_file_of_nothing_but_the_start_of_a_document_is_empty() -> None:
    assert refused("---\n").code == "empty-file"


def test_anchors_stand_for_what_they_name() -> None:
    document = parse("a: &x {b: 1}\nc: *x\n", "file.yml")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.at(("c", "b")) == (1, 11)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "empty-file", (0, 0)),
        ("# nothing\n", "empty-file", (0, 0)),
        ("just text\n", "wrong-type", (1, 1)),
        ("- a\n", "wrong-type", (1, 1)),
        ("5", "wrong-type", (1, 1)),
        ("a: 1\n---\nb: 2\n", "several-documents", (2, 1)),
        ("a: 1\n...\nb: 2\n", "yaml-syntax", (3, 1)),
        ("a: !!int 5\n", "tag", (1, 4)),
        ("a: !!python/object/apply:os.system [ls]\n", "tag", (1, 4)),
        ("!!python/name:os.system a: 1\n", "bad-key", (1, 1)),
        ("a: &x {}\n<<: *x\n", "bad-key", (2, 1)),
        ("? [a]\n: 1\n", "bad-key", (1, 3)),
        ("'': 1\n", "bad-key", (1, 1)),
        ("' ': 1\n", "bad-key", (1, 1)),
        ("a: &x b\n*x : 1\n", "bad-key", (2, 1)),
        ("a: *x\n", "unknown-alias", (1, 4)),
        ("a: &x [*x]\n", "unknown-alias", (1, 8)),
        ("a: b: c\n", "yaml-syntax", (1, 5)),
        ("a:\n\tb: 1\n", "yaml-syntax", (2, 1)),
        ("a: @b\n", "yaml-syntax", (1, 4)),
        ("a: `b`\n", "yaml-syntax", (1, 4)),
        ("a: 'b\nc: d\n", "yaml-syntax", (1, 4)),
        ("a: [1, 2\nb: 3\n", "yaml-syntax", (2, 2)),
        ('a: "\\q"\n', "yaml-syntax", (1, 5)),
        ('a: "\\ud800"\n', "yaml-syntax", (1, 7)),
        ("%YAML 3.0\n---\na: 1\n", "yaml-syntax", (1, 1)),
    ],
)
def test_what_is_not_plain_yaml_is_refused_at_its_place(text: str, code: str, place: tuple[int, int]) -> None:
    problem = refused(text)
    assert (problem.code, (problem.line, problem.column)) == (code, place)


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 100_000])
def test_deep_nesting_is_refused(text: str) -> None:
    assert refused(text).code == "too-deep"


def test_nesting_up_to_the_limit_is_read() -> None:
    read("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))


def test_aliases_cost_what_they_stand_for() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 10)]
    problem = refused("\n".join(lines))
    assert problem.code == "too-large"
    assert f"{MAX_NODES:,}" in problem.message


def test_aliases_add_to_the_depth() -> None:
    lines = ["a0: &a0 " + "[" * 30 + "]" * 30, "a1: " + "[" * 30 + "*a0" + "]" * 30]
    assert refused("\n".join(lines)).code == "too-deep"


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        (b"a: 1\nb: \xff\n", "not-utf8", (2, 4)),
        ("a: ü\n".encode("latin-1"), "not-utf8", (1, 4)),
        ("a: 1\n".encode("utf-16"), "not-utf8", (1, 1)),
        (b"a: 1\nb: x\x00y\n", "bad-character", (2, 5)),
        (b"a: \x1b[31m\n", "bad-character", (1, 4)),
        (b"\x7fELF", "bad-character", (1, 1)),
        (b"a" * (256 * 1024 + 1), "too-large", (0, 0)),
    ],
)
def test_what_is_not_a_text_file_is_refused(content: bytes, code: str, place: tuple[int, int]) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(content, "file.yml")
    (problem,) = caught.value.problems
    assert (problem.code, (problem.line, problem.column)) == (code, place)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert decode(b"\xef\xbb\xbfa: 1\n", "file.yml") == "a: 1\n"


plain_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text("ab \n\"'\\é🙂:#-", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(st.text("abc", min_size=1), plain_data, max_size=5))
def test_json_reads_as_the_same_data(data: dict[str, object]) -> None:
    assert read(json.dumps(data, ensure_ascii=False)) == data
