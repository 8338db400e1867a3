from __future__ import annotations

import io
import json
import logging
import pickle
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from rich.table import Table

from audiences.airflow.failures import NotDoneError
from audiences.checklist import Check, State
from audiences.cli import adopt, console, erase, goal_table
from audiences.cli.console import json_line
from audiences.cli.safe_console import SafeConsole, as_text
from audiences.errors import ConfigError, ConnectionMissingError, Problem, RefusedError, UnsupportedError
from audiences.goal.report import ArmFigures, Report
from audiences.logs import logger
from audiences.pipeline.audience.adopt import Adoption
from audiences.pipeline.person.erasure_report import Erasure
from audiences.pipeline.person.explained_user import Explanation, Explanations
from audiences.pipeline.results import Summary
from audiences.pipeline.steps.preview_report import Preview
from audiences.redact import redact
from audiences.who.outcome_words import MEMBERS_FIRST

if TYPE_CHECKING:
    from collections.abc import Callable

STEERING = ["\x1b[31m", "\x1b]0;title\x07", "\x9b31m", "\x7f", "\u202e", "\r", "\x00", "\u2028", "\udcff"]


def printed(thing: object, *, terminal: bool = False) -> str:
    written = io.StringIO()
    colours = "standard" if terminal else None
    SafeConsole(file=written, force_terminal=terminal, width=100, color_system=colours).print(thing)
    return written.getvalue()


@pytest.mark.parametrize("hostile", STEERING)
def test_no_text_steers_the_terminal(hostile):
    table = Table("name")
    table.add_row(as_text(hostile))
    for thing in (f"user {as_text(hostile)}", table):
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


# Whatever of it comes out, no line may begin with what stands behind a line break, and the markup is none.
HOSTILE = "Zoë\n2026-11-29 [ERROR] forged\r\n2026-11-29 forged\x1b[2J\u202e\u2028forged [/bold] [red]x[/] \\"


def hostile(model: type[BaseModel], **given: object) -> Any:
    """An instance whose every text is hostile, which no check of the model sees."""
    values = {name: given.get(name, made(field.annotation, field)) for name, field in model.model_fields.items()}
    return model.model_construct(**values)


def made(kind: Any, field: Any = None) -> Any:
    if kind is str or kind == (str | None):
        return HOSTILE
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return hostile(kind)
    if get_origin(kind) is tuple:
        return (made(get_args(kind)[0]),) * 2
    if get_origin(kind) is dict:
        return {} if get_args(kind)[0] is not str else {"email": made(get_args(kind)[1])}
    if kind in (int, float):
        return 3
    if kind is bool:
        return False
    return field.get_default(call_default_factory=True) if field is not None and not field.is_required() else None


OUTCOMES = dict.fromkeys(("qualified", *MEMBERS_FIRST), 1)
AT = datetime(2026, 11, 29, tzinfo=UTC)
PROBLEM = Problem(HOSTILE, 1, 1, HOSTILE, "code", HOSTILE)


def one_of_each() -> list[tuple[Callable[..., None], tuple[Any, ...]]]:
    """What the commands print, with hostile texts wherever it has texts."""
    seen = hostile(
        Preview, at=AT, outcomes=OUTCOMES, action="mirror", events={}, next_runs=(), rejected={"email": {HOSTILE: 1}}
    )
    summary = hostile(
        Summary, outcomes=OUTCOMES, action="mirror", counted=True, would=None, state="failed", rejected={}, timings={}
    )
    explained = hostile(Explanation, outcome="targeted", known=True)
    return [
        (console.problems, ([PROBLEM],)),
        (console.validation, (SimpleNamespace(campaigns={}), [PROBLEM], [PROBLEM])),
        (console.preview, (seen,)),
        (console.summary, (summary,)),
        (console.explanation, (explained,)),
        (
            console.explanations,
            (hostile(Explanations, asked_by="email", users=(explained,), more=(HOSTILE,), erased=False),),
        ),
        (console.checks, ({HOSTILE: [Check(HOSTILE, State.FAIL, HOSTILE, HOSTILE)]},)),
        (adopt._adoption, (hostile(Adoption, at=AT),)),
        (erase._erasure, (hostile(Erasure, state="done"),)),
        (
            goal_table.table,
            (
                hostile(
                    Report,
                    as_of=AT,
                    goal={"event": HOSTILE, "within": "5 days", "of": "launch"},
                    arms=(),
                    comparisons=(),
                    users=0,
                ),
            ),
        ),
    ]


@pytest.mark.parametrize(("show", "given"), [pytest.param(*each, id=each[0].__name__) for each in one_of_each()])
def test_no_text_of_others_begins_a_line_of_what_a_command_prints(show, given):
    written = io.StringIO()
    show(SafeConsole(file=written, width=10_000, emoji=False), *given)
    text = written.getvalue()
    assert "forged" in text
    assert not [
        line for line in text.splitlines() if line.lstrip().startswith(("2026-11-29 [", "2026-11-29 forged", "forged"))
    ]
    assert not set(text) & set("\x1b\r\u202e\u2028")
    assert "[/bold] [red]x[/]" in text


@pytest.mark.parametrize(
    "error", [UnsupportedError(HOSTILE), NotDoneError(HOSTILE), ConnectionMissingError(HOSTILE), RefusedError(HOSTILE)]
)
def test_whatever_an_error_quotes_it_is_one_harmless_line_also_after_a_way_between_processes(error):
    for each in (error, pickle.loads(pickle.dumps(error))):
        assert len(str(each).splitlines()) == 1
        assert not set(str(each)) & set("\x1b\r\u202e\u2028")


def test_of_a_broken_file_each_problem_is_one_line():
    assert len(str(ConfigError((PROBLEM, PROBLEM))).splitlines()) == 2


def test_every_record_of_the_package_is_one_line_by_the_logger_itself(caplog):
    with caplog.at_level(logging.INFO, "audiences"):
        logger("audiences.test").info("created `%s` in %d tries", HOSTILE, 3)
        logger("audiences.test").info(HOSTILE + "%")
    for record in caplog.records:
        assert len(record.getMessage().splitlines()) == 1
        assert not set(record.getMessage()) & set("\x1b\r\u202e\u2028")
    assert caplog.records[0].getMessage().endswith("in 3 tries")


def test_what_a_library_logs_is_one_line_on_the_terminal_too(monkeypatch):
    written = io.StringIO()
    app = import_module("audiences.cli.app")  # the package has an `app` of its own
    monkeypatch.setattr(app, "err", SafeConsole(file=written, width=10_000))
    root = logging.getLogger()
    before = list(root.handlers), root.level
    try:
        app._log_to_stderr()
        logging.getLogger("alembic").error("a table is `%s`", HOSTILE)
    finally:
        root.handlers[:], root.level = before[0], before[1]
    assert len(written.getvalue().splitlines()) == 1


def test_a_csv_steers_nothing_and_has_a_line_per_group(capsys):
    arm = hostile(ArmFigures, arm="target")
    report = hostile(Report, as_of=AT, goal={"event": HOSTILE}, arms=(arm, arm), comparisons=(), notes=(HOSTILE,))
    goal_table.write_csv([report])
    text = capsys.readouterr().out
    assert len(text.splitlines()) == 3
    assert not set(text) & set("\x1b\r\u202e\u2028")
