"""Drawers, buttons, regions and pieces are seen, and what has become of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from lam_ros.core.scene import Literal, Scene
from lam_ros.core.skills import Skill, Step
from lam_ros.evaluation.settings import load_settings
from lam_ros.perception.seer import Seer
from lam_sim.cameras import true_camera
from lam_sim.expert import Expert, Phase
from lam_sim.ik import CartesianTeleop
from lam_sim.sampling import sample_scene
from lam_sim.style import Style
from lam_sim.world import LockstepSim, SimConfig

WORN_OUT_FRAMES = 300
LOOKS = 3


class Table:
    """A table with every fixture, looked at from the front."""

    def __init__(self, stage) -> None:
        self.stage = stage
        self.sim = LockstepSim(stage.robot, SimConfig(load_settings(["suite=chains"]).suite.scene))
        self.scenes = {
            suite: load_settings([f"suite={suite}"]).suite.scene
            for suite in ("chains", "sweep", "push", "button", "drawer")
        }

    def set(self, suite: str, seed: int) -> Seer:
        self.sim.reset(sample_scene(self.scenes[suite], seed, self.sim.arm))
        return Seer(self.stage.robot, self.stage.config, self.stage.arm)

    def look(self, seer: Seer, times: int = 1) -> Scene:
        for _ in range(times):
            image = self.sim.observe().images["front"]
            camera = true_camera(self.sim.model, self.sim.data, "front", *image.shape[1::-1])
            state = self.sim.joint_state().position_rad
            scene = seer.see(image, camera, state, self.sim.now_ns)
        return scene

    def have_done(self, step: Step, seer: Seer) -> None:
        """Let the expert do a step, with an eye on the joints alone."""
        expert = Expert(self.stage.robot, CartesianTeleop(self.stage.robot), step, Style())
        phase, frame = Phase.APPROACH, 0
        while phase is not Phase.DONE and frame < WORN_OUT_FRAMES:
            decision = expert.decide(self.sim.truth(), self.sim.joint_state(), 0.04)
            phase, start = decision.phase, self.sim.target_rad
            for share in (0.5, 1.0):
                self.sim.step(start + (decision.target_rad - start) * share)
                seer.touch(self.sim.joint_state().position_rad)
            frame += 1


@pytest.fixture(scope="module")
def table(stage) -> Iterator[Table]:
    made = Table(stage)
    yield made
    made.sim.close()


def alike(seen: Scene, kind: str, color: str, position_m: tuple[float, float, float]) -> str:
    """Return the id of the thing of these looks that is nearest to a place, within 15 mm."""
    near = [
        (math.dist(item.position_m[:2], position_m[:2]), item.id)
        for item in seen.of_kind(kind)
        if item.color == color
    ]
    distance, name = min(near, default=(1.0, ""))
    return name if distance < 0.015 else ""


@pytest.mark.parametrize(
    ("suite", "seed"),
    [("sweep", 702_000), ("sweep", 702_001), ("push", 702_000), ("button", 702_001)],
)
def test_regions_pieces_and_buttons_are_found_and_nothing_else(table, suite, seed) -> None:
    seen = table.look(table.set(suite, seed), LOOKS)
    truth = table.sim.truth()
    names = {item.id: alike(seen, item.kind, item.color, item.position_m) for item in truth.objects}
    assert all(names.values()), names
    assert len(seen.objects) == len(truth.objects)
    for item in truth.objects:
        assert seen[names[item.id]].is_on == item.is_on
        assert seen[names[item.id]].inside == names.get(item.inside, "")


@pytest.mark.parametrize("seed", [702_000, 702_002, 702_003, 702_005])
def test_a_drawer_is_found_with_its_color_and_how_far_it_is_out(table, seed) -> None:
    seen = table.look(table.set("chains", seed), LOOKS)
    (true,) = table.sim.truth().of_kind("drawer")
    (drawer,) = seen.of_kind("drawer")
    assert drawer.color == true.color
    assert drawer.is_open == true.is_open
    assert drawer.opening == pytest.approx(true.opening, abs=0.15)
    assert drawer.distance_xy_m(true) < 0.012
    assert math.cos(drawer.yaw_rad - true.yaw_rad) > 0.98


def test_a_drawer_that_was_pulled_out_is_seen_to_be_open(table) -> None:
    seed = next(s for s in range(702_000, 702_050) if not _drawer(table, s).is_open)
    seer = table.set("chains", seed)
    before = table.look(seer, LOOKS)
    (drawer,) = before.of_kind("drawer")
    assert drawer.is_open is False
    table.have_done(Step(Skill.OPEN, _drawer_id(table), ""), seer)
    assert table.look(seer, LOOKS)[drawer.id].is_open is True


def test_a_button_has_been_pressed_once_the_fingers_are_where_its_cap_was(table) -> None:
    seer = table.set("button", 702_001)
    before = table.look(seer, LOOKS)
    buttons = table.sim.truth().of_kind("button")
    names = {item.id: alike(before, "button", item.color, item.position_m) for item in buttons}
    assert all(before[name].is_on is False for name in names.values())
    table.have_done(Step(Skill.PRESS, buttons[0].id, ""), seer)
    after = table.look(seer)
    for item in table.sim.truth().of_kind("button"):
        assert after.holds(Literal("pressed", (names[item.id],))) == bool(item.is_on), item.id


def test_what_hides_a_drawer_does_not_shut_it(table) -> None:
    seed = next(s for s in range(702_000, 702_050) if _drawer(table, s).is_open)
    seer = table.set("chains", seed)
    (drawer,) = table.look(seer, LOOKS).of_kind("drawer")
    assert drawer.is_open is True
    image = table.sim.observe().images["front"].copy()
    image[:, :] = image[0, 0]  # nothing but one colour: everything is out of sight
    camera = true_camera(table.sim.model, table.sim.data, "front", *image.shape[1::-1])
    state = table.sim.joint_state().position_rad
    scene = seer.see(image, camera, state, table.sim.now_ns)
    assert scene[drawer.id].is_open is True


def _drawer(table: Table, seed: int):
    table.set("chains", seed)
    (item,) = table.sim.truth().of_kind("drawer")
    return item


def _drawer_id(table: Table) -> str:
    (item,) = table.sim.truth().of_kind("drawer")
    return item.id
