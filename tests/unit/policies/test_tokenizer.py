"""The tokenizer: the same everywhere, and forgiving."""

from __future__ import annotations

import numpy as np

from lam_network.tokenizer import Tokenizer, split_words

TOKENIZER = Tokenizer(n_buckets=4096, max_words=24, max_pieces=12)


def test_ids_do_not_depend_on_the_process() -> None:
    ids = TOKENIZER.encode("put it")
    assert ids.shape == (24, 12)
    assert ids[0, :3].tolist() == [1 + b for b in _crc("word put", "<pu", "put")]
    assert (ids[2:] == 0).all()


def _crc(*pieces: str) -> list[int]:
    import zlib

    return [zlib.crc32(piece.encode()) % 4096 for piece in pieces]


def test_case_accents_and_apostrophes_do_not_matter() -> None:
    assert split_words("I'd PUT the rëd cube!") == ["id", "put", "the", "red", "cube", "!"]


def test_a_typo_keeps_some_pieces() -> None:
    right, wrong = TOKENIZER.encode("yellow")[0], TOKENIZER.encode("yelow")[0]
    assert right[0] != wrong[0]
    assert len(set(right[right > 0]) & set(wrong[wrong > 0])) >= 2


def test_long_and_empty_sentences_fit() -> None:
    assert (TOKENIZER.encode("") == 0).all()
    assert TOKENIZER.encode("word " * 100).shape == (24, 12)
    assert TOKENIZER.encode_batch([]).shape == (0, 24, 12)
    assert np.array_equal(TOKENIZER.encode_batch(["a", "b"])[1], TOKENIZER.encode("b"))
