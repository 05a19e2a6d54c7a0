"""Meta-World (Yu et al., 2019) through LeRobot's environment: the yardstick that others publish on."""
