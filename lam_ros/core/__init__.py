"""The logic that ROS nodes, the lockstep simulator and the tests share.

This package imports numpy and the standard library, nothing else: no ROS, no
torch, no MuJoCo.  The same functions therefore run in the graph (real time), in
lockstep (faster than real time) and in tests.
"""
