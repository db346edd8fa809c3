"""Where the command starts; ``python -m pytopo.cli`` does where no script is installed."""

import signal
import sys


def start() -> int:
    """Import the command, and run it.

    Until it answers Ctrl-C itself, that ends the process without a traceback.
    """
    answer = signal.getsignal(signal.SIGINT)
    if answer is signal.default_int_handler:  # not where Ctrl-C is ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from pytopo.cli.main import main

    signal.signal(signal.SIGINT, answer)
    return main()


if __name__ == "__main__":
    sys.exit(start())
