"""The project's files as git has them at a revision, put into a folder of their own; the working tree stays as it is.

Git is called with fixed arguments. A revision is what somebody typed, or a branch that somebody named, so it stands where git
takes nothing for an option. The files come as they were committed, without filters and hooks.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from audiences.campaign.wording import file_name
from audiences.review.old_tree import Entry, OldFolder, RevisionError, needed_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""Where a project's main branch may be, the first of these that there is."""
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_SECONDS = 60
_WHOLE: Final = "this clone lacks a part of the history: fetch the whole (`git fetch --refetch --no-filter`)"
_PART: Final = (
    "this clone has a part of the history only, so where the branch left the main branch is not known; fetch the whole "
    "(`git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout), or name a revision"
)
# Nothing in the repository's settings is to start a program, and no folder of the project is to pass for a repository.
_QUIET: Final = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.quotePath=false"),
    *("-c", "safe.bareRepository=explicit"),
)


def commit_of(project: Path, revision: str | None) -> str:
    """The commit of a revision, by default where the working tree's branch left the main branch. Raises RevisionError."""
    if revision is None:
        head = _commit(project, "HEAD")
        main = next((name for name in MAIN if _known(project, name)), None)
        if main is None and _shallow(project):
            raise RevisionError(MAIN[0], _PART)
        return _left(project, head, main) if main else head
    return _commit(project, revision)


@contextmanager
def files_at(project: Path, commit: str) -> Iterator[Path]:
    """A folder with the project's files at that commit, those that `campaigns/` and `include/` need; it goes away afterwards.

    Raises RevisionError.
    """
    prefix = _git(project, "rev-parse", "--show-prefix", revision=commit).decode(errors="surrogateescape").rstrip("\n")
    entries = list(_entries(project, commit, prefix))
    links = [entry for entry in entries if entry.is_link]
    targets = dict(zip((entry.path for entry in links), _contents(project, commit, links), strict=True))
    with tempfile.TemporaryDirectory(prefix="audiences-review-") as name:
        root = Path(name)
        folder = OldFolder(root, commit[:12])
        needed = needed_of(entries, {path: os.fsdecode(target) for path, target in targets.items()}, commit=commit[:12])
        files = [entry for entry in needed if not entry.is_link]
        for entry, content in zip(files, _contents(project, commit, files), strict=True):
            folder.put_file(entry.path, content)
        for entry in needed:
            if entry.is_link:
                folder.put_link(entry.path, targets[entry.path])
        folder.complete()
        yield root


def _commit(project: Path, revision: str) -> str:
    if not revision or revision.startswith("-") or "\x00" in revision or not revision.isprintable():
        raise RevisionError(revision, "that is no revision of git")
    found = _git(
        project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", revision=revision
    )
    return _checked(found, revision)


def _known(project: Path, revision: str) -> bool:
    try:
        _commit(project, revision)
    except RevisionError:
        return False
    return True


def _checked(found: bytes, revision: str) -> str:
    commit = found.decode(errors="replace").strip().splitlines()[-1:] or [""]
    if not _COMMIT.fullmatch(commit[0]):
        raise RevisionError(revision, "git does not know it")
    return commit[0]


def _left(project: Path, head: str, main: str) -> str:
    """Where the branch left the main branch."""
    try:
        found = _git(project, "merge-base", "--end-of-options", head, _commit(project, main), revision=main)
    except RevisionError:
        why = _PART if _shallow(project) else "the branch has no commit in common with it; name a revision"
        raise RevisionError(main, why) from None
    return _checked(found, main)


def _shallow(project: Path) -> bool:
    return _git(project, "rev-parse", "--is-shallow-repository", revision="HEAD").strip() == b"true"


def _entries(project: Path, commit: str, prefix: str) -> Iterator[Entry]:
    """Every file, link and submodule of the project."""
    tree = f"{commit}:{prefix.rstrip('/')}" if prefix else commit
    try:
        listed = _git(project, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree, revision=commit)
    except RevisionError:
        if prefix:  # the project's folder came later
            return
        raise
    for line in filter(None, listed.split(b"\x00")):
        about, _, name = line.partition(b"\t")
        mode, _, blob = about.decode().split()
        path = PurePosixPath(os.fsdecode(name))
        if not {"..", "."} & set(path.parts):
            yield Entry(path, mode, blob)


def _contents(project: Path, commit: str, entries: list[Entry]) -> Iterator[bytes]:
    """The content of each file or link, in order."""
    given = "".join(f"{entry.blob}\n" for entry in entries).encode()
    try:
        answer = _git(project, "cat-file", "--batch", revision=commit, given=given) if entries else b""
    except RevisionError as error:
        raise RevisionError(commit[:12], f"git does not have all its files ({error.why}); {_WHOLE}") from None
    place = 0
    for entry in entries:
        end = answer.index(b"\n", place)
        *_, size = answer[place:end].split()
        if not size.isdigit():
            raise RevisionError(commit[:12], f"git does not have its {file_name(str(entry.path))}; {_WHOLE}")
        place = end + 1 + int(size) + 1
        yield answer[end + 1 : place - 1]


def _git(project: Path, *arguments: str, revision: str, given: bytes = b"") -> bytes:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        # What is not there is not fetched.
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run(  # noqa: S603  # arguments of ours, and a revision that stands after --end-of-options
            ["git", *_QUIET, *arguments],  # noqa: S607  # the git of whoever runs this
            cwd=project,
            env=environment,
            input=given,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise RevisionError(revision, "git is not installed") from None
    except subprocess.TimeoutExpired:
        raise RevisionError(revision, f"git did not answer in {_SECONDS} seconds") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        said.sort(key=lambda line: line.startswith(("warning:", "hint:")))
        raise RevisionError(revision, said[0][:200] if said else "git does not know it")
    return done.stdout
