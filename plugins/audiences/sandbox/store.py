"""The state file: an SQLite database that follows the world, so that a sandbox goes on where it stopped.

Every request is one transaction. Things are stored whole as JSON when they changed; of the members, each write is appended as it
came, and what they add up to is written anew when the file is opened. The request log and the counters are not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from pydantic import TypeAdapter

from audiences.sandbox.faults import Fault
from audiences.sandbox.member_sets import MemberSet, MemberWrite, join, split
from audiences.sandbox.objects import (
    AccessToken,
    Account,
    AdCampaign,
    AdSet,
    CustomAudience,
    SandboxSession,
    ServerSettings,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from audiences.sandbox.world import World

_SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (kind TEXT, id TEXT, doc BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS member_write (number INTEGER PRIMARY KEY, action TEXT, key TEXT, target TEXT, shape TEXT, rows BLOB);
"""
_APPEND = "INSERT INTO member_write (action, key, target, shape, rows) VALUES (?, ?, ?, ?, ?)"
_READERS: dict[str, TypeAdapter[Any]] = {
    "settings": TypeAdapter(ServerSettings),
    "token": TypeAdapter(AccessToken),
    "account": TypeAdapter(Account),
    "campaign": TypeAdapter(AdCampaign),
    "ad_set": TypeAdapter(AdSet),
    "audience": TypeAdapter(CustomAudience),
    "session": TypeAdapter(SandboxSession),
    "fault": TypeAdapter(Fault),
}


class Store:
    """Keeps nothing: what a sandbox without a state file has."""

    def load(self, world: World) -> None:
        """Fill the world with what was stored, if anything was."""

    def save(self, world: World) -> None:
        """Store what has changed since the last time."""
        world.journal.clear()

    def close(self) -> None:
        """Let go of the file."""


class StateFile(Store):
    """Keeps the world in one SQLite file, opened in autocommit mode. Raises sqlite3.DatabaseError when it is something else."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self._saved: dict[tuple[str, str], bytes] = {}

    def load(self, world: World) -> None:
        rows = self._connection.execute("SELECT kind, id, doc FROM thing ORDER BY kind, id").fetchall()
        if not rows:
            self.save(world)
            return
        _empty(world)
        world.journal.clear()
        for kind, identifier, doc in rows:
            self._saved[kind, identifier] = doc
            _put(world, kind, orjson.loads(doc))
        world.sessions = dict(sorted(world.sessions.items(), key=lambda item: item[1].opened_at))
        world.faults.rules.sort(key=lambda rule: rule.id)
        writes = self._connection.execute("SELECT action, key, target, shape, rows FROM member_write ORDER BY number")
        for action, key, target, shape, rows in writes:
            keys = tuple(shape.split(",")) if shape else ()
            _replay(world, MemberWrite(action, key, {keys: split(keys, rows)} if keys else {}, target))
        world.journal = [MemberWrite("clear", "")]
        world.journal += [MemberWrite("add", key, members.groups) for key, members in world.members.items()]
        self.save(world)

    def save(self, world: World) -> None:
        docs = {(kind, identifier): doc for kind, identifier, doc in _docs(world)}
        changed = {place: doc for place, doc in docs.items() if self._saved.get(place) != doc}
        gone = self._saved.keys() - docs.keys()
        if not (changed or gone or world.journal):
            return
        self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT OR REPLACE INTO thing (kind, id, doc) VALUES (?, ?, ?)",
            [(*place, doc) for place, doc in changed.items()],
        )
        self._connection.executemany("DELETE FROM thing WHERE kind = ? AND id = ?", list(gone))
        for write in world.journal:
            self._write(write)
        self._connection.execute("COMMIT")
        self._saved = docs
        world.journal.clear()

    def _write(self, write: MemberWrite) -> None:
        if write.action == "clear":
            self._connection.execute("DELETE FROM member_write")
        elif write.action in ("move", "forget"):
            self._connection.execute(_APPEND, (write.action, write.key, write.target, "", b""))
        for shape, packed in write.rows.items():
            self._connection.execute(_APPEND, (write.action, write.key, "", ",".join(shape), join(shape, packed)))

    def close(self) -> None:
        self._connection.close()


def _replay(world: World, write: MemberWrite) -> None:
    if write.action == "add":
        world.member_set(write.key).add(write.rows)
    elif write.action == "remove":
        world.member_set(write.key).remove(write.rows)
    elif write.action == "move":
        world.members[write.target] = world.members.pop(write.key, MemberSet())
    else:
        world.members.pop(write.key, None)


def _docs(world: World) -> Iterator[tuple[str, str, bytes]]:
    yield "settings", "", orjson.dumps(world.settings)
    yield "clock", "", orjson.dumps(world.clock.offset)
    kept: dict[str, Any] = {
        "token": world.tokens,
        "account": world.accounts,
        "campaign": world.campaigns,
        "ad_set": world.ad_sets,
        "audience": world.audiences,
    }
    for kind, objects in kept.items():
        for identifier, graph_object in objects.items():
            yield kind, identifier, orjson.dumps(graph_object)
    for (audience, number), session in world.sessions.items():
        yield "session", f"{audience}/{number}", orjson.dumps(session)
    for rule in world.faults.rules:
        yield "fault", str(rule.id), orjson.dumps(rule)


def _empty(world: World) -> None:
    for objects in (
        world.tokens,
        world.accounts,
        world.campaigns,
        world.ad_sets,
        world.audiences,
        world.sessions,
        world.members,
    ):
        objects.clear()


def _put(world: World, kind: str, doc: Any) -> None:
    if kind == "clock":
        world.clock.offset = doc
        return
    graph_object = _READERS[kind].validate_python(doc)
    match graph_object:
        case ServerSettings():
            world.settings = graph_object
        case AccessToken():
            world.tokens[graph_object.token] = graph_object
        case Account():
            world.accounts[graph_object.id] = graph_object
        case AdCampaign():
            world.campaigns[graph_object.id] = graph_object
        case AdSet():
            world.ad_sets[graph_object.id] = graph_object
        case CustomAudience():
            world.audiences[graph_object.id] = graph_object
        case SandboxSession():
            world.sessions[graph_object.audience, graph_object.id] = graph_object
        case Fault():
            world.faults.restore(graph_object)
