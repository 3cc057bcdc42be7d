"""`python -m chadan`."""

import sys

from chadan.cli import main

sys.exit(main(sys.argv[1:]))
