"""What the network is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from lam_network.network import NetworkShape


@dataclass
class LamSizes:
    """Sizes, as `config.json` of a checkpoint has them.

    Attributes:
        chunk_size: joint targets in one answer (H).
        absolute_joints: joints whose targets are absolute; the others' are
            differences from the present position.
        widths: channels at 1/4, 1/8 and 1/16 of the picture's size.
        blocks: residual blocks at each of these sizes.
        n_queries: attention points in each camera; the first two are taught to
            look at the named object and the named target.
        colors, kinds, skills: names that the auxiliary text heads tell apart;
            training only, a prompt may hold any words.
    """

    chunk_size: int = 16
    absolute_joints: list[int] = field(default_factory=lambda: [-1])
    widths: list[int] = field(default_factory=lambda: [32, 64, 128])
    blocks: list[int] = field(default_factory=lambda: [1, 2, 1])
    n_queries: int = 16
    camera_dim: int = 256
    hidden_dim: int = 512
    hidden_blocks: int = 4

    text_buckets: int = 4096
    text_max_words: int = 24
    text_max_pieces: int = 12
    text_dim: int = 128
    text_layers: int = 2
    text_heads: int = 4
    colors: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    skills: list[str] = field(default_factory=list)

    def check_sizes(self) -> None:
        """Check the sizes against each other.

        Raises:
            ValueError: if they make no network.
        """
        if len(self.widths) != 3 or len(self.blocks) != 3:
            raise ValueError("widths and blocks need three values each")
        if self.n_queries < 2:
            raise ValueError(f"n_queries {self.n_queries}: at least 2 are needed")
        if self.hidden_blocks < 2:
            raise ValueError(f"hidden_blocks {self.hidden_blocks}: at least 2 are needed")

    def shape(self, n_cameras: int, n_joints: int) -> NetworkShape:
        """Return the network's shape for so many cameras and joints."""
        n_colors, n_kinds = len(self.colors) + 1, len(self.kinds) + 1
        fine, middle, coarse = self.widths
        blocks_fine, blocks_middle, blocks_coarse = self.blocks
        return NetworkShape(
            n_cameras=n_cameras,
            n_joints=n_joints,
            horizon=self.chunk_size,
            widths=(fine, middle, coarse),
            blocks=(blocks_fine, blocks_middle, blocks_coarse),
            n_queries=self.n_queries,
            camera_dim=self.camera_dim,
            hidden_dim=self.hidden_dim,
            hidden_blocks=self.hidden_blocks,
            text_buckets=self.text_buckets,
            text_max_words=self.text_max_words,
            text_dim=self.text_dim,
            text_layers=self.text_layers,
            text_heads=self.text_heads,
            slot_sizes=(len(self.skills) + 1, n_colors, n_kinds, n_colors, n_kinds),
        )
