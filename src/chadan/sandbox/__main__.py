"""`python -m chadan.sandbox`: the same as `./chadan sandbox`."""

from __future__ import annotations

import sys

from chadan.cli import main

sys.exit(main(["sandbox", *sys.argv[1:]]))
