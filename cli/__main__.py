"""``python -m pytopo.cli``: the ``pytopo`` command where no script is installed."""

import sys

from pytopo.cli.main import main

sys.exit(main())
