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
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from audiences.campaign.wording import shown
from audiences.errors import FixConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""Where a project's main branch may be, the first of these that there is."""
_FOLDERS: Final = ("campaigns", "include")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_LINK, _FILES = "120000", ("100644", "100755")
_SECONDS = 60
# Nothing in the repository's settings is to start a program, and no folder of the project is to pass for a repository.
_QUIET: Final = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.quotePath=false"),
    *("-c", "safe.bareRepository=explicit"),
)


@dataclass(eq=False)
class RevisionError(FixConfigError):
    """Git does not know the revision, or the project is in no repository."""

    revision: str
    why: str

    def __str__(self) -> str:
        return f"{shown(self.revision)} cannot be compared with: {self.why}"


def commit_of(project: Path, revision: str | None) -> str:
    """The commit of a revision, by default where the working tree's branch left the main branch. Raises RevisionError."""
    if revision is None:
        head = _commit(project, "HEAD")
        for main in MAIN:
            if _known(project, main):
                found = _git(project, "merge-base", "--end-of-options", head, _commit(project, main), revision=main)
                return _checked(found, main)
        return head
    return _commit(project, revision)


@contextmanager
def files_at(project: Path, commit: str) -> Iterator[Path]:
    """A folder with `campaigns/` and `include/` of the project at that commit; it goes away afterwards. Raises RevisionError."""
    prefix = _git(project, "rev-parse", "--show-prefix", revision=commit).decode(errors="surrogateescape").rstrip("\n")
    with tempfile.TemporaryDirectory(prefix="audiences-review-") as name:
        root = Path(name)
        for folder in _FOLDERS:
            (root / folder).mkdir()
        entries = list(_entries(project, commit, prefix))
        contents = _contents(project, [blob for _, blob, _ in entries])
        for (mode, _, path), content in zip(entries, contents, strict=True):
            _put(root, path, mode, content)
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


def _entries(project: Path, commit: str, prefix: str) -> Iterator[tuple[str, str, PurePosixPath]]:
    """Mode, blob and path, below the project, of every file and link in its two folders."""
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
        if mode in (_LINK, *_FILES) and path.parts[0] in _FOLDERS and not {"..", "."} & set(path.parts):
            yield mode, blob, path


def _contents(project: Path, blobs: list[str]) -> Iterator[bytes]:
    """The content of each blob, in order."""
    answer = _git(
        project, "cat-file", "--batch", revision="HEAD", given="".join(f"{blob}\n" for blob in blobs).encode()
    )
    place = 0
    for blob in blobs:
        end = answer.index(b"\n", place)
        *_, size = answer[place:end].split()
        if not size.isdigit():
            raise RevisionError(blob, "git has lost a file of it; fetch the whole history")
        place = end + 1 + int(size) + 1
        yield answer[end + 1 : place - 1]


def _put(root: Path, path: PurePosixPath, mode: str, content: bytes) -> None:
    """A link stays a link: the loader refuses those that lead out of the project, as it does in the working tree."""
    target = root / path
    parents = [target.parent, *target.parent.parents]
    if any(parent.is_symlink() for parent in parents[: len(path.parts)]):
        return  # git knows no file behind a link
    target.parent.mkdir(parents=True, exist_ok=True)
    if mode == _LINK:
        target.symlink_to(os.fsdecode(content).split("\x00")[0] or ".")
    else:
        target.write_bytes(content)


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
        raise RevisionError(revision, said[0][:200] if said else "git does not know it")
    return done.stdout
