"""Seeing: from the pictures of a camera to the objects on the table.

    picture -> light -> foreground, colours -> outlines fitted -> relations -> tracks -> Scene

Nothing here knows of ROS; the node `lam_ros.nodes.perception` feeds it.
"""
