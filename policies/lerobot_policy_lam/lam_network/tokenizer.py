"""Text to numbers without a vocabulary file: words, and pieces of words.

A word becomes the bucket of the whole word and the buckets of its character
n-grams.  A word that training never saw, or one with a typo, still shares most of
its pieces with words that it did see, so it degrades gracefully.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

PAD = 0
_WORD = re.compile(r"[a-z0-9]+|[,:;.?!]")
_GRAM_SIZES = (3, 4)


@dataclass(frozen=True)
class Tokenizer:
    """Turns sentences into piece ids, shape (words, pieces), 0 where there is none.

    Attributes:
        n_buckets: number of hash buckets; ids run from 1 to `n_buckets`.
        max_words: words kept of a sentence; the rest is cut off.
        max_pieces: pieces kept of a word; the first is the whole word.
    """

    n_buckets: int
    max_words: int
    max_pieces: int

    def encode(self, sentence: str) -> npt.NDArray[np.int32]:
        """Return the piece ids of one sentence, shape (max_words, max_pieces)."""
        ids = np.zeros((self.max_words, self.max_pieces), np.int32)
        for row, word in zip(ids, split_words(sentence), strict=False):
            pieces = _piece_ids(word, self.n_buckets, self.max_pieces)
            row[: len(pieces)] = pieces
        return ids

    def encode_batch(self, sentences: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return the piece ids of N sentences, shape (N, max_words, max_pieces)."""
        if not sentences:
            return np.zeros((0, self.max_words, self.max_pieces), np.int32)
        return np.stack([self.encode(sentence) for sentence in sentences])


def split_words(sentence: str) -> list[str]:
    """Return lower-case words and the punctuation marks that carry structure."""
    plain = unicodedata.normalize("NFKD", sentence).encode("ascii", "ignore").decode()
    return _WORD.findall(plain.lower().replace("'", ""))


@lru_cache(maxsize=65536)
def _piece_ids(word: str, n_buckets: int, max_pieces: int) -> tuple[int, ...]:
    marked = f"<{word}>"
    pieces = [f"word {word}"]
    for size in _GRAM_SIZES:
        pieces += [marked[i : i + size] for i in range(len(marked) - size + 1)]
    return tuple(1 + zlib.crc32(piece.encode()) % n_buckets for piece in pieces[:max_pieces])
