"""`python -m lam_policies.training key=value ...`."""

import sys

from lam_policies.training.command import main
from lam_ros.core.errors import LamError

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LamError as error:
        print(f"train: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
