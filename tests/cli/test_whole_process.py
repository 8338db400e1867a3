"""A process of one command ends at once, unless Python has something left to do."""

from __future__ import annotations

import sys
import threading

import pytest

from audiences.cli import whole_process


class Ended(BaseException):
    """In place of the end of the process."""


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


def test_a_thread_that_is_not_over_is_waited_for(at_exit):
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    assert at_exit(0) is None
    go_on.set()
    thread.join()


def test_a_reader_that_is_gone_is_told_by_python(at_exit, monkeypatch):
    def gone():
        raise BrokenPipeError

    monkeypatch.setattr(sys.stdout, "flush", gone)
    assert at_exit(0) is None
