"""`python -m lam_policies.ship SRC DST`: a training checkpoint made small enough to ship.

The network's weights are stored as float16, half the size; serving computes in float32 as
before.  The statistics stay as they are: they are few, and some are large numbers.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lam_policies.checkpoint import CARD, RETRIEVE, STATISTICS, WEIGHTS, open_checkpoint, sha256_of
from lam_policies.training.export import replace_folder
from lam_policies.training.history import compact
from lam_policies.training.provenance import without_paths
from lam_policies.training.report import CURVE_FILE, draw_curve
from lam_ros.core.errors import CheckpointError, ExitCode, LamError

MAX_SHIPPED_BYTES = 20_000_000
_ACTION_LOSS = 3
"""Column of the curve in a card: step, seconds, loss, action loss."""


def ship(source: Path, target: Path) -> Path:
    """Copy a checkpoint, its weights as float16, replacing an older one as a whole.

    Args:
        source: a checkpoint folder that training wrote.
        target: folder of the copy; its parent is made.

    Raises:
        CheckpointError: if the source is damaged, or the copy would be too large to ship.
    """
    checkpoint = open_checkpoint(source)
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for file in sorted(source.glob("*.json")):
        shutil.copyfile(file, part / file.name)
    save_file(halved(_read(source / WEIGHTS)), part / WEIGHTS, metadata={"format": "pt"})
    size = (part / WEIGHTS).stat().st_size
    if size > MAX_SHIPPED_BYTES:
        shutil.rmtree(part)
        raise CheckpointError(
            f"checkpoint '{source.name}': {size / 1e6:.1f} MB as float16, at most "
            f"{MAX_SHIPPED_BYTES / 1e6:.0f} MB are shipped; train a smaller network"
        )
    card = {**checkpoint.card, "storage": "float16", "sha256": sha256_of(part / WEIGHTS)}
    card["trained_sha256"] = checkpoint.card["sha256"]
    card["command"] = without_paths(card.get("command", ()))
    (part / CARD).write_text(json.dumps(compact(card), indent=1) + "\n", encoding="utf-8")
    _copy_curve(source, part, card)
    for file in part.iterdir():
        file.chmod(0o644)
    replace_folder(part, target)
    return target


def halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with those of the network as float16.

    Raises:
        CheckpointError: if one is not finite, or too large for float16.
    """
    stored = {}
    for name, value in weights.items():
        keep = name.startswith(STATISTICS) or not value.is_floating_point()
        stored[name] = value.contiguous() if keep else value.to(torch.float16).contiguous()
        if not bool(stored[name].isfinite().all()):
            raise CheckpointError(f"weight '{name}': not finite as float16; train again")
    return stored


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise CheckpointError(
            f"checkpoint '{path.parent.name}': {WEIGHTS} is no safetensors file ({error}); {RETRIEVE}"
        ) from None


def _copy_curve(source: Path, part: Path, card: Mapping[str, Any]) -> None:
    """Copy the run's curve, which lies beside its checkpoint, or draw it from the card."""
    for found in (source / CURVE_FILE, source.parent / CURVE_FILE):
        if found.is_file():
            shutil.copyfile(found, part / CURVE_FILE)
            return
    draw_curve(part / CURVE_FILE, [row[_ACTION_LOSS] for row in card.get("curve", ())])


def main(argv: Sequence[str]) -> int:
    """Ship the checkpoint that a command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lam_policies.ship", description=__doc__)
    parser.add_argument("source", type=Path, help="checkpoint folder of a training run")
    parser.add_argument("target", type=Path, help="for example policies/checkpoints/lam_so101")
    arguments = parser.parse_args(argv)
    target = ship(arguments.source, arguments.target)
    megabytes = sum(file.stat().st_size for file in target.iterdir()) / 1e6
    print(f"{target}: {megabytes:.1f} MB")
    return ExitCode.DONE


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LamError as error:
        print(f"ship: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
