"""`python -m checks`: see `python -m checks --help`."""

import gc
import os
import sys

gc.disable()  # a short run: collecting while a lab is parsed costs more than it frees

from checks.runner import command  # noqa: E402

status = command.main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.flush()
os._exit(status)  # nothing is left to clean up, and the interpreter's own exit costs 2 ms
