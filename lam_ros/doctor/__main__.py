"""`python -m lam_ros.doctor [--json]`."""

import sys

from lam_ros.doctor import run

sys.exit(run(json="--json" in sys.argv[1:]))
