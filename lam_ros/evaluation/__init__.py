"""Closed-loop evaluation in lockstep: seeded episodes, success with an interval, failures by kind."""
