"""Reads a scene from JSON: checked at the edge, a frozen `Scene` after it.

A scene is `{"objects": [...], "held": id}`; an object is `{"id", "kind", "color",
"position": [x, y, z], "size": [x, y, z], "yaw", "on", "in", "open", "turned_on"}`, in
metres and radians in the robot's base frame.  `id` and `kind` are needed;
keys beyond these are ignored, since scenes come from many tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from lam_ros.core.errors import DataError
from lam_ros.core.scene import Scene, SceneError, SceneObject

type Vector = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
type Name = Annotated[str, Field(min_length=1, max_length=200)]


class _ObjectRow(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Name
    kind: Name
    position: Vector | None = None
    color: str | None = None
    size: Vector = (0.0, 0.0, 0.0)
    yaw: FiniteFloat = 0.0
    on: str | None = None
    inside: str | None = Field(default=None, alias="in")
    is_open: bool | None = Field(default=None, alias="open")
    is_on: bool | None = Field(default=None, alias="turned_on")
    capacity: Annotated[int, Field(ge=0)] | None = None

    def to_object(self) -> SceneObject:
        return SceneObject(
            id=self.id,
            kind=self.kind,
            color=self.color or "",
            position_m=self.position or (0.0, 0.0, 0.0),
            size_m=self.size,
            yaw_rad=self.yaw,
            on=self.on or "",
            inside=self.inside or "",
            is_open=self.is_open,
            is_on=self.is_on,
            capacity=self.capacity,
        )


class _SceneRow(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    objects: tuple[_ObjectRow, ...]
    held: str | None = None
    stamp_ns: int = 0


def scene_from_dict(data: object) -> Scene:
    """Return the scene that plain data describe.

    Raises:
        DataError: if a key is missing or a value is not what it must be.
    """
    if not isinstance(data, Mapping):
        raise DataError(f"scene: {type(data).__name__} came; {{'objects': [...]}} is needed")
    try:
        row = _SceneRow.model_validate(data)
        objects = tuple(item.to_object() for item in row.objects)
        return Scene(objects, stamp_ns=row.stamp_ns, held=row.held or "")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"scene: {where}: {first['msg']}") from None
    except SceneError as error:
        raise DataError(str(error)) from None


def scene_to_dict(scene: Scene) -> dict[str, object]:
    """Return a scene as plain data that `scene_from_dict` reads."""
    rows: list[dict[str, object]] = []
    for item in scene.objects:
        row: dict[str, object] = {
            "id": item.id,
            "kind": item.kind,
            "color": item.color,
            "position": list(item.position_m),
            "size": list(item.size_m),
            "yaw": item.yaw_rad,
        }
        more = {"on": item.on or None, "in": item.inside or None, "open": item.is_open,
                "turned_on": item.is_on, "capacity": item.capacity}  # fmt: skip
        rows.append(row | {name: value for name, value in more.items() if value is not None})
    return {"objects": rows, "held": scene.held, "stamp_ns": scene.stamp_ns}
