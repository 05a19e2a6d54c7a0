"""From words to a verified plan, and from what is seen to the next step.

No ROS, no torch.  `planner` turns an instruction and a scene into a plan, a question
or a refusal (`outcome`); `execution` watches a plan being carried out.
"""
