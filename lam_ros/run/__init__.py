"""`lam run`: one instruction through the whole ROS 2 graph, in simulation."""
