"""A bus of Feetech STS3215 servos: what the SO-101's drivers talk to, without the arm.

`ServoBus` answers packets as the servos do (protocol 0, little endian); `lam_sim.so101_bus`
puts it behind a pseudo-terminal, which any driver opens like `/dev/ttyACM0`.  With torque
on, a servo goes to its goal at no more than its speed; with torque off it stays where a
hand (`move`) puts it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

MODEL_STS3215 = 777
COUNTS = 4096
MIDDLE = 2048
BROADCAST = 0xFE

_SPEED_COUNTS_S = 45.0 / 60.0 * COUNTS
_SIZE = 128
_HEADER = b"\xff\xff"


class Register(IntEnum):
    """Addresses that drivers of the SO-101 use, and how they begin."""

    FIRMWARE = 0
    MODEL = 3
    ID = 5
    BAUD = 6
    MIN_POSITION = 9
    MAX_POSITION = 11
    MAX_TORQUE = 16
    PHASE = 18
    P = 21
    HOMING_OFFSET = 31
    OPERATING_MODE = 33
    TORQUE_ENABLE = 40
    GOAL_POSITION = 42
    GOAL_VELOCITY = 46
    TORQUE_LIMIT = 48
    LOCK = 55
    PRESENT_POSITION = 56
    PRESENT_VELOCITY = 58
    PRESENT_VOLTAGE = 62
    PRESENT_TEMPERATURE = 63
    STATUS = 65
    MOVING = 66
    PRESENT_CURRENT = 69


class Instruction(IntEnum):
    """What a packet asks for."""

    PING = 1
    READ = 2
    WRITE = 3
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


@dataclass
class Servo:
    """One servo: its control table, and where its shaft is.

    Attributes:
        number: its id on the bus.
        shaft: position of the shaft [counts], before the homing offset.
        error_bits: sent in every answer (1 voltage, 4 temperature, 8 current, 32 overload).
        silent: whether it answers nothing, as with a loose plug.
    """

    number: int
    shaft: float = MIDDLE
    error_bits: int = 0
    silent: bool = False
    table: bytearray = field(default_factory=lambda: bytearray(_SIZE))

    def __post_init__(self) -> None:
        """Fill the control table as it leaves the factory."""
        self.table[Register.FIRMWARE : Register.FIRMWARE + 2] = bytes((3, 10))
        self.table[Register.ID] = self.number
        self.put(Register.MODEL, MODEL_STS3215)
        self.put(Register.MAX_POSITION, COUNTS - 1)
        self.put(Register.MAX_TORQUE, 1000)
        self.put(Register.TORQUE_LIMIT, 1000)
        self.table[Register.P] = 32
        self.table[Register.PRESENT_VOLTAGE] = 121
        self.table[Register.PRESENT_TEMPERATURE] = 32
        self.put(Register.GOAL_POSITION, self.present)

    @property
    def offset(self) -> int:
        """Homing offset [counts]: sign and magnitude, the sign in bit 11."""
        raw = self.get(Register.HOMING_OFFSET)
        return -(raw & 0x7FF) if raw & 0x800 else raw & 0x7FF

    @property
    def present(self) -> int:
        """Position as the servo reports it [counts]."""
        return round(self.shaft - self.offset) % COUNTS

    @property
    def torque_on(self) -> bool:
        """Whether it holds and moves; switched off, a hand can turn it."""
        return self.table[Register.TORQUE_ENABLE] == 1

    def get(self, register: int) -> int:
        """Return a two-byte register."""
        return int.from_bytes(self.table[register : register + 2], "little")

    def put(self, register: int, value: int) -> None:
        """Write a two-byte register."""
        self.table[register : register + 2] = (value & 0xFFFF).to_bytes(2, "little")

    def advance(self, seconds: float) -> None:
        """Let time pass [s]: the shaft goes towards the goal."""
        step = 0.0
        if self.torque_on:
            low, high = self.get(Register.MIN_POSITION), self.get(Register.MAX_POSITION)
            goal = float(np.clip(self.get(Register.GOAL_POSITION), low, high)) + self.offset
            limit = _SPEED_COUNTS_S * seconds
            step = float(np.clip(goal - self.shaft, -limit, limit))
            self.shaft += step
        self.put(Register.PRESENT_POSITION, self.present)
        speed = round(abs(step) / seconds) if seconds > 0 else 0
        self.put(Register.PRESENT_VELOCITY, speed | (0x8000 if step < 0 else 0))
        self.table[Register.MOVING] = abs(step) > 0.5

    def write(self, address: int, data: bytes) -> None:
        """Write to the control table; 128 to torque makes the present position the middle."""
        if address == Register.TORQUE_ENABLE and data[:1] == bytes((128,)):
            offset = round(self.shaft) - MIDDLE
            self.put(Register.HOMING_OFFSET, abs(offset) & 0x7FF | (0x800 if offset < 0 else 0))
            return
        end = min(address + len(data), _SIZE)
        self.table[address:end] = data[: end - address]
        if address == Register.TORQUE_ENABLE and self.torque_on:
            self.put(Register.GOAL_POSITION, self.present)  # it holds where it is


class ServoBus:
    """Servos on one wire; `feed` takes what a driver sends and returns what they answer."""

    def __init__(self, numbers: Iterable[int]) -> None:
        """Put servos with these ids on the bus."""
        self.servos = {number: Servo(number) for number in numbers}
        self.corrupt_next = 0
        self.mover: Callable[[float], None] | None = None
        """What moves the shafts as time passes [s]; by default each servo by itself."""
        self.lock = threading.Lock()
        self._left = b""

    def move(self, number: int, counts: float) -> None:
        """Turn a shaft by hand so that the servo reports `counts`."""
        with self.lock:
            servo = self.servos[number]
            servo.shaft = counts + servo.offset

    def advance(self, seconds: float) -> None:
        """Let time pass [s]."""
        with self.lock:
            if self.mover is not None:
                return self.mover(seconds)
            for servo in self.servos.values():
                servo.advance(seconds)
        return None

    def feed(self, data: bytes) -> bytes:
        """Return the answers to bytes, which may end within a packet."""
        with self.lock:
            self._left += data
            answers = b""
            while (packet := self._take()) is not None:
                answers += self._answer(packet[0], packet[1], packet[2:])
            if answers and self.corrupt_next > 0:
                self.corrupt_next -= 1
                answers = answers[:-1] + bytes((answers[-1] ^ 0xFF,))
            return answers

    def _take(self) -> bytes | None:
        """Take the next sound packet: id, instruction, parameters."""
        while True:
            start = self._left.find(_HEADER)
            if start < 0:
                self._left = self._left[-1:] if self._left.endswith(b"\xff") else b""
                return None
            self._left = self._left[start:]
            if len(self._left) < 4:
                return None
            if self._left[2] == 0xFF:  # no id: the header begins one byte later
                self._left = self._left[1:]
                continue
            end = 4 + self._left[3]
            if len(self._left) < end:
                return None
            body, self._left = self._left[2:end], self._left[end:]
            if len(body) >= 4 and _checksum(body[:-1]) == body[-1]:
                return bytes((body[0],)) + body[2:-1]

    def _answer(self, number: int, instruction: int, rest: bytes) -> bytes:
        if instruction == Instruction.SYNC_READ and len(rest) >= 2:
            address, size = rest[0], rest[1]
            return b"".join(self._read(each, address, size) for each in rest[2:])
        if instruction == Instruction.SYNC_WRITE and len(rest) >= 2:
            return self._sync_write(rest[0], rest[1], rest[2:])
        numbers = list(self.servos) if number == BROADCAST else [number]
        if instruction == Instruction.PING:
            return b"".join(self._status(each) for each in numbers)
        if instruction == Instruction.READ and len(rest) >= 2:
            return self._read(number, rest[0], rest[1])
        if instruction == Instruction.WRITE and rest:
            for each in numbers:
                if each in self.servos and not self.servos[each].silent:
                    self.servos[each].write(rest[0], rest[1:])
            return self._status(number)
        return b""

    def _sync_write(self, address: int, size: int, rest: bytes) -> bytes:
        for at in range(0, len(rest) - size, size + 1):
            servo = self.servos.get(rest[at])
            if servo is not None and not servo.silent:
                servo.write(address, rest[at + 1 : at + 1 + size])
        return b""

    def _read(self, number: int, address: int, size: int) -> bytes:
        servo = self.servos.get(number)
        if servo is None:
            return b""
        servo.put(Register.PRESENT_POSITION, servo.present)
        servo.table[Register.STATUS] = servo.error_bits
        return self._status(number, bytes(servo.table[address : address + size]))

    def _status(self, number: int, data: bytes = b"") -> bytes:
        servo = self.servos.get(number)
        if servo is None or servo.silent:
            return b""
        body = bytes((number, len(data) + 2, servo.error_bits)) + data
        return _HEADER + body + bytes((_checksum(body),))


def _checksum(body: bytes) -> int:
    return ~sum(body) & 0xFF
