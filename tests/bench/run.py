"""Entry of ``make bench``: puts ``tests`` on the path, as pytest does, and runs ``bench.main``."""

import sys
from pathlib import Path

# In the place of this directory, so that no module here can stand in the way of a standard one.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.main import main  # noqa: E402  # only importable now

sys.exit(main(sys.argv[1:]))
