"""Drivers of real arms: radians in and out, without ROS."""
