"""Episodes on disk: written as rosbag2 bags, read, listed and repaired. Needs no ROS graph."""
