"""LAM: a small vision-language-action policy, as a LeRobot policy plugin.

Importing this package registers the policy type `lam`; LeRobot's own commands do
so by the distribution's name (`--policy.type=lam`).
"""

from lerobot_policy_lam.configuration_lam import LamConfig
from lerobot_policy_lam.modeling_lam import LamPolicy
from lerobot_policy_lam.processor_lam import make_lam_pre_post_processors

__all__ = ["LamConfig", "LamPolicy", "make_lam_pre_post_processors"]
