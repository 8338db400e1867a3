"""The contract of errors: each is of exactly one kind, has its fields, and crosses the border of a process with them."""

from __future__ import annotations

import ast
import pickle
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

import pytest

from audiences import errors
from audiences.errors import AudiencesError

PLUGINS: Final = Path(__file__).parents[1] / "plugins"
KINDS: Final = {
    errors.FixConfigError,
    errors.FixAccessError,
    errors.StoppedError,
    errors.RefusedError,
    errors.RetryError,
    errors.WaitError,
    errors.FailedError,
}
WITHIN: Final = {
    "audiences.airflow.senders.TooSlowError": "an OSError, which the sender of notices puts on record as the reason",
    "audiences.campaign.base.PlacedError": "of a model's check, which pydantic turns into a problem of the file",
    "audiences.campaign.checks.query._MistakeError": "caught where the query is read",
    "audiences.campaign.sql_tokens.NotLexicalError": "caught where the query is read",
    "audiences.facebook.transport.AnswerTooLongError": "one of `requests`, as which the session handles it",
    "audiences.pipeline.steps.known.changed.LookAtAllError": "lets `extract` read everybody",
    "audiences.pipeline.preconditions.unmatched._TakesTooLongError": "ends a look early, in that module",
    "audiences.sandbox.admin_input.AdminError": "becomes the answer to a request",
    "audiences.sandbox.graph.error_table.GraphError": "becomes the answer to a request",
    "audiences.warehouse.queries.NotJudgedError": "caught by those who ask",
}
"""Exceptions that are none of the product's errors, since they never leave the module or the room that handles them."""


def defined() -> dict[str, list[str]]:
    """The names of the errors of each module, read without importing anything."""
    found: dict[str, list[str]] = {}
    for path in sorted((PLUGINS / "audiences").rglob("*.py")):
        module = ".".join(path.relative_to(PLUGINS).with_suffix("").parts).removesuffix(".__init__")
        names = [
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
        ]
        if names:
            found[module] = names
    return found


ALL: Final = [getattr(import_module(module), name) for module, names in defined().items() for name in names]
OURS: Final[list[type[AudiencesError]]] = [each for each in ALL if issubclass(each, AudiencesError)]


def named(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def test_every_exception_of_the_package_is_one_of_its_errors_or_never_leaves_its_room() -> None:
    exceptions = {named(each) for each in ALL if issubclass(each, BaseException)}
    assert exceptions - {named(each) for each in OURS} == WITHIN.keys()


@pytest.mark.parametrize("error", [each for each in OURS if each is not AudiencesError], ids=named)
def test_an_error_is_of_exactly_one_kind(error: type[AudiencesError]) -> None:
    assert len([kind for kind in KINDS if issubclass(error, kind)]) == 1


def test_no_error_stands_beside_the_kinds() -> None:
    assert {each for each in OURS if AudiencesError in each.__bases__} == KINDS


def sample(hint: Any) -> Any:
    """A value of the annotation."""
    plain = {
        str: "a text",
        int: 7,
        float: 1.5,
        bool: True,
        dict: {"added": 1},
        datetime: datetime(2026, 11, 29, 12, tzinfo=UTC),
        errors.Problem: errors.Problem("campaigns/a.yml", 1, 2, "who", "wrong-type", "is wrong"),
    }
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return tuple(sample(each) for each in arguments if each is not ...)
    if origin is dict:
        return {sample(arguments[0]): sample(arguments[1])}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if hint in plain:
        return plain[hint]
    if arguments:  # one of several types, or one of several values
        return sample(arguments[0]) if isinstance(arguments[0], type) or get_origin(arguments[0]) else arguments[0]
    message = f"this test has no value for {hint!r}"
    raise LookupError(message)


@pytest.mark.parametrize("error", [each for each in OURS if is_dataclass(each)], ids=named)
def test_an_error_keeps_its_fields_and_its_text_across_processes(error: type[AudiencesError]) -> None:
    assert "__str__" in vars(error) or error.__str__ is not AudiencesError.__str__, "it says nothing"
    hints = get_type_hints(error, localns={"datetime": datetime})  # imported for types alone by some
    given = {field.name: sample(hints[field.name]) for field in fields(error) if field.init}
    raised = error(**given)
    back = pickle.loads(pickle.dumps(raised))
    assert type(back) is error
    assert {name: getattr(back, name) for name in given} == given
    assert str(back) == str(raised)


def test_an_error_without_fields_of_its_own_is_only_a_kind() -> None:
    assert {each for each in OURS if not is_dataclass(each)} == {
        AudiencesError,
        errors.FixConfigError,
        errors.FixAccessError,
        errors.RetryError,
        errors.FailedError,
    }
