"""A recording's commands sent again: to the simulator in lockstep, or to the arm."""
