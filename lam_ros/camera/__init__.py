"""Cameras without ROS: devices that give pictures, and what watches over them."""
