"""Training data of Meta-World for our policy and LeRobot's."""
