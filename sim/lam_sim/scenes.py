"""What a scene can be (`SceneConfig`) and what one scene is (`SceneSpec`).

A spec is the whole result of sampling: the same spec gives the same world bit for bit.
Positions are in the robot's base frame: x forward, y left, z up, table top at z = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lam_ros.core.errors import ConfigError, unknown_name
from lam_sim import catalog
from lam_sim.naming import parse_names

FIXTURES = ("drawers", "buttons", "regions", "pieces")
"""Counts of a `SceneConfig` that only a furnished model can hold."""


@dataclass(frozen=True)
class Randomization:
    """How strongly each thing varies with the seed: 0 is off, 1 as the policy is trained.

    Attributes:
        light: direction, brightness, tint and ambient light.
        texture: pattern and colours of the table and of the background.
        color: shade of the objects around their nominal colour.
        camera: position, direction and field of view of both cameras.
        arm_pose: joint positions at the start around the home pose.
    """

    light: float = 1.0
    texture: float = 1.0
    color: float = 1.0
    camera: float = 1.0
    arm_pose: float = 1.0

    def __post_init__(self) -> None:
        """Refuse negative strengths."""
        for name in ("light", "texture", "color", "camera", "arm_pose"):
            if not getattr(self, name) >= 0.0:
                raise ConfigError(
                    f"randomization.{name}: {getattr(self, name)} came, 0 or more is allowed"
                )


@dataclass(frozen=True)
class SceneConfig:
    """A family of scenes; counts are inclusive ranges (least, most).

    Attributes:
        name: name of the family.
        cubes, bowls, spots, trays, distractors: how many of each.
        drawers, buttons, regions, pieces: how many fixtures; a family that has any is
            simulated with a model of its own.
        open_probability: chance that a drawer is out at the start.
        max_targets: most bowls, spots and trays together (the table is small).
        cube_colors: colours of cubes; each is used once a scene.
        target_colors: colours of bowls and spots; each is used once a kind.
        tray_colors, drawer_colors, piece_colors: colours of these.
        distractor_kinds: kinds that no task names.
        distractor_colors: their colours, none of which a cube has.
        placed_probability: chance that some cubes start in or on a target or a cube,
            as they lie in the middle of a longer plan.
        roaming_start_probability: chance that the arm starts anywhere above the table.
        objects: names such as `red cube`: exactly these are there, whatever the counts.
        include: names of objects that are there among those drawn.
        randomization: how strongly the rest varies.
    """

    name: str = "pick_place"
    cubes: tuple[int, int] = (3, 5)
    bowls: tuple[int, int] = (1, 2)
    spots: tuple[int, int] = (1, 2)
    trays: tuple[int, int] = (0, 1)
    distractors: tuple[int, int] = (0, 2)
    drawers: tuple[int, int] = (0, 0)
    buttons: tuple[int, int] = (0, 0)
    regions: tuple[int, int] = (0, 0)
    pieces: tuple[int, int] = (0, 0)
    open_probability: float = 0.5
    max_targets: int = 3
    cube_colors: tuple[str, ...] = catalog.TASK_COLORS
    target_colors: tuple[str, ...] = (*catalog.TASK_COLORS, "white")
    tray_colors: tuple[str, ...] = ("white", "grey")
    drawer_colors: tuple[str, ...] = ("white", "brown", "blue", "green", "red")
    piece_colors: tuple[str, ...] = ("brown", "white", "pink", "yellow")
    distractor_kinds: tuple[str, ...] = ("ball", "cylinder", "prism")
    distractor_colors: tuple[str, ...] = ("grey", "brown", "pink")
    placed_probability: float = 0.25
    roaming_start_probability: float = 0.15
    objects: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    randomization: Randomization = field(default_factory=Randomization)

    def __post_init__(self) -> None:
        """Check counts against the model's slots, and names against the catalogue.

        Raises:
            ConfigError: if a count, colour or kind cannot be had.
        """
        parse_names(self.objects)
        parse_names(self.include)
        for name in ("cubes", "bowls", "spots", "trays", *FIXTURES):
            self._check_range(name, catalog.kind_named(name[:-1]).slots)
        self._check_range("distractors", 2)
        if self.cubes[1] > len(self.cube_colors):
            raise ConfigError(
                f"scene '{self.name}': {self.cubes[1]} cubes need as many colors, "
                f"{len(self.cube_colors)} came"
            )
        colors = (*self.drawer_colors, *self.piece_colors, *self.distractor_colors)
        for color in (*self.cube_colors, *self.target_colors, *colors):
            catalog.rgb_of(color)
        for kind in self.distractor_kinds:
            if not catalog.kind_named(kind).is_distractor:
                allowed = [item.name for item in catalog.KINDS.values() if item.is_distractor]
                raise ConfigError(unknown_name("distractor", kind, allowed))

    @property
    def is_furnished(self) -> bool:
        """Whether any scene of the family may hold a fixture."""
        named = parse_names((*self.objects, *self.include))
        return any(getattr(self, name)[1] > 0 for name in FIXTURES) or any(
            catalog.kind_named(kind).is_fixture for kind, _ in named
        )

    def _check_range(self, name: str, most: int) -> None:
        low, high = getattr(self, name)
        if not 0 <= low <= high <= most:
            raise ConfigError(
                f"scene '{self.name}': {name} {low}..{high} came, allowed is 0..{most}, least first"
            )


@dataclass(frozen=True)
class ObjectSpec:
    """One object at the start.

    Attributes:
        id: `<color>_<kind>_<n>`.
        kind: its kind in the catalogue.
        color: its colour name.
        rgba: its shade, each between 0 and 1.
        position_m: its centre (x, y, z).
        yaw_rad: rotation about z.
        held_by: id of the object that it starts in or on; empty on the bare table.
        out: share of its travel that a drawer is out at the start.
    """

    id: str
    kind: str
    color: str
    rgba: tuple[float, float, float, float]
    position_m: tuple[float, float, float]
    yaw_rad: float
    held_by: str = ""
    out: float = 0.0


@dataclass(frozen=True)
class LightSpec:
    """Light of a scene: a key light (direction towards the scene) and a fill light."""

    key_direction: tuple[float, float, float] = (-0.30, -0.33, -0.89)
    key_rgb: tuple[float, float, float] = (0.55, 0.55, 0.55)
    fill_rgb: tuple[float, float, float] = (0.22, 0.22, 0.22)
    ambient_rgb: tuple[float, float, float] = (0.24, 0.24, 0.24)


@dataclass(frozen=True)
class TextureSpec:
    """Look of the table: pattern, its two colours, and the seed of its grain."""

    pattern: str = "wood"
    first_rgb: tuple[float, float, float] = (0.66, 0.50, 0.36)
    second_rgb: tuple[float, float, float] = (0.56, 0.41, 0.28)
    grain_seed: int = 0
    sky_rgb: tuple[float, float, float] = (0.62, 0.66, 0.70)


@dataclass(frozen=True)
class CameraShift:
    """Difference of a camera from where the description mounts it.

    Attributes:
        offset_m: translation in the parent's frame.
        rotation_rad: rotation vector in the camera's own frame.
        fovy_deg: change of the vertical field of view.
    """

    offset_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation_rad: tuple[float, float, float] = (0.0, 0.0, 0.0)
    fovy_deg: float = 0.0


@dataclass(frozen=True)
class SceneSpec:
    """One scene, completely.

    Attributes:
        seed: what it was drawn from.
        objects: everything on the table.
        arm_offset_rad: joint positions at the start minus the home pose, shape (J,); empty
            for none.
        light, texture: its look.
        cameras: camera name -> its shift.
    """

    seed: int
    objects: tuple[ObjectSpec, ...]
    arm_offset_rad: tuple[float, ...] = ()
    light: LightSpec = field(default_factory=LightSpec)
    texture: TextureSpec = field(default_factory=TextureSpec)
    cameras: tuple[tuple[str, CameraShift], ...] = ()

    def object(self, object_id: str) -> ObjectSpec:
        """Return the object of that id.

        Raises:
            ConfigError: if there is none.
        """
        for item in self.objects:
            if item.id == object_id:
                return item
        raise ConfigError(unknown_name("object", object_id, [item.id for item in self.objects]))
