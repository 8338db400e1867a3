"""The saved segments under `include/segments/`: rules (`.yml`), one SELECT (`.sql`), or a list of user ids (`.csv`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from audiences.campaign.base import STEM, STEM_RULE
from audiences.campaign.catalog import Catalog
from audiences.campaign.checks.event_rules import rule_findings
from audiences.campaign.checks.query import read_query
from audiences.campaign.id_list import read_list, unlike_the_others
from audiences.campaign.problems import MOST_FINDINGS, first_of, validate
from audiences.campaign.rules import SavedRules
from audiences.campaign.source import entries, fail, files_by_stem, is_file, is_there, named, read_text
from audiences.campaign.spec import SavedSegment
from audiences.campaign.wording import shown
from audiences.campaign.yaml_reader import read_document
from audiences.errors import ConfigError, Problem

FOLDER = "include/segments"
# With each of them nested as deep as a file may be, writing the SQL of more would exceed Python's limit of recursion.
MAX_DEPTH = 20
_LIKE_LISTS = (".tsv", ".txt", ".xls", ".xlsx", ".csv.gz", ".csv.bak", ".csv ", ".csv.")


@dataclass(frozen=True, slots=True)
class Segment:
    """One saved segment as read: what it says, unless its file is broken."""

    file: str
    saved: SavedSegment | None
    problems: tuple[Problem, ...] = ()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed and probably not meant."""
        listed = self.saved.users if self.saved else None
        if not listed or not (odd := unlike_the_others(listed)):
            return ()
        few = ", ".join(map(shown, odd[:3]))
        message = (
            f"of {len(listed):,} ids {len(odd):,} {'is no number' if len(odd) == 1 else 'are no numbers'} as the others are, "
            f"{few}; where the users' key is a number {'it is' if len(odd) == 1 else 'they are'} nobody's"
        )
        return (Problem(self.file, 0, 0, "", "odd-id", message),)

    @property
    def uses(self) -> set[str]:
        """The names of the segments that it refers to."""
        return self.saved.rules.segments() if self.saved and self.saved.rules else set()


