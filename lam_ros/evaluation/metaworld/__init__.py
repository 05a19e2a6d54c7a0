"""`lam eval env=metaworld`: any policy, closed loop, in LeRobot's Meta-World."""
