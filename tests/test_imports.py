"""What each step and command makes a process import that has not preloaded anything, by the imports at the head of modules."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest
import typer.main
from tests.test_floors import modules

from audiences.cli.commands import app

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEAVY: Final = {
    "adbc_driver_manager": "ADBC",
    "adbc_driver_postgresql": "ADBC",
    "airflow": "Airflow",
    "alembic": "Alembic",
    "duckdb": "DuckDB",
    "facebook_business": "Facebook's SDK",
    "numpy": "NumPy",
    "pandas": "pandas",
    "phonenumbers": "phonenumbers",
    "pyarrow": "Arrow",
    "sqlalchemy": "SQLAlchemy",
}
"""What takes a twentieth of a second or more."""
SENDS: Final = {"Arrow", "NumPy"}
READS: Final = {"ADBC", "Arrow", "SQLAlchemy"}
MAY: Final = {
    "airflow.campaign_dag": {"Airflow"},  # in the DAG processor, at each look
    "airflow.dispatcher_dag": {"Airflow"},
    "airflow.upkeep_dag": {"Airflow"},
    "pipeline.resources": set(),
    "pipeline.steps.open_run": {*READS, *SENDS, "Facebook's SDK"},
    "pipeline.steps.extract": {"Arrow", "DuckDB", "NumPy", "SQLAlchemy", "phonenumbers"},
    "pipeline.steps.select": {*SENDS, "SQLAlchemy", "pandas"},
    "pipeline.steps.plan": {*READS, *SENDS},
    "pipeline.upload.export": SENDS,
    "pipeline.upload.full_refresh": SENDS,
    "pipeline.steps.link_ad_sets": {"Facebook's SDK"},
    "pipeline.steps.close_run": {"Facebook's SDK"},
    "pipeline.steps.due_notices": set(),
}
"""What a step may import, by the module that an operator imports for it. Each imports `pipeline.resources` as well."""
COUNTS: Final = {*READS, *SENDS, "DuckDB", "pandas", "phonenumbers"}
COMMANDS: Final = {
    "adopt": ("pipeline.audience.adopt", set()),
    "catalog": ("reporting.catalog_checks", {"ADBC", "Arrow", "SQLAlchemy"}),
    "diff": ("review.change_report", set()),
    "erase": ("pipeline.erase", {*SENDS, "SQLAlchemy", "phonenumbers"}),
    "explain": ("pipeline.explain", {*SENDS, "SQLAlchemy", "pandas", "phonenumbers"}),
    "ledger": ("ledger.migrate", set()),
    "normalise": ("what.identifiers.lines", {*SENDS, "phonenumbers"}),
    "preflight": ("pipeline.upkeep.check_accounts", set()),
    "preview": ("pipeline.preview", COUNTS),
    "report": ("pipeline.upkeep.measure", {"Arrow", "DuckDB", "SQLAlchemy"}),
    "run": ("pipeline.run", {*COUNTS, "Facebook's SDK"}),
    "run-detail": ("reporting.run_detail", set()),
    "runs": ("reporting.run_history", set()),
    "sandbox": ("sandbox", set()),
    "schedule": ("when.upcoming", set()),
    "status": ("reporting.overview", set()),
    "validate": ("when.never", set()),
}
"""What a command may import: the module by which it does its work, and what is behind that. Airflow is behind none: a connection
that is not in the environment alone needs it (`connections.import_airflow`)."""


def imported(body: Sequence[ast.stmt]) -> Iterator[str]:
    """What these statements import when the module is: not inside functions, and not for types alone."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If):
            if ast.unparse(node.test) != "TYPE_CHECKING":
                yield from imported(node.body)
            yield from imported(node.orelse)
        elif isinstance(node, ast.Try | ast.ClassDef):
            yield from imported(node.body)


OURS: Final = modules()


@cache
def direct(module: str) -> frozenset[str]:
    """The modules that this one imports, with the packages that they are in."""
    found = set(imported(ast.parse(OURS[module].read_text(encoding="utf-8")).body))
    return frozenset(".".join(name.split(".")[:end]) for name in found for end in range(1, name.count(".") + 2))


def behind(module: str) -> set[str]:
    """The module, and all that it and ours behind it import."""
    seen: set[str] = set()
    todo = {module}
    while todo:
        each = todo.pop()
        seen.add(each)
        if each in OURS:
            todo |= direct(each) - seen
    return seen


def heavy(module: str) -> set[str]:
    """The heavy libraries behind a module, whichever of ours lead there."""
    return {HEAVY[name] for name in behind(module) & HEAVY.keys()}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_only_what_it_uses(command):
    module, may = COMMANDS[command]
    assert heavy(f"audiences.{module}") == may


def test_a_preview_imports_nothing_that_sends_or_that_a_live_campaign_alone_needs():
    acts = {
        "facebook.audience_members",
        "facebook.sdk",
        "ledger.live_events",
        "pipeline.steps.link_ad_sets",
        "pipeline.steps.open_run",
        "pipeline.upload.export",
        "pipeline.upload.replace_session",
    }
    assert {f"audiences.{name}" for name in acts} - OURS.keys() == set()
    assert {f"audiences.{name}" for name in acts} & behind("audiences.pipeline.preview") == set()


def test_no_command_is_left_out():
    assert set(COMMANDS) == set(typer.main.get_command(app).commands)


def test_the_command_line_itself_imports_none_of_it():
    assert {module: heavy(module) for module in OURS if module.startswith("audiences.cli") and heavy(module)} == {}


def test_one_command_is_carried_out_without_the_modules_of_the_others():
    others = {f"audiences.cli.{name.replace('-', '_')}" for name in (*COMMANDS, "commands")}
    assert others <= OURS.keys()
    assert others & behind("audiences.cli.one_command") == set()


@pytest.mark.parametrize("module", MAY)
def test_a_step_imports_only_what_it_uses(module):
    assert heavy(f"audiences.{module}") == MAY[module]


def test_no_task_imports_alembic_where_the_ledger_is_at_its_newest_revision():
    assert "Alembic" not in heavy("audiences.ledger.migrate")
