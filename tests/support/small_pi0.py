"""A pi0 of LeRobot's with a network small enough for a test, and a tokenizer made on the spot.

LeRobot's configuration names two sizes of pi0's language model alone, and none of its eye; so
they are made small where its module looks them up.  Everything else is as it is: PaliGemma's
and the action expert's layers, the flow matching, the processors with their tokenizer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from lerobot.policies.factory import (
    get_policy_class,
    make_policy_config,
    make_pre_post_processors,
)
from lerobot.policies.pi0 import modeling_pi0
from lerobot.utils.constants import ACTION, OBS_STATE
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast, SiglipVisionConfig
from transformers.models.paligemma.modeling_paligemma import PaliGemmaMultiModalProjector

from lam_policies.processors import TOKENIZER
from lam_policies.robot_features import features_of
from lam_ros.core.robot import RobotDescription

WORDS = ("put", "the", "red", "blue", "cube", "in", "bowl", "go", "home")
HORIZON = 8
WIDTH = 16


@contextmanager
def small_sizes() -> Iterator[None]:
    """Make pi0 small while it is built."""
    sizes = modeling_pi0.GemmaConfig(
        width=WIDTH, depth=1, mlp_dim=32, num_heads=8, num_kv_heads=1, head_dim=8
    )
    full = modeling_pi0.CONFIG_MAPPING

    class Small:
        def __getitem__(self, name: str) -> Any:
            return small_paligemma if name == "paligemma" else full[name]

    def small_paligemma() -> Any:
        eye = SiglipVisionConfig(
            hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2, vision_use_head=False
        )
        return full["paligemma"](vision_config=eye)

    def as_wide(projector: Any, config: Any) -> None:
        config.vision_config.projection_dim = WIDTH  # pi0 has written its own into it
        made(projector, config)

    made = PaliGemmaMultiModalProjector.__init__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modeling_pi0, "get_gemma_config", lambda _variant: sizes)
        patch.setattr(modeling_pi0, "CONFIG_MAPPING", Small())
        patch.setattr(PaliGemmaMultiModalProjector, "__init__", as_wide)
        yield


def save_tokenizer(folder: Path) -> Path:
    """Write a tokenizer that knows a dozen words."""
    known = {word: k for k, word in enumerate(["<pad>", "<unk>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


def save_small_pi0(robot: RobotDescription, folder: Path) -> Path:
    """Write a small pi0 with random weights, its processors, and its tokenizer beside them."""
    torch.manual_seed(0)
    config = make_policy_config(
        "pi0", device="cpu", push_to_hub=False, chunk_size=HORIZON, n_action_steps=HORIZON,
        image_resolution=(28, 28), num_inference_steps=4, tokenizer_max_length=8, max_state_dim=8,
        max_action_dim=8, **features_of(robot),
    )  # fmt: skip
    get_policy_class("pi0")(config).eval().save_pretrained(folder)
    far = torch.linspace(0.1, 1.5, len(robot.joints))
    joint = {"mean": far / 9, "std": far, "min": -far, "max": far}
    # The processors open their tokenizer when they are made; none is here by the hub's name.
    known = AutoTokenizer.from_pretrained(save_tokenizer(folder / TOKENIZER))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AutoTokenizer, "from_pretrained", lambda _name: known)
        for processor in make_pre_post_processors(
            config, dataset_stats={OBS_STATE: joint, ACTION: joint}
        ):
            processor.save_pretrained(folder)
    return folder
