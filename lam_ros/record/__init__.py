"""`lam record`: a session of episodes, from the start gate to the last keep."""
