"""LeRobot processors of the LAM policy: words to piece ids, and nothing else.

Pictures, states and actions pass as they are: the statistics that the network
needs (by step and joint) travel in its own weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from lerobot.configs.types import FeatureType, PipelineFeatureType, PolicyFeature
from lerobot.lerobot_types import RobotObservation, TransitionKey
from lerobot.processor import (
    ObservationProcessorStep,
    PolicyAction,
    PolicyProcessorPipeline,
    ProcessorStepRegistry,
    make_default_policy_processor_steps,
    make_policy_processor_pipelines,
)
from lerobot.utils.constants import OBS_LANGUAGE_TOKENS

from lam_network.tokenizer import Tokenizer
from lerobot_policy_lam.configuration_lam import LamConfig

Pipelines = tuple[
    PolicyProcessorPipeline[dict[str, Any], dict[str, Any]],
    PolicyProcessorPipeline[PolicyAction, PolicyAction],
]
Features = dict[PipelineFeatureType, dict[str, PolicyFeature]]


@dataclass
@ProcessorStepRegistry.register(name="lam_words")
class WordsStep(ObservationProcessorStep):
    """Adds the piece ids of the task's text to the observation."""

    n_buckets: int
    max_words: int
    max_pieces: int

    def observation(self, observation: RobotObservation) -> RobotObservation:
        """Return the observation with `observation.language.tokens`, shape (B, W, P)."""
        extra = self.transition.get(TransitionKey.COMPLEMENTARY_DATA) or {}
        task = extra.get("task") or ""
        sentences = [task] if isinstance(task, str) else list(task)
        pieces = Tokenizer(self.n_buckets, self.max_words, self.max_pieces).encode_batch(sentences)
        return {**observation, OBS_LANGUAGE_TOKENS: torch.from_numpy(pieces)}

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same step again."""
        return {
            "n_buckets": self.n_buckets,
            "max_words": self.max_words,
            "max_pieces": self.max_pieces,
        }

    def transform_features(self, features: Features) -> Features:
        """Declare the feature that this step adds."""
        features[PipelineFeatureType.OBSERVATION][OBS_LANGUAGE_TOKENS] = PolicyFeature(
            type=FeatureType.LANGUAGE, shape=(self.max_words, self.max_pieces)
        )
        return features


def make_lam_pre_post_processors(
    config: LamConfig, dataset_stats: dict[str, dict[str, torch.Tensor]] | None = None
) -> Pipelines:
    """Return the pipelines before and after the policy."""
    steps = make_default_policy_processor_steps(config, dataset_stats)
    words = WordsStep(config.text_buckets, config.text_max_words, config.text_max_pieces)
    return make_policy_processor_pipelines(
        input_steps=[
            steps.rename_observations,
            steps.add_batch_dim,
            words,
            steps.to_device,
            steps.normalize,
        ],
        output_steps=[steps.unnormalize, steps.to_cpu],
    )
