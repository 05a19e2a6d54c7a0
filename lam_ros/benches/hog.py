"""Work as a network does it, on every core, until it is ended: a neighbour for benches."""

from __future__ import annotations

import numpy as np


def main() -> None:
    """Multiply matrices for ever."""
    left = np.ones((768, 768), np.float32)
    while True:
        left = np.clip(left @ left, 0.0, 1.0)


if __name__ == "__main__":
    main()
