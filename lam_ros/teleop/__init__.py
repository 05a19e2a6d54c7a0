"""Teleoperation: devices behind one port, and what makes their wishes safe to send.  No ROS."""
