"""`python -m lam_policies.training.mean OUT FIRST SECOND ...`: the mean of checkpoints' weights.

Checkpoints that went on from the same one, each with other data, are averaged weight by weight
(Wortsman et al., 2022, "Robust fine-tuning of zero-shot models"): what one has forgotten the mean
often still does.  Nothing is trained.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from lam_policies.checkpoint import (
    CARD,
    STATISTICS,
    WEIGHTS,
    Checkpoint,
    open_checkpoint,
    sha256_of,
)
from lam_policies.training.export import replace_folder
from lam_policies.training.provenance import told
from lam_ros.core.errors import CheckpointError, ExitCode, LamError

_KEPT = ("format", "policy_type", "robot", "fingerprint", "skills", "dt_ns", "horizon")


def mean(sources: Sequence[Path], target: Path) -> Path:
    """Write the mean of checkpoints, replacing an older one as a whole.

    Args:
        sources: folders of checkpoints of one network with the same statistics.
        target: folder of the mean.

    Raises:
        CheckpointError: if one is damaged, or their weights do not belong together.
    """
    checkpoints = [open_checkpoint(folder) for folder in sources]
    first = checkpoints[0]
    for other in checkpoints[1:]:
        first.robot.require_match(other.robot, f"checkpoint '{other.folder.name}'")
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for file in sorted(first.folder.glob("*.json")):
        shutil.copyfile(file, part / file.name)
    save_file(_mean_of(checkpoints), part / WEIGHTS, metadata={"format": "pt"})
    names = [source.name for source in sources]
    card = {
        **{key: first.card[key] for key in _KEPT},
        "sha256": sha256_of(part / WEIGHTS),
        "created_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": ["python", "-m", "lam_policies.training.mean", target.name, *names],
        "mean_of": [told(source) for source in sources],
    }
    (part / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    replace_folder(part, target)
    return target


def _mean_of(checkpoints: Sequence[Checkpoint]) -> dict[str, torch.Tensor]:
    first, *others = [load_file(checkpoint.folder / WEIGHTS) for checkpoint in checkpoints]
    total = {name: value.to(torch.float32, copy=True) for name, value in first.items()}
    for checkpoint, weights in zip(checkpoints[1:], others, strict=True):
        for name in {*first, *weights}:
            if not _belong_together(name, first.get(name), weights.get(name)):
                raise CheckpointError(
                    f"checkpoint '{checkpoint.folder.name}': its {name} is not that of "
                    f"'{checkpoints[0].folder.name}'; only what went on from the same "
                    "checkpoint can be averaged"
                )
            total[name] += weights[name].float()
    count = len(checkpoints)
    return {
        name: first[name] if name.startswith(STATISTICS) else value / count
        for name, value in total.items()
    }


def _belong_together(name: str, one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    if one is None or other is None or one.shape != other.shape:
        return False
    return not name.startswith(STATISTICS) or torch.equal(one, other)


def main(argv: Sequence[str]) -> int:
    """Average the checkpoints that a command line names; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m lam_policies.training.mean", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("target", type=Path, help="folder of the mean")
    parser.add_argument("sources", type=Path, nargs="+", help="folders of checkpoints")
    arguments = parser.parse_args(argv)
    target = mean(arguments.sources, arguments.target)
    print(f"{target}: the mean of {len(arguments.sources)}")
    return ExitCode.DONE


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LamError as error:
        print(f"mean: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
