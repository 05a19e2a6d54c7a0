"""Settings of perception: what may lie on the table, how it looks, and how sure to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from lam_ros.core.errors import ConfigError, unknown_name


class Shape(StrEnum):
    """Solids whose outline perception can draw."""

    BOX = "box"
    CYLINDER = "cylinder"
    CONE = "cone"
    BALL = "ball"


@dataclass(frozen=True)
class PartConfig:
    """A box that belongs to a larger thing.

    Attributes:
        center_m: its centre from the middle of the larger thing's foot, at zero yaw.
        size_m: its extent (x, y, z) at zero yaw.
    """

    center_m: tuple[float, float, float]
    size_m: tuple[float, float, float]


@dataclass(frozen=True)
class SlideConfig:
    """What slides out of a thing, towards -x at zero yaw: a drawer out of its cabinet.

    Attributes:
        travel_m: how far it comes out.
        open_m, closed_m: out by more than the first it is open, by less than the second closed.
        colors: colours it comes in; the thing that it slides out of is described by its kind.
        parts: boxes that fill its outline while it is shut.
    """

    travel_m: float
    open_m: float
    closed_m: float
    colors: tuple[str, ...]
    parts: tuple[PartConfig, ...]


@dataclass(frozen=True)
class KindConfig:
    """One kind of object to look for.

    Attributes:
        name: kind, as in scenes.
        shape: its solid.
        size_m: extent (x, y, z) at zero yaw.
        base_share: of a cone, the radius of its foot as a share of its rim's.
        floor_m: height at which things rest in or on it, above its bottom.
        colors: colours it comes in; empty for any.
        lies_on_table: True if it is never seen on or in something else.
        raised_m: height of its lower side above the table, of what is only part of a thing:
            the cap of a button, which alone bears its colour.
        whole_m: extent of the whole thing then; None if `size_m` says it.
        slides: what slides out of it; None if nothing does.
        is_many: True if several of one colour lie close together, so that a blob may be them.
    """

    name: str
    shape: Shape
    size_m: tuple[float, float, float]
    base_share: float = 1.0
    floor_m: float = 0.0
    colors: tuple[str, ...] = ()
    lies_on_table: bool = True
    raised_m: float = 0.0
    whole_m: tuple[float, float, float] | None = None
    slides: SlideConfig | None = None
    is_many: bool = False

    @property
    def is_carrier(self) -> bool:
        """Whether things rest in or on it, and it on the table: a bowl, a spot, a tray."""
        return self.floor_m > 0 and self.lies_on_table

    @property
    def is_stackable(self) -> bool:
        """Whether things rest on it, and it on others: a cube."""
        return self.floor_m > 0 and not self.lies_on_table


@dataclass(frozen=True)
class LightConfig:
    """A patch of known colour that tells how the scene is lit.

    Attributes:
        center_m: middle of a flat disc in the base frame.
        radius_m: its radius; 0 if there is none.
        rgb: its colour, each between 0 and 1.
    """

    center_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    radius_m: float = 0.0
    rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class TrackConfig:
    """How objects are followed over time.

    Attributes:
        gate_m: farthest that an object may seem to move from one picture to the next.
        smoothing: weight of a new position when the object rests, 0 to 1.
        confirm_count: in how many pictures a new thing must be seen before it counts.
        miss_limit: after how many pictures in plain view without it a thing is gone.
        held_radius_m: farthest from the tool's point that a held object's centre may be.
        grip_rad: least and largest position of the jaw at which it may hold something.
        pressed_m: height of the tool's point over where a button's cap was, at which it has given
            way; the tips of closed fingers reach lower than that point.
    """

    gate_m: float = 0.05
    smoothing: float = 0.4
    confirm_count: int = 2
    miss_limit: int = 8
    held_radius_m: float = 0.035
    grip_rad: tuple[float, float] = (0.085, 0.235)
    pressed_m: float = 0.0070


@dataclass(frozen=True)
class OpenConfig:
    """An open-vocabulary detector instead of outlines (`perception.open_vocabulary`).

    Attributes:
        model: of transformers, OWLv2 or Grounding DINO, as OWNER/NAME or a folder; empty for none.
        kinds: names of what to look for.
        threshold: least score that counts, 0 to 1.
        most_shared: share of their area above which two boxes are one thing.
    """

    model: str = ""
    kinds: tuple[str, ...] = ()
    threshold: float = 0.2
    most_shared: float = 0.6

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        for name in ("threshold", "most_shared"):
            if not 0 < getattr(self, name) <= 1:
                raise ConfigError(
                    f"perception.open.{name}: {getattr(self, name)} came, above 0 and up to 1 is "
                    "allowed"
                )


@dataclass(frozen=True)
class PerceptionConfig:
    """All settings of perception.

    Attributes:
        camera: name of the robot's camera to look through.
        calibration: file that `lam calibrate table` wrote; empty for none.
        rate_hz: how often to look; looking takes as long as it takes.
        work_width_px: smaller pictures are enlarged to this width.
        table_x_m, table_y_m: part of the table that is looked at.
        table_tolerance: how far a pixel may be from the table's colours, 0 to 255.
        min_area_px: smallest visible area of an object, at `work_width_px`.
        min_overlap: least overlap of outline and pixels that makes an object, 0 to 1.
        colors: colour name -> rgb between 0 and 1.
        kinds: what to look for.
        light: patch of known colour.
        track: how objects are followed.
        arm: name of the arm's shape in config/perception/; empty for none.
        open: a detector that is told by words what to look for.
    """

    camera: str
    calibration: str
    work_width_px: int
    table_x_m: tuple[float, float]
    table_y_m: tuple[float, float]
    table_tolerance: float
    min_area_px: int
    min_overlap: float
    colors: dict[str, tuple[float, float, float]]
    kinds: tuple[KindConfig, ...]
    light: LightConfig
    track: TrackConfig
    arm: str = ""
    rate_hz: float = 4.0
    open: OpenConfig = field(default_factory=OpenConfig)

    def __post_init__(self) -> None:
        """Check names against each other.

        Raises:
            ConfigError: if a kind comes in a colour that is not described, or a name is doubled.
        """
        if not 0.1 <= self.rate_hz <= 50.0:
            raise ConfigError(f"perception.rate_hz: {self.rate_hz} came, allowed is 0.1 to 50")
        names = [kind.name for kind in self.kinds]
        if len(set(names)) != len(names):
            raise ConfigError("config 'perception.kinds': each kind only once")
        for kind in self.kinds:
            for color in kind.colors:
                if color not in self.colors:
                    raise ConfigError(
                        f"config 'perception.kinds.{kind.name}': "
                        f"{unknown_name('color', color, self.colors)}"
                    )

    def kind(self, name: str) -> KindConfig:
        """Return the kind of that name.

        Raises:
            ConfigError: if it is not looked for.
        """
        for kind in self.kinds:
            if kind.name == name:
                return kind
        raise ConfigError(unknown_name("kind", name, [kind.name for kind in self.kinds]))
