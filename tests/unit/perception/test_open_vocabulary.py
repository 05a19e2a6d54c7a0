"""Boxes for names become things on the table; the models themselves are somebody else's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.core.scene import Literal
from lam_ros.core.types import ImageArray
from lam_ros.perception.config import OpenConfig
from lam_ros.perception.open_vocabulary import Box, OpenDetector, ZeroShotFinder
from lam_ros.perception.outline import outline_px
from lam_ros.perception.seer import Seer
from lam_ros.perception.tracking import Tracker

SEED = 1_000_302
KINDS = ("cube", "bowl", "spot", "tray", "ball", "cylinder", "prism")


class Told:
    """A finder that knows where everything is, and doubts some of it."""

    def __init__(self, stage, camera) -> None:
        self.boxes = []
        for item in stage.sim.truth().objects:
            kind = stage.config.kind(item.kind)
            points = np.asarray(outline_px(camera, kind, item.position_m, item.yaw_rad))
            (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
            self.boxes.append(Box(item.kind, 0.9, left, top, right, bottom))

    def find(self, image: ImageArray) -> Sequence[Box]:
        doubles = [replace(box, score=0.3, left_px=box.left_px + 1) for box in self.boxes]
        return [*doubles, *self.boxes]


def detector(stage, finder) -> OpenDetector:
    config = replace(stage.config, open=OpenConfig("some/model", KINDS))
    return OpenDetector(config, stage.arm, finder)


def test_named_boxes_become_things_of_that_kind_near_where_they_stand(stage) -> None:
    image, camera = stage.set(SEED)
    found = detector(stage, Told(stage, camera)).see(image, camera, stage.joints_rad)
    truth = stage.sim.truth()
    assert len(found.objects) == len(truth.objects)
    for item in truth.objects:
        near = min(
            float(np.linalg.norm(np.subtract(o.fit.center_m[:2], item.position_m[:2])))
            for o in found.objects
            if o.fit.kind.name == item.kind
        )
        assert near < 0.025, item.id
    colored = [o.color == truth.of_kind("cube")[0].color for o in found.objects]
    assert any(colored)


def test_what_lies_in_a_bowl_is_tracked_as_in_it(stage) -> None:
    image, camera = stage.set(SEED)
    told = Told(stage, camera)
    bowl = next(box for box in told.boxes if box.kind == "bowl")
    width, height = bowl.right_px - bowl.left_px, bowl.bottom_px - bowl.top_px
    cube = Box("cube", 0.9, bowl.left_px + 0.35 * width, bowl.top_px + 0.3 * height,
               bowl.left_px + 0.65 * width, bowl.top_px + 0.8 * height)  # fmt: skip
    told.boxes = [bowl, cube]
    tracker, looks = Tracker(stage.config.track), detector(stage, told)
    for stamp in (1, 2):
        scene = tracker.update(looks.see(image, camera, stage.joints_rad), stamp)
    (inside,), (around,) = scene.of_kind("cube"), scene.of_kind("bowl")
    assert scene.holds(Literal("in", (inside.id, around.id)))


def test_what_is_not_there_is_one_line_with_the_remedy(stage) -> None:
    with pytest.raises(ConfigError, match=r"perception\.open\.kinds"):
        OpenDetector(replace(stage.config, open=OpenConfig("some/model")), None)
    config = replace(stage.config, open=OpenConfig("nobody/has-this", KINDS))
    with pytest.raises(MachineError, match=r"pip install transformers|hf download nobody/has-this"):
        Seer(stage.robot, config, stage.arm)
    with pytest.raises(ConfigError, match=r"perception\.open\.threshold"):
        OpenConfig(threshold=0.0)


def test_a_model_of_transformers_is_asked_as_it_wants_to_be(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="an optional package")
    _tiny_owlv2(transformers, tmp_path)
    finder = ZeroShotFinder(OpenConfig(str(tmp_path), ("mug", "banana"), threshold=0.01))
    image = np.random.default_rng(0).integers(0, 255, (80, 128, 3), dtype=np.uint8)
    found = finder.find(image)
    assert {box.kind for box in found} <= {"mug", "banana"}
    for box in found:
        assert box.area_px2 > 0
        assert box.left_px >= 0
        assert box.right_px <= 128
        assert box.bottom_px <= 80


def _tiny_owlv2(transformers, folder: Path) -> None:
    """Write an OWLv2 of random weights, and a tokenizer of letters."""
    letters = [chr(code) for code in range(33, 127)]
    names = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    vocab = {name: k for k, name in enumerate(names)}
    (folder / "vocab.json").write_text(json.dumps(vocab))
    start, end = len(names) - 2, len(names) - 1
    tokens = transformers.CLIPTokenizer(
        vocab=vocab, merges=[], model_max_length=40, pad_token=names[end]
    )
    images = transformers.Owlv2ImageProcessor(size={"height": 96, "width": 96})
    transformers.Owlv2Processor(image_processor=images, tokenizer=tokens).save_pretrained(folder)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
             "num_attention_heads": 2}  # fmt: skip
    text = sizes | {"vocab_size": len(vocab), "max_position_embeddings": 40, "bos_token_id": start,
                    "eos_token_id": end, "pad_token_id": end}  # fmt: skip
    vision = sizes | {"image_size": 96, "patch_size": 16}
    config = transformers.Owlv2Config(text_config=text, vision_config=vision, projection_dim=32)
    transformers.Owlv2ForObjectDetection(config).save_pretrained(folder)
