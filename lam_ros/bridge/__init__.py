"""The only place that knows ROS messages: what they mean, where they go, how nodes run."""