class Segments:
    """The saved segments of a project, each read when it is first asked for. Raises ConfigError for the folder alone."""

    def __init__(self, root: Path, catalog: Catalog) -> None:
        folder = root / FOLDER
        self._catalog = catalog
        self._files = files_by_stem(folder, tuple(_READERS), FOLDER) if is_there(folder) else {}
        self._folder = folder
        self._read: dict[str, Segment] = {}
        self._uses: dict[str, tuple[str, ...]] = {}
        self._problems: dict[str, tuple[Problem, ...]] = {}
        # Levels of segments at and below each from which no way leads into a circle.
        self._depths: dict[str, int] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all segments, broken or not."""
        return tuple(self._files)

    @property
    def read(self) -> tuple[str, ...]:
        """The names of those that were read so far."""
        return tuple(sorted(self._read))

    def not_read(self) -> Iterator[Problem]:
        """Warnings of what looks like a list of ids, and is none by its name: `users.tsv`, `users.csv.txt`, `users`."""
        for path in entries(self._folder, FOLDER) if is_there(self._folder) else ():
            meant = STEM.fullmatch(path.name.partition(".")[0]) and path.name.lower().endswith(_LIKE_LISTS)
            if (meant or (STEM.fullmatch(path.name) and path.name != path.name.upper())) and is_file(path):
                message = "is not read, since its name does not end in .csv, .yml, .yaml or .sql"
                yield Problem(named(FOLDER, path), 0, 0, "", "not-read", message)

    def file(self, name: str) -> str:
        """The file of a segment, relative to the project."""
        return named(FOLDER, self._files[name][0])

    def needed(self, names: Iterable[str]) -> dict[str, SavedSegment]:
        """These segments and all that they refer to, as far as they exist and are not broken."""
        reached: dict[str, SavedSegment] = {}
        waiting = sorted(names)
        while waiting:
            name = waiting.pop()
            if name in self._files and name not in reached and (saved := self._segment(name).saved):
                reached[name] = saved
                waiting.extend(sorted(self._segment(name).uses))
        return dict(sorted(reached.items()))

    def problems(self, name: str) -> tuple[Problem, ...]:
        """What is wrong with the file of a segment; a cycle is reported by the first of its segments."""
        if name not in self._problems:
            self._problems[name] = self._problems_of(name)
        return self._problems[name]

    def _problems_of(self, name: str) -> tuple[Problem, ...]:
        own = self._segment(name).problems
        cycle = self._cycle(name)
        if cycle and name == min(cycle):
            chain = " → ".join(shown(each) for each in (*cycle, name))
            return (
                *own,
                Problem(self.file(name), 0, 0, "", "segment-cycle", f"the segments refer to themselves: {chain}"),
            )
        if self._depths.get(name) == MAX_DEPTH + 1:  # those above it are not usable because of it
            message = (
                f"the segments refer to one another over more than {MAX_DEPTH} levels; write some of them into one file"
            )
            return (*own, Problem(self.file(name), 0, 0, "", "segment-depth", message))
        return own

    def warnings(self, name: str) -> tuple[Problem, ...]:
        """What is allowed in the file of a segment and probably not meant."""
        return self._segment(name).warnings

    def obstacle(self, name: str) -> str:
        """Why a segment cannot be used: the first problem of it or of a segment that it needs; empty if there is none."""
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            each = waiting.pop()
            if each in seen or each not in self._files:
                continue
            seen.add(each)
            if problems := self.problems(each):
                return str(problems[0])
            waiting.extend(self._used_by(each))
        return ""

    def _cycle(self, name: str) -> tuple[str, ...]:
        """The shortest chain of segments that leads from this one back to it; empty if there is none."""
        if self._is_straight(name):
            return ()
        came_from: dict[str, str] = {}
        waiting = [name]
        for each in waiting:  # grows while it is walked, breadth first
            for used in self._used_by(each):
                if used == name:
                    chain = [each]
                    while chain[-1] != name:
                        chain.append(came_from[chain[-1]])
                    return tuple(reversed(chain))
                if used not in came_from and used not in self._depths:
                    came_from[used] = each
                    waiting.append(used)
        return ()

    def _is_straight(self, name: str) -> bool:
        """Whether no circle can be reached from here: each segment is looked at once, those that it uses before itself."""
        if name in self._depths:
            return True
        on_the_way = {name}
        ways = [(name, iter(self._used_by(name)))]
        while ways:
            each, rest = ways[-1]
            used = next((one for one in rest if one not in self._depths), None)
            if used is None:
                self._depths[each] = 1 + max((self._depths[used] for used in self._used_by(each)), default=0)
                on_the_way.discard(each)
                ways.pop()
            elif used in on_the_way:
                return False
            else:
                on_the_way.add(used)
                ways.append((used, iter(self._used_by(used))))
        return True

    def _used_by(self, name: str) -> tuple[str, ...]:
        """The names that a segment refers to, as far as they exist, in order."""
        if name not in self._uses:
            self._uses[name] = tuple(used for used in sorted(self._segment(name).uses) if used in self._files)
        return self._uses[name]

    def _segment(self, name: str) -> Segment:
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> Segment:
        path, *others = self._files[name]
        file = self.file(name)
        try:
            if not STEM.fullmatch(name):
                fail(file, "bad-name", f"{shown(name)} cannot be a segment's name; it must be {STEM_RULE}")
            if others:
                fail(file, "same-name", f"has the name of {named(FOLDER, others[0])}; a segment has one file")
            saved, problems = _READERS[path.suffix.lower()](path, file, self._catalog, self.names)
        except ConfigError as error:
            return Segment(file, None, error.problems)
        return Segment(file, saved, problems)


LoadedSegment = tuple[SavedSegment | None, tuple[Problem, ...]]


def _read_rules(path: Path, file: str, catalog: Catalog, names: tuple[str, ...]) -> LoadedSegment:
    document = read_document(path, file)
    rules, problems = validate(document, SavedRules)
    if rules is None:
        return None, first_of(problems)
    findings = rule_findings(rules, catalog, dict.fromkeys(names, ""))
    return SavedSegment(rules=rules), first_of(
        (*problems, *(each.in_file(document) for each in islice(findings, MOST_FINDINGS)))
    )


def _read_sql(path: Path, file: str, _: Catalog, __: tuple[str, ...]) -> LoadedSegment:
    query = read_query(read_text(path, file))
    if query.mistake:
        fail(file, "bad-query", query.mistake, query.line, query.column)
    return SavedSegment(sql=query.sql), ()


def _read_ids(path: Path, file: str, catalog: Catalog, _: tuple[str, ...]) -> LoadedSegment:
    text = read_text(path, file, instead="put the ids into a table and select them in a .sql segment")
    return SavedSegment(users=read_list(text, file, catalog.users.key)), ()


_READERS: dict[str, Callable[[Path, str, Catalog, tuple[str, ...]], LoadedSegment]] = {
    ".yml": _read_rules,
    ".yaml": _read_rules,
    ".sql": _read_sql,
    ".csv": _read_ids,
}
