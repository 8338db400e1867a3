"""The floors of the house: a module imports from floors below its own and from its own room, and no module runs in a circle."""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

PLUGINS: Final = Path(__file__).parents[1] / "plugins"

FLOORS: Final = (
    {
        "allocators",
        "redact",
        "digests",
        "sql",
        "checklist",
        "user_ids",
        "concurrency",
        "larger_than_memory",
        "local_files",
        "project_here",
    },
    {"errors"},
    {"disk", "store_faults"},
    {"logs"},
    {"campaign"},
    {"connecting", "connection_texts", "libpq"},
    {"connections", "adbc", "open_connections"},
    {"object_store"},
    {"run_folders"},
    {"query"},
    {"who", "what", "when", "goal", "notices"},
    {"warehouse", "facebook", "ledger"},
    {"pipeline"},
    {"reporting", "review"},
    {"airflow", "cli", "pages", "sandbox"},
    {"demo"},
)
"""From the ground up. The rooms of a floor do not know each other, unless `NEIGHBOURS` says so."""

NEIGHBOURS: Final = {("cli", "sandbox"), ("cli", "airflow"), ("pages", "airflow")}
"""Who may import from a room of its own floor: (importing room, imported room)."""

PIPELINE: Final = (
    {"results", "staging", "scope"},
    {"resources"},
    {"preconditions"},
    {"upload"},
    {"audience"},
    {"steps"},
    {"run", "person"},
    {"live"},
    {"preview"},
    {"explain"},
    {"upkeep"},
    {"erase"},
)
"""The floors inside `pipeline`, by the same rule."""


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in (PLUGINS / "audiences").rglob("*.py"):
        if "migrations" not in path.parts:  # Alembic runs these as scripts
            name = ".".join(path.relative_to(PLUGINS).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imports() -> dict[str, dict[str, int]]:
    """What every module imports of the package, each with the line that says so; imports for types count as well."""
    known = modules()
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            wanted = []
            if isinstance(node, ast.ImportFrom) and node.module:
                wanted = [f"{node.module}.{alias.name}" for alias in node.names]
                wanted = [each if each in known else node.module for each in wanted]
            elif isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            for each in wanted:
                if each in known and each != name:
                    found[name].setdefault(each, node.lineno)
    return found


def room(module: str, depth: int) -> str:
    """The room of a module: `who` of `audiences.who.control`. The package itself and entry points have none."""
    parts = module.split(".")
    return parts[depth] if len(parts) > depth and parts[-1] != "__main__" else ""


def backwards(floors: tuple[set[str], ...], inside: str) -> list[str]:
    """Every import between rooms of `inside` that does not go down, as `file:line` and words."""
    depth = inside.count(".") + 1
    level = {name: number for number, names in enumerate(floors) for name in names}
    found = []
    for module, wanted in imports().items():
        for other, line in wanted.items():
            if not (module.startswith(f"{inside}.") and other.startswith(f"{inside}.")):
                continue
            mine, theirs = room(module, depth), room(other, depth)
            if mine == theirs or not mine or not theirs or (mine, theirs) in NEIGHBOURS:
                continue
            if level[theirs] >= level[mine]:
                where = modules()[module].relative_to(PLUGINS)
                found.append(f"{where}:{line}: `{mine}` must not import `{other}`: it is not on a floor below")
    return found


def test_no_module_imports_from_its_own_floor_or_above() -> None:
    assert backwards(FLOORS, "audiences") == []


def test_no_module_of_the_pipeline_imports_from_its_own_floor_or_above() -> None:
    assert backwards(PIPELINE, "audiences.pipeline") == []


def test_every_room_has_a_floor() -> None:
    for floors, folder in ((FLOORS, PLUGINS / "audiences"), (PIPELINE, PLUGINS / "audiences/pipeline")):
        rooms = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
        assert set().union(*floors) == rooms - {"__init__", "__main__"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    circle: list[str] = []
    try:
        TopologicalSorter({module: set(wanted) for module, wanted in imports().items()}).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert circle == [], " -> ".join(circle)


def test_the_pipeline_is_at_most_fifteen_rooms_wide() -> None:
    entries = [path for path in (PLUGINS / "audiences/pipeline").iterdir() if path.name[0] not in "_."]
    assert len(entries) <= 15, sorted(path.name for path in entries)


def test_no_two_modules_have_one_file_name_unless_a_command_is_named_after_what_it_calls() -> None:
    """A command is found by its name in `cli/`; elsewhere a file name says what the module is about, apart from its room."""
    names: dict[str, list[str]] = defaultdict(list)
    for path in modules().values():
        where = path.relative_to(PLUGINS / "audiences")
        if path.stem not in {"__init__", "__main__"} and where.parts[0] != "cli":
            names[path.stem].append(str(where))
    assert {name: found for name, found in names.items() if len(found) > 1} == {}


def test_no_two_public_classes_have_one_name() -> None:
    """Who meets a class in a traceback or a search should not have to ask which of two it is."""
    classes: dict[str, list[str]] = defaultdict(list)
    for name, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes[node.name].append(name)
    assert {name: found for name, found in classes.items() if len(found) > 1} == {}


def test_no_module_has_the_name_of_the_package() -> None:
    """Importing it would hide the package: `from audiences.ledger import audiences`."""
    assert [str(path) for name, path in modules().items() if "." in name and name.endswith(".audiences")] == []
