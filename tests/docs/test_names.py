"""The pages for people who change the code name only what exists: every span in backticks is looked up."""

from __future__ import annotations

import ast
import importlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from audiences.cli.commands import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "plugins/audiences"
MACHINES = (
    "ledger.runs.RunState",
    "ledger.chunk_states.RequestState",
    "ledger.replace_sessions.SessionState",
    "ledger.live_events.EventState",
    "ledger.live_batches.BatchState",
    "ledger.approvals.ApprovalState",
)
FILES = ("campaign", "segment", "warehouse", "settings")
PAGES = ("architecture", "glossary", "contributing")


def spans(page: str) -> list[tuple[int, str, str]]:
    """Line, span, and the module that stands before it: `a/b.py`: `name` says that the name is in that module."""
    found = []
    fenced = False
    for number, line in enumerate((ROOT / f"docs/{page}.md").read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            inside = ""
            for before, span in re.findall(r"([^`]*)`([^`]+)`", line):
                inside = inside if before == ": " and inside.endswith(".py") else ""
                found.append((number, span, inside))
                inside = span
    return found


def _file(span: str) -> Path | None:
    return next((folder / span for folder in (ROOT, PACKAGE) if (folder / span).exists()), None)


def _has(module: str, path: str) -> bool:
    """Whether a module, given by its dotted name, has an attribute, a method or a field of a class in it."""
    owner: Any = importlib.import_module(module)
    for name in path.split("."):
        if not hasattr(owner, name) and name not in getattr(owner, "__annotations__", {}):
            return False
        owner = getattr(owner, name, None)
    return True


def _dotted(span: str) -> bool:
    """A dotted name under the package: a module, or what is in one."""
    parts = span.removeprefix("audiences.").split(".")
    for cut in range(len(parts), 0, -1):
        path = PACKAGE.joinpath(*parts[:cut])
        if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
            module = ".".join(("audiences", *parts[:cut]))
            return cut == len(parts) or _has(module, ".".join(parts[cut:]))
    return False


@cache
def _trees() -> list[ast.Module]:
    return [
        ast.parse(path.read_text(encoding="utf-8")) for path in (*PACKAGE.rglob("*.py"), *(ROOT / "dags").glob("*.py"))
    ]


@cache
def _defined() -> frozenset[str]:
    """What the package defines, with the names of classes before those of their methods: `Outcomes.check`."""
    found: set[str] = set()
    for tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            if isinstance(node, ast.ClassDef):
                found |= {f"{node.name}.{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(found)


@cache
def _said() -> frozenset[str]:
    """The strings of the package, and the words in quotes in its SQL: states, ids of tasks, keys of answers."""
    strings = {
        node.value
        for tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return frozenset(strings | {word for text in strings for word in re.findall(r"'(\w+)'", text)})


@cache
def _schema(name: str) -> dict[str, Any]:
    return json.loads((ROOT / f"include/{name}.schema.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]  # JSON


def _is_key(schema: dict[str, Any], value: dict[str, Any], keys: list[str]) -> bool:
    """Whether a value has this path of keys, whatever alternatives it goes through."""
    return not keys or any(
        key == keys[0] and _is_key(schema, inner, keys[1:]) for key, inner in _properties(schema, value)
    )


def _properties(schema: dict[str, Any], value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "$ref" in value:
        yield from _properties(schema, schema["$defs"][value["$ref"].rsplit("/", 1)[1]])
    yield from value.get("properties", {}).items()
    for inner in (*value.get("anyOf", ()), *value.get("allOf", ()), *value.get("oneOf", ())):
        yield from _properties(schema, inner)
    if isinstance(value.get("items"), dict):
        yield from _properties(schema, value["items"])


def _key(span: str) -> bool:
    name, colon, rest = span.partition(": ")
    if colon and (ROOT / f"include/{name}.schema.json").is_file():
        return _is_key(_schema(name), _schema(name), rest.split("."))
    keys = span.split(":")[0].split(".")
    if any(_is_key(_schema(schema), _schema(schema), keys) for schema in FILES):
        return True
    # A key by itself may stand at any depth.
    return len(keys) == 1 and any(keys[0] in _keys_of(schema) for schema in FILES)


@cache
def _keys_of(name: str) -> frozenset[str]:
    schema = _schema(name)
    return frozenset(key for part in schema["$defs"].values() for key, _ in _properties(schema, part))


def _table(span: str) -> bool:
    """A table of the ledger, as `audiences.run`, or one of its columns, as `audiences.run.as_of`."""
    table, _, column = span.removeprefix("audiences.").partition(".")
    texts = [path.read_text(encoding="utf-8") for path in (PACKAGE / "ledger/migrations/versions").glob("*.py")]
    made = any(f"create table audiences.{table} (" in text for text in texts)
    return made and (not column or any(re.search(rf"\b{column}\b", text) for text in texts))


def _command(span: str) -> bool:
    first, *words = span.split()
    if first == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        return bool(words) and re.search(rf"^{re.escape(words[0])}:", makefile, re.MULTILINE) is not None
    if first != "audiences" or not words:
        return False
    return words[0] == "--help" or words[0] in typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group, as it has commands


def exists(span: str, inside: str = "") -> bool:
    """Whether what the span names is there."""
    if inside:
        path = _file(inside)
        if path is not None and path.is_relative_to(PACKAGE):
            module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            return _has(module, span)
    if span.startswith("test_"):
        return any(f"def {span}(" in path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    if "/" in span or span.endswith((".py", ".md", ".yml", ".yaml", ".toml")):
        return _file(span) is not None
    return (
        _command(span)
        or (re.fullmatch(r"\w+(\.\w+)*", span) is not None and (span in _defined() or _dotted(span) or _table(span)))
        or _key(span)
        or span in _said()
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_what_exists(page: str) -> None:
    wrong = [
        f"docs/{page}.md:{line}: `{span}` {f'in `{inside}` ' if inside else ''}does not exist"
        for line, span, inside in spans(page)
        if not exists(span, inside)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES)
def test_code_on_a_page_imports_only_what_exists(page: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    imported = re.findall(r"^from (audiences[\w.]*) import (.+)$", text, re.MULTILINE)
    wrong = [
        f"docs/{page}.md: {module} has no {name}"
        for module, names in imported
        for name in names.split(", ")
        if not (_has(module, name) or _dotted(f"{module}.{name}"))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "span",
    [
        *("pipeline/doors.py", "ledger.chunks.nothing", "audiences.nothing", "audiences frobnicate", "make nothing"),
        *("who.nothing", "settings: nothing", "NoSuchClass", "Outcomes.nothing", "no_such_state"),
    ],
)
def test_a_name_that_is_not_there_is_found(span: str) -> None:
    assert not exists(span)


def test_a_name_is_looked_for_in_the_module_before_it() -> None:
    assert exists("acknowledge", "ledger/receipts.py")
    assert not exists("acknowledge", "ledger/runs.py")
    assert exists("Extracted.misfits", "pipeline/results.py")


@pytest.mark.parametrize("name", MACHINES)
def test_the_page_has_every_state_and_what_may_follow_it(name: str) -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    section = page.split(f"`{name}`\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \|.+\| ([^|]+) \|$", section, re.MULTILINE)
    transitions = importlib.import_module(f"audiences.{name.rpartition('.')[0]}").TRANSITIONS
    states = {state.value for state in transitions.allowed}
    said = {state: states if after == "any" else set(re.findall(r"`(\w+)`", after)) for state, after in rows}
    assert said == {state.value: {each.value for each in after} for state, after in transitions.allowed.items()}
