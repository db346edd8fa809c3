"""What takes long says so on a terminal, and nowhere else."""

import io
import sys
import time
from contextlib import contextmanager

import pytest

from pytopo import progress
from pytopo.cli.report import say


class Terminal(io.StringIO):
    """A stderr that a person looks at."""

    def isatty(self):
        return True

    def seen(self):
        """Return what stands in the current line."""
        line = []
        at = 0
        for letter in self.getvalue().rpartition("\n")[2]:
            if letter == "\r":
                at = 0
            else:
                line[at : at + 1] = letter
                at += 1
        return "".join(line).rstrip()


@pytest.fixture
def watch(monkeypatch):
    """Return a function that makes stderr a terminal, which pytest would undo in a fixture."""

    def watched():
        monkeypatch.setattr("sys.stderr", Terminal())
        monkeypatch.setattr(progress, "PATIENCE", 0.03)
        monkeypatch.setattr(progress, "PERIOD", 0.01)
        return sys.stderr

    return watched


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_takes_long_is_said_on_the_terminal_and_gone_when_it_is_done(watch):
    terminal = watch()
    with progress.progress("diagram of 3 x 4 pixels"):
        wait_for(terminal.getvalue)
        assert terminal.seen() == "diagram of 3 x 4 pixels: 0 s"
    assert terminal.seen() == ""
    assert "\n" not in terminal.getvalue()


def test_what_is_short_says_nothing(watch, monkeypatch):
    terminal = watch()
    monkeypatch.setattr(progress, "PATIENCE", 60)
    with progress.progress("a step"):
        time.sleep(0.03)
    assert terminal.getvalue() == ""


def test_where_stderr_is_no_terminal_nothing_is_written(watch, monkeypatch):
    terminal = watch()
    monkeypatch.setattr(Terminal, "isatty", lambda self: False)
    with progress.progress("a step"):
        time.sleep(0.06)
    assert terminal.getvalue() == ""
    monkeypatch.setattr("sys.stderr", None)
    with progress.progress("a step"):
        pass


def test_a_message_takes_the_place_of_the_line(watch):
    terminal = watch()
    with progress.progress("a step"):
        wait_for(terminal.getvalue)
        before = len(terminal.getvalue())
        say("a note")
        after = terminal.getvalue()[before:]
    line = "a step: 0 s"
    assert f"\r{' ' * len(line)}\ra note\n" in after  # the line may move in between


def test_parts_that_are_done_say_how_much_time_is_left(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    line = progress.Progress("epoch 3", 640, "step")
    now[0] += 12
    assert line.text() == "epoch 3, step 0 of 640: 12 s"
    line.done = 120
    assert line.text() == "epoch 3, step 120 of 640: 12 s, 52 s left"
    line.begin("epoch 4", 640, done=600)  # resumed there: those took no time
    now[0] += 10
    line.done = 620
    assert line.text() == "epoch 4, step 620 of 640: 10 s, 10 s left"


def test_an_expected_time_stands_beside_the_time_that_it_took(monkeypatch):
    line = progress.Progress("assignment of 20000 points", expected=80)
    monkeypatch.setattr(line, "started", time.monotonic() - 12)
    assert line.text() == "assignment of 20000 points: 12 s of about 1 min 20 s"


def test_a_narrow_terminal_gets_a_short_line(watch, monkeypatch):
    terminal = watch()
    monkeypatch.setenv("COLUMNS", "20")
    with progress.progress("diagram of a very large image"):
        wait_for(terminal.getvalue)
        assert terminal.seen() == "diagram of a very …"


def test_training_counts_the_steps_of_the_epoch(monkeypatch):
    from pytopo.training import run

    lines = []

    @contextmanager
    def noted(*args, **options):
        lines.append(progress.Progress(*args, **options))
        yield lines[0]

    monkeypatch.setattr(run, "progress", noted)
    steps = run._watched(iter("abcd"), "runs/a", first_step=2, epoch_steps=4)
    seen = [(step, lines[0].text().partition(":")[0]) for step in steps]
    assert seen == [
        ("a", "runs/a, epoch 0, step 3 of 4"),
        ("b", "runs/a, epoch 0, validation"),
        ("c", "runs/a, epoch 1, step 1 of 4"),
        ("d", "runs/a, epoch 1, step 2 of 4"),
    ]
