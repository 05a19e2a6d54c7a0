"""Definitions of message types, as text: from the ROS 2 installation, or from a bag."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc, Typesdict
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.base import TypesysError
from rosbags.typesys.store import Typestore

from lam_ros.core.errors import DataError

_BROUGHT = {
    "foxglove_msgs/msg/CompressedVideo": """\
# One picture of a compressed video. The first three fields are those of a header in effect.
builtin_interfaces/Time timestamp
string frame_id
# Annex B; key pictures with all parameters; no picture stands on a later one
uint8[] data
# h264
string format
""",
}
"""Types that bags hold without their package being installed."""

_ENCAPSULATIONS = (b"\x00\x01", b"\x00\x00")
"""Little-endian and big-endian."""


@dataclass(frozen=True)
class Definition:
    """A message type: its text with that of all types in it, and the hash of ROS 2 (REP 2011)."""

    text: str
    type_hash: str


def define(type_name: str) -> Definition:
    """Return the definition of a type, as `sensor_msgs/msg/Image`.

    Raises:
        DataError: if it is neither one of ROS 2 Jazzy's own nor installed.
    """
    store = installed_types()
    _find(store, type_name)
    text, _ = store.generate_msgdef(type_name, ros_version=2)
    return Definition(text, store.hash_rihs01(type_name))


def types_in(definitions: Mapping[str, str]) -> Typestore:
    """Return the types that a bag defines, for decoding its messages.

    Args:
        definitions: text by type name, `ros2msg`.

    Raises:
        DataError: if a text is malformed.
    """
    store = get_typestore(Stores.EMPTY)
    for type_name, text in definitions.items():
        try:
            store.register(get_types_from_msg(text, type_name))
        except TypesysError as error:
            raise DataError(
                f"message type '{type_name}': its definition in the bag is malformed: {error}"
            ) from None
    return store


def hash_of(type_name: str, text: str) -> str:
    """Return the hash of a definition as `define` makes it.

    Raises:
        DataError: if the text is malformed.
    """
    types = types_in({type_name: text})
    try:
        return types.hash_rihs01(type_name)
    except KeyError as error:
        raise DataError(f"message type '{type_name}': {error} is not defined in it") from None


def decode_cdr(types: Typestore, type_name: str, cdr: bytes) -> Any:
    """Return a serialised message as an object with its fields.

    Bytes behind the last field are left alone: `rclpy.serialize_message` reserves, and
    does not take back, room for the alignment of empty sequences.

    Raises:
        ValueError, IndexError, struct.error, rosbags.serde.SerdeError: if it is cut off or
            of another type.
    """
    if len(cdr) < 4 or cdr[:2] not in _ENCAPSULATIONS:
        raise ValueError("its encapsulation is not CDR")
    definition = types.get_msgdef(type_name)
    is_little = cdr[:2] == _ENCAPSULATIONS[0]
    read = definition.deserialize_cdr_le if is_little else definition.deserialize_cdr_be
    message, _ = read(cdr[4:], 0, definition.cls, types)
    return message


@cache
def installed_types() -> Typestore:
    """Return ROS 2 Jazzy's own types, with what `define` has found since."""
    return get_typestore(Stores.ROS2_JAZZY)


def _find(store: Typestore, type_name: str) -> None:
    """Add a type that is not there yet, with its package and all that these messages need."""
    if type_name in store.fielddefs:
        return
    if type_name in _BROUGHT:
        store.register(get_types_from_msg(_BROUGHT[type_name], type_name))
        return
    package, _, rest = type_name.partition("/")
    folder = _package_share(package) / "msg"
    if not (rest.startswith("msg/") and (folder / f"{rest.removeprefix('msg/')}.msg").is_file()):
        raise DataError(
            f"message type '{type_name}' is not installed: source the work space that has "
            f"package '{package}', or install it"
        )
    found: Typesdict = {}
    for file in sorted(folder.glob("*.msg")):
        name = f"{package}/msg/{file.stem}"
        found.update(get_types_from_msg(file.read_text(encoding="utf-8"), name))
    for _, fields in found.values():
        for needed in filter(None, (_message_in(field) for _, field in fields)):
            if needed not in found:
                _find(store, needed)
    store.register(found)


def _message_in(field: FieldDesc) -> str:
    """Return the type of a message that a field is or holds; empty for plain values."""
    while field[0] in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        field = field[1][0]
    return str(field[1]) if field[0] == Nodetype.NAME else ""


def _package_share(package: str) -> Path:
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    shares = [Path(prefix) / "share" / package for prefix in prefixes if prefix]
    return next((share for share in shares if share.is_dir()), Path(package))
