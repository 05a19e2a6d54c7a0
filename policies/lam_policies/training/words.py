"""`python -m lam_policies.training.words SRC DST`: teach a checkpoint's text encoder to read.

Sentences cost nothing, so the encoder learns to tell skill, colours and kinds apart from
the wordings alone, before any picture; everything else in the checkpoint stays as it is.
`--skills all` adds the skills that the checkpoint has never heard of, with their kinds.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.progress import track

from lam_policies.checkpoint import Checkpoint, open_checkpoint
from lam_policies.training.batches import as_long_as_needed
from lam_policies.training.export import export
from lam_policies.training.provenance import told
from lam_policies.training.reading import every_step, slot_labels
from lam_policies.training.state import fitting
from lam_ros.core.errors import ExitCode, LamError
from lam_ros.core.language import Split, sample
from lam_ros.core.skills import DEMONSTRATED
from lam_sim.catalog import COLOR_RGB
from lerobot_policy_lam.modeling_lam import LamPolicy

_JUDGED = 1000
_WARM_UP_STEPS = 100
_FINAL_RATE = 0.05


@dataclass(frozen=True)
class WordsConfig:
    """How long and how fast to learn, and the seed of the sentences."""

    steps: int = 800
    batch_size: int = 128
    learning_rate: float = 2e-3
    seed: int = 0


def widened(policy: LamPolicy) -> LamPolicy:
    """Return the policy with names for every skill that can be demonstrated, and its kinds.

    The heads that name them start anew; all other weights are the policy's.
    """
    said = every_step([*COLOR_RGB], DEMONSTRATED)
    names = {
        "skills": sorted({str(step.skill) for step in said}),
        "kinds": sorted({step.object_kind for step in said} | {step.target_kind for step in said}),
        "colors": sorted({*COLOR_RGB, ""}),
    }
    wide = LamPolicy(replace(policy.config, **names))
    wide.load_state_dict(fitting(policy.state_dict(), wide.state_dict()), strict=False)
    return wide


def learn(policy: LamPolicy, config: WordsConfig, console: Console) -> None:
    """Teach the text encoder and its heads."""
    rng = np.random.default_rng(config.seed)
    torch.manual_seed(config.seed)
    steps = every_step(policy.config.colors, policy.config.skills)
    parts = policy.network.text, policy.network.slots
    parameters = [value for part in parts for value in part.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, config.learning_rate, betas=(0.9, 0.98), weight_decay=1e-3
    )
    policy.train()
    for i in track(range(config.steps), "words", console=console):
        fall = 0.5 * (1 + math.cos(math.pi * i / config.steps))
        rate = min(1.0, (i + 1) / _WARM_UP_STEPS) * (_FINAL_RATE + (1 - _FINAL_RATE) * fall)
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * rate
        said = [steps[k] for k in rng.integers(len(steps), size=config.batch_size)]
        logits = _read(policy, [sample(step, rng) for step in said])
        labels = torch.tensor([slot_labels(step, policy.config) for step in said])
        losses = [F.cross_entropy(x, labels[:, k], ignore_index=-1) for k, x in enumerate(logits)]
        torch.stack(losses).sum().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    policy.eval()


@torch.no_grad()
def judge(policy: LamPolicy, split: Split) -> float:
    """Return the share of sentences of a split that are read without any mistake."""
    rng = np.random.default_rng(5)
    steps = every_step(policy.config.colors, policy.config.skills)
    said = [steps[k] for k in rng.integers(len(steps), size=_JUDGED)]
    logits = _read(policy, [sample(step, rng, split) for step in said])
    guesses = torch.stack([x.argmax(1) for x in logits], dim=1)
    labels = torch.tensor([slot_labels(step, policy.config) for step in said])
    return float(((guesses == labels) | (labels < 0)).all(1).float().mean())


def _read(policy: LamPolicy, sentences: Sequence[str]) -> list[torch.Tensor]:
    pieces = torch.from_numpy(policy.tokenizer.encode_batch(sentences))
    return policy.read(as_long_as_needed(pieces))


def main(argv: Sequence[str]) -> int:
    """Teach the checkpoint that a command line names; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m lam_policies.training.words", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("source", type=Path, help="checkpoint folder of a training run")
    parser.add_argument("target", type=Path, help="folder of the new checkpoint")
    parser.add_argument("--steps", type=int, default=WordsConfig.steps)
    parser.add_argument("--seed", type=int, default=WordsConfig.seed)
    parser.add_argument("--learning-rate", type=float, default=WordsConfig.learning_rate)
    parser.add_argument(
        "--skills",
        choices=("own", "all"),
        default="own",
        help="the checkpoint's own, or every skill that can be demonstrated",
    )
    arguments = parser.parse_args(argv)
    config = WordsConfig(
        steps=arguments.steps, seed=arguments.seed, learning_rate=arguments.learning_rate
    )
    console = Console(stderr=True)
    checkpoint = open_checkpoint(arguments.source)
    policy = LamPolicy.from_pretrained(checkpoint.folder)
    if arguments.skills == "all":
        policy = widened(policy)
    learn(policy, config, console)
    read: dict[str, float] = {"train": judge(policy, "train"), "heldout": judge(policy, "heldout")}
    _export(policy, checkpoint, arguments.target, config, read)
    console.print(f"{arguments.target}: read without mistake {json.dumps(read)}")
    return ExitCode.DONE


def _export(
    policy: LamPolicy,
    checkpoint: Checkpoint,
    target: Path,
    config: WordsConfig,
    read: dict[str, float],
) -> None:
    card = checkpoint.card
    command = f"python -m lam_policies.training.words {checkpoint.folder.name} {target.name}"
    export(
        policy,
        target,
        robot=checkpoint.robot,
        dt_ns=int(card["dt_ns"]),
        provenance={
            "command": [*command.split(), f"--steps={config.steps}", f"--seed={config.seed}"],
            "steps": config.steps,
            "read_without_mistake": read,
            "start_from": told(checkpoint.folder),
        },
    )


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LamError as error:
        print(f"words: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
