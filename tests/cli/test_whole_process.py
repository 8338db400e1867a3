"""A process of one command ends at once, unless Python has something left to do."""

from __future__ import annotations

import errno
import io
import json
import os
import platform
import subprocess
import sys
import threading

import pytest

from audiences.cli import one_command, whole_process
from audiences.cli.app import out
from audiences.cli.console import json_line
from audiences.cli.one_command import carry_out
from audiences.cli.streams import written_out


class Ended(BaseException):
    """In place of the end of the process."""


@pytest.fixture(autouse=True)
def given(monkeypatch):
    """Of the settings that a command has for libraries the environment has one, and after a test it is as before."""
    for name in ("OPENBLAS_NUM_THREADS", "PYDANTIC_DISABLE_PLUGINS"):
        monkeypatch.setenv(name, "4")
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS")


@pytest.fixture
def at_exit(monkeypatch):
    """Makes the command end with `code`; answers with the exit code of a process that ended at once, None otherwise."""
    monkeypatch.setattr(whole_process.gc, "set_threshold", lambda _: None)
    done = []
    monkeypatch.setattr(whole_process.atexit, "_run_exitfuncs", lambda: done.append("exit functions"))

    def now(code):
        assert done == ["exit functions"]
        done.append(code)
        raise Ended

    monkeypatch.setattr(whole_process.os, "_exit", now)

    def ending(code):
        monkeypatch.setattr(whole_process, "main", lambda: sys.exit(code))
        with pytest.raises((Ended, SystemExit)) as ended:
            whole_process.command()
        return done[-1] if ended.type is Ended else None

    return ending


@pytest.mark.parametrize(("code", "expected"), [(None, 0), (0, 0), (1, 1), (2, 2), ("a message", None)])
def test_the_exit_code_is_the_commands(at_exit, code, expected):
    assert at_exit(code) == expected


def test_libraries_leave_out_what_a_command_does_not_need_unless_they_are_told_otherwise(at_exit):
    at_exit(0)
    assert (os.environ["OPENBLAS_NUM_THREADS"], os.environ["PYDANTIC_DISABLE_PLUGINS"]) == ("4", "__all__")


def test_a_command_that_is_interrupted_before_it_has_begun_ends_without_a_traceback(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(whole_process.gc, "set_threshold", lambda _: None)
    monkeypatch.setattr(whole_process, "main", interrupted)
    with pytest.raises(SystemExit) as ended:
        whole_process.command()
    assert ended.value.code == 130


def test_a_thread_that_is_not_over_is_waited_for(at_exit):
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    assert at_exit(0) is None
    go_on.set()
    thread.join()


class Full(io.StringIO):
    """A standard output at whose end nobody takes anything, or on a full disk."""

    def __init__(self, error, *, kept_back=True):
        super().__init__()
        self.error, self.kept_back = error, kept_back

    def write(self, text):
        if not self.kept_back:
            raise self.error
        return len(text)

    def flush(self):
        if self.kept_back:
            raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), ""),
        (OSError(errno.ENOSPC, "No space left"), "error  the output cannot be written: No space left\n"),
    ],
)
def test_output_that_reaches_nobody_is_told_in_a_line_and_by_the_exit_code(at_exit, monkeypatch, capsys, error, said):
    monkeypatch.setattr(sys, "stdout", Full(error))
    assert at_exit(0) == 1
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("kept_back", [True, False])
@pytest.mark.parametrize("asked", [["schedule", "abandoned_cart"], ["schedule", "abandoned_cart", "--json"]])
def test_a_command_on_a_full_disk_ends_with_a_line_and_no_traceback(monkeypatch, capsys, asked, kept_back):
    """Python keeps back what is printed for a while, unless PYTHONUNBUFFERED is set."""
    full = Full(OSError(errno.ENOSPC, "No space left"), kept_back=kept_back)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            carry_out(asked)
        code = ended.value.code or int(not written_out())
    out.begin_capture()  # what the console could not print it would print in the next test
    out.end_capture()
    assert (code, capsys.readouterr().err.count("error  ")) == (1, 1)


def test_an_error_that_is_not_of_the_output_stays_what_it_was(monkeypatch):
    def refused(_):
        raise ConnectionResetError(errno.ECONNRESET, "reset")

    monkeypatch.setattr(one_command, "app", refused)
    with pytest.raises(ConnectionResetError):
        carry_out(["status"])


def test_streams_that_are_closed_take_what_is_printed_and_give_nothing(at_exit, monkeypatch):
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert at_exit(0) == 0
    assert sys.stdin.read() == ""
    assert sys.stdout.write("x") == sys.stderr.write("x") == 1
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.close()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_has_not_every_character_gets_the_others_in_escapes(at_exit, monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert at_exit(0) == 0
    sys.stdout.write("✓\n")
    json_line({"name": "Café ✓"})
    sys.stdout.flush()
    first, second = written.getvalue().decode(encoding).splitlines()
    assert first == ("✓" if encoding == "utf-8" else r"\u2713")
    assert json.loads(second) == {"name": "Café ✓"}


IN_MANY_THREADS = """
import ctypes, sys, threading
from audiences.cli.whole_process import few_arenas
if sys.argv[1] == "few":
    few_arenas()
all_there = threading.Barrier(8)
def work():
    all_there.wait()
    list(map(str, range(100_000)))
    all_there.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep no memory apart for each thread")
def test_threads_of_a_run_share_what_memory_is_free():
    def arenas(how: str) -> int:
        told = subprocess.run(
            [sys.executable, "-c", IN_MANY_THREADS, how], capture_output=True, text=True, check=True
        ).stdout
        return told.count("<heap nr=")

    assert arenas("few") <= 2 < arenas("many")
