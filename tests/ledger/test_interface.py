"""What the ledger's modules offer: every function says what it gives, and no table is written by a module that is not to."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import audiences.ledger
from audiences.sql import statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOMS = Path(audiences.ledger.__file__).parent
MODULES = [name for _, name, folder in pkgutil.iter_modules([str(ROOMS)]) if not folder]
# Tables that a second module writes, and why. `formerly` gives what an empty campaign has on record to another one.
SHARED = {
    "audience": {"known_audiences", "audiences_in_doubt", "content", "formerly"},  # each has columns of its own
    "chunk": {"chunks", "receipts", "requests_in_doubt"},  # the others write what Facebook took, or may have taken
    "never_held_out": {"assignments", "formerly"},
    "run": {"runs", "formerly", "run_timings", "staged_runs"},  # the last two have columns of their own
    "goal_result": {"goals", "formerly"},
    "campaign": {"campaigns", "formerly", "ended_campaigns"},  # `missing_since` is a column of the last
    "approval": {"approvals", "formerly"},
    "campaign_end": {"ended_campaigns", "formerly"},
    "live_campaign": {"live_campaigns", "formerly"},
    "live_event": {"live_events", "live_batches"},  # include/sql/live/form.sql forms batches in one statement
}
MOVED = re.compile(r"\bTRANSITIONS\.move")
WRITTEN = re.compile(r"\b(?:insert into|update|delete from)\s+audiences\.(\w+)|adbc_ingest\(\s*\"(\w+)\"")


def module(name: str) -> ModuleType:
    return importlib.import_module(f"audiences.ledger.{name}")


def public(found: ModuleType) -> Iterator[tuple[str, Any]]:
    """Functions and methods of classes that the module itself makes."""
    for name, each in vars(found).items():
        if name.startswith("_") or getattr(each, "__module__", None) != found.__name__:
            continue
        if inspect.isfunction(each):
            yield name, each
        elif inspect.isclass(each):
            for method, function in vars(each).items():
                function = function.fget if isinstance(function, property) else function
                function = getattr(function, "func", function)  # a cached property
                if inspect.isfunction(function) and not method.startswith("_"):
                    yield f"{name}.{method}", function


def faults(name: str, function: Any) -> Iterator[str]:
    signature = inspect.signature(function)
    given = str(signature.return_annotation)
    if signature.return_annotation is inspect.Signature.empty:
        yield f"{name} does not say what it returns"
    elif re.search(r"\bAny\b", given):
        yield f"{name} returns {given}"
    for parameter in signature.parameters.values():
        if parameter.annotation is inspect.Parameter.empty and parameter.name not in ("self", "cls"):
            yield f"{name} does not say what `{parameter.name}` is"


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_says_what_it_takes_and_gives_and_none_gives_any(name: str) -> None:
    assert [fault for each, function in public(module(name)) for fault in faults(each, function)] == []


@pytest.mark.parametrize("name", MODULES)
def test_no_record_has_a_field_of_any_type(name: str) -> None:
    found = module(name)
    records = [
        each
        for each in vars(found).values()
        if inspect.isclass(each) and each.__module__ == found.__name__ and is_dataclass(each)
    ]
    fields = {f"{each.__name__}.{field.name}": str(field.type) for each in records for field in dataclass_fields(each)}
    assert {field: kind for field, kind in fields.items() if re.search(r"\bAny\b", kind)} == {}


def test_the_check_itself_finds_any_and_what_has_no_type() -> None:
    def loose(ledger, run: int) -> list[Any]:  # type: ignore[no-untyped-def]  # what it is about
        return [ledger, run]

    assert list(faults("loose", loose)) == ["loose returns list[Any]", "loose does not say what `ledger` is"]


def test_each_table_is_written_by_the_module_that_owns_it() -> None:
    writers: dict[str, set[str]] = defaultdict(set)
    texts = {name: (ROOMS / f"{name}.py").read_text() for name in MODULES if name != "erasures"}
    texts["live_batches"] += statement("live/form")
    for name, text in texts.items():
        for match in WRITTEN.finditer(re.sub(r"\"\s*\n\s*f?\"", "", text)):
            writers[match[1] or match[2]].add(name)
        if MOVED.search(text):
            writers[module(name).TRANSITIONS.table].add(name)
    writers = {table: by for table, by in writers.items() if not table.endswith("_now")}  # temporary ones
    shared = {table: by for table, by in writers.items() if len(by) > 1}
    assert shared == {table: by for table, by in SHARED.items() if table in shared}
    assert set(writers) >= {"chunk", "run", "upload_session", "live_batch", "live_event", "member", "assignment"}
    assert writers["chunk"] == SHARED["chunk"]


def test_nobody_outside_writes_tables_of_the_ledger() -> None:
    package = ROOMS.parent
    others = [path for path in package.rglob("*.py") if not path.is_relative_to(ROOMS)]
    written = re.compile(f"{WRITTEN.pattern}|{MOVED.pattern}")
    assert [str(path.relative_to(package)) for path in others if written.search(path.read_text())] == []
