"""From a string to tokens: characters cleaned, words split, typing errors mended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from lam_ros.core.scene import Scene
from lam_ros.planning.lexicon import FUNCTION_WORDS, PASSIVES, PLACE, PUNCTUATION, PUSH, Entry, Tag
from lam_ros.planning.names import general_names, scene_names
from lam_ros.planning.rewording import plainer, without_preamble
from lam_ros.planning.spelling import Speller

_CONTRACTIONS: tuple[tuple[str, str], ...] = (
    (r"\b(?:to|on|at) (the|a|my) ([\w ]+?)'s (left|right)\b", r"to the \3 of \1 \2"),
    (r"\bcan't\b", "can not"), (r"\bcannot\b", "can not"), (r"\bwon't\b", "will not"),
    (r"n't\b", " not"), (r"\bdont\b", "do not"), (r"'d\b", " would"), (r"'ll\b", " will"),
    (r"'ve\b", " have"), (r"'re\b", " are"), (r"\bi'm\b", "i am"), (r"\bi've\b", "i have"),
    (r"\b(that|it|what|where|who|there|here|how)'s\b", r"\1 is"), (r"\blet's\b", "let us"),
    (r"(?<=\w)'s\b", ""), (r"\bpls\b|\bplz\b", "please"), (r"\bu\b", "you"), (r"\bwanna\b", "want to"),
    (r"\bgotta\b", "have to"), (r"\bgimme\b", "give me"), (r"->|=>|→", " to "),
)  # fmt: skip
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": " ", "”": " ", '"': " ", "«": " "})
_OPENERS = ("please", "now", "also", "and", "can", "could")
_TOKEN = re.compile(r"[^\W_]+(?:_[^\W_]+)*|[^\w\s]|_+")


@dataclass(frozen=True)
class Token:
    """One word or phrase of an instruction.

    Attributes:
        text: as it was said, lower case, spelling mended.
        tag: class of the phrase.
        value: meaning within the class (`put` is a verb that means `place`).
        plural: True for a plural noun or number.
    """

    text: str
    tag: Tag
    value: str = ""
    plural: bool = False


def clean(text: str) -> str:
    """Return the text in one form: compatibility forms folded, lower case, plain quotes."""
    folded = unicodedata.normalize("NFKC", text).translate(_QUOTES).lower()
    if re.match(r"\s*1[.)]\s", folded):
        folded = re.sub(r"\b\d+[.)]\s", " . ", folded)
    folded = re.sub(r"\s*[\n\r]+\s*(\w*)", _line_break, folded.strip())
    folded = "".join(" " if unicodedata.category(c) in ("So", "Sk", "Cf") else c for c in folded)
    for pattern, replacement in _CONTRACTIONS:
        folded = re.sub(pattern, replacement, folded)
    plain = re.sub(r"[-‐‑–—/]", " ", folded.replace("'", " "))
    return plainer(re.sub(r"\s+", " ", plain))


def _line_break(found: re.Match[str]) -> str:
    """Return a break where the next line begins a clause; a line that is only too long has none."""
    word = found[1]
    entry = FUNCTION_WORDS.get((word,))
    begins = entry is None or entry.tag in (Tag.VERB, Tag.THEN, Tag.ORDINAL, Tag.NOT, Tag.WHEN)
    goes_on = not word or (entry is None and not word.isdigit() and word not in _OPENERS)
    return f" {word}" if goes_on or not begins else f" . {word}"


def split(text: str) -> list[str]:
    """Return the words and punctuation marks of a cleaned text."""
    return _TOKEN.findall(text)


def _is_minor(entry: Entry) -> bool:
    """Tell whether it is a verb that is refused: typing errors are not made into it."""
    return ":" in entry.value


def _is_after_article(found: list[Token]) -> bool:
    """Tell whether a noun is expected: `the switch`, `the light switch`."""
    expecting = (Tag.DETERMINER, Tag.COLOR, Tag.NOUN, Tag.SELECTOR, Tag.QUANTIFIER)
    return bool(found) and found[-1].tag in expecting


def _is_direction(found: list[Token], words: Sequence[str], at: int) -> bool:
    """Tell whether `up` or `down` is where something is pushed to, as in `push it up`."""
    if not found or found[-1].value in ("switch", "lever"):
        return bool(found)
    verbs = [token.value for token in found if token.tag is Tag.VERB]
    is_thing = found[-1].tag in (Tag.NOUN, Tag.GENERIC, Tag.PRONOUN, Tag.ID)
    ends = at + 1 == len(words) or not words[at + 1].isalnum()
    return is_thing and ends and verbs[-1:] in ([PUSH], [PLACE])


class Lexer:
    """Turns words into tokens, with the names that one scene adds."""

    def __init__(self, scene: Scene) -> None:
        """Gather the phrases that can be said about a scene."""
        ids: dict[tuple[str, ...], Entry] = {
            (item.lower(),): Entry(Tag.ID, item) for item in scene.ids
        }
        names = {**ids, **scene_names(scene), **general_names()}
        self._names = names
        self._phrases: dict[tuple[str, ...], Entry] = dict(names)
        for phrase, entry in FUNCTION_WORDS.items():
            is_thing = entry.tag is Tag.GENERIC and phrase not in (("one",), ("ones",))
            if phrase not in names or not (is_thing or _is_minor(entry)):  # a "book", "pieces"
                self._phrases[phrase] = entry
        self._phrases.pop((), None)
        self._longest = max(len(phrase) for phrase in self._phrases)
        self._speller = Speller(
            [
                *((word, _is_minor(e)) for phrase, e in self._phrases.items() for word in phrase),
                *((word, True) for said in PASSIVES for word in said.split()),
            ]
        )

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every word that is understood."""
        return self._speller.known

    def words(self, text: str) -> list[str]:
        """Return the words of a text with small typing errors mended."""
        return [self._speller.mend(word) for word in split(clean(text))]

    def tokens(self, words: list[str]) -> list[Token]:
        """Return the tokens of mended words, by longest match; fillers are dropped."""
        words = without_preamble(words, self._is_verb)
        found: list[Token] = []
        start = 0
        while start < len(words):
            token, length = self._longest_match(words, start)
            named = self._names.get((words[start],))
            if length == 1 and token.tag is Tag.VERB and named and _is_after_article(found):
                token = Token(token.text, named.tag, named.value, named.plural)
            if token.text in ("up", "down") and _is_direction(found, words, start):
                token = Token(token.text, Tag.SELECTOR, token.text)
            if token.tag is not Tag.FILLER:
                found.append(token)
            start += length
        return found

    def _is_verb(self, words: Sequence[str]) -> bool:
        """Tell whether words begin with a verb."""
        if not words:
            return False
        token, _ = self._longest_match(list(words[: self._longest]), 0)
        return token.tag is Tag.VERB

    def _longest_match(self, words: list[str], start: int) -> tuple[Token, int]:
        after_article = start > 0 and words[start - 1] in ("the", "your", "my", "its")
        for length in range(min(self._longest, len(words) - start), 0, -1):
            phrase = tuple(words[start : start + length])
            entry = self._phrases.get(phrase)
            is_side = after_article and length > 1 and phrase[0] in ("right", "just")
            if is_side and entry and entry.tag is Tag.PREPOSITION:
                continue  # "the second from the right | on the tray"
            if entry:
                return Token(" ".join(phrase), entry.tag, entry.value, entry.plural), length
        word = words[start]
        entry = PUNCTUATION.get(word, Entry(Tag.WORD, word))
        return Token(word, entry.tag, entry.value), 1
