"""Ctrl-C is answered at once, whatever the command is busy with."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from pytopo.cli.interrupt import GivenUp, interruptible
from pytopo.cli.main import main
from pytopo.files import replacing


def interrupted_while(work):
    """Interrupt once work has begun, and return the seconds until that is heard."""
    begun = threading.Event()

    def job():
        begun.set()
        work()

    def press():
        begun.wait(10)
        moment.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    moment = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=press).start()
        with pytest.raises(GivenUp):
            interruptible(job)
        return time.perf_counter() - moment[0]
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_result_and_the_error_of_the_work_come_back():
    assert interruptible(lambda: 3) == 3
    with pytest.raises(KeyError, match="a bug"):
        interruptible(lambda: {}["a bug"])


def test_work_that_hears_nothing_is_given_up_at_once():
    release = threading.Event()
    try:
        assert interrupted_while(lambda: release.wait(30)) < 5
    finally:
        release.set()


def test_a_file_that_was_begun_is_gone_when_the_work_is_given_up(tmp_path):
    release, ended = threading.Event(), threading.Event()

    def work():
        try:
            with replacing(tmp_path / "a.txt") as stream:
                stream.write("half")
                release.wait(30)
        finally:
            ended.set()

    interrupted_while(work)
    release.set()
    ended.wait(10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["diagram", "explain"])
def test_a_command_says_in_one_line_that_it_was_interrupted(
    command, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.zeros((5, 5)))

    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("pytopo.images.image.open_image", interrupted)
    assert main([command, "a.npy"]) == 130
    assert capsys.readouterr() == ("", f"pytopo {command}: interrupted\n")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_while_the_command_is_imported_leaves_no_traceback():
    program = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Press:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'pytopo.cli.diagram': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Press())\n"
        "from pytopo.cli.__main__ import start\n"
        "start()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")
