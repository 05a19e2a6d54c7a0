"""The LAM network and what it needs to act: torch and numpy, nothing of LeRobot.

LeRobot's policies and their libraries take many times as long to import as torch does; a node
that plays one checkpoint waits for none of them.  `lerobot_policy_lam` puts LeRobot's interface
about the same modules, and trains them.
"""
