"""What is refused before an instruction is read: malformed, foreign, unsafe, no task."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

from lam_ros.planning.lexicon import (
    FUNCTION_WORDS,
    GRASP,
    HARM,
    PLACE,
    PRESS,
    PUSH,
    ROTATE,
    Tag,
    words_in,
)
from lam_ros.planning.outcome import Refuse, RefuseKind
from lam_ros.planning.text import Token
from lam_ros.planning.thing_words import KIND_WORDS, PERSON_WORDS

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
_HARM_VERBS = frozenset(
    phrase[0]
    for phrase, entry in FUNCTION_WORDS.items()
    if entry.tag is Tag.VERB and entry.value.startswith(f"{HARM}:")
)
_MOVING_VERBS = frozenset(
    phrase[0]
    for phrase, entry in FUNCTION_WORDS.items()
    if entry.tag is Tag.VERB
    and len(phrase) == 1
    and entry.value in (PUSH, PLACE, GRASP, PRESS, ROTATE)
)
_PEOPLE = PERSON_WORDS - words_in(
    """me him her them myself himself herself yourself arm arms hand hands finger fingers head face
    back neck leg legs foot feet guy"""
)
_NEGATIONS = words_in("not never without avoid no nor")
_ONTO = words_in("on onto in into at toward towards against over inside upon under")
_OWNERS = words_in("my your his her their our its the a an this that some")
_GUARDS = words_in(
    """
    safety limit limits estop emergency watchdog guard guards protection collision safeguard
    safeguards
    """
)
_LIFT_GUARD = words_in("disable bypass override ignore off deactivate remove skip without")
_HAZARDS = words_in(
    """
    fire burn explode explosive bomb poison electrocute weapon gun suicide strangle suffocate
    blood bleed maim torture assault aggressive aggressively violently
    """
)
_QUESTION_WORDS = words_in(
    """
    what who whom whose why where when which how is are was were am do does did has have had whats
    wheres
    """
)
_ASKED = words_in("you we i they he she it")
_STOP_WORDS = words_in("stop halt freeze wait cancel abort pause quit exit nevermind")
_LANGUAGES = {
    "German": "der die das den dem ein eine einen und auf mit bitte lege leg stelle stell setze "
    "nimm roten rote rot blauen blaue blau grünen grüne würfel schüssel schale dann ist nicht zu",
    "French": "le la les un une des et dans sur mets met pose placez mettez prends rouge bleu "
    "bleue vert verte puis avec cube bol le du au s'il vous plaît",
    "Spanish": "el la los las un una y en sobre pon poner coloca ponga toma rojo roja azul verde "
    "luego cubo tazón cuenco por favor del al",
    "Italian": "il lo la gli un una e nel nella sul sulla metti mettere prendi rosso rossa blu "
    "verde poi cubo ciotola per favore del",
    "Portuguese": "o os as um uma e no na nos nas sobre coloque ponha pegue vermelho vermelha "
    "azul verde depois cubo tigela por favor do da",
    "Dutch": "de het een en op leg zet plaats pak rode blauwe groene kubus blokje kom dan met",
    "Polish": "połóż umieść weź czerwoną czerwony niebieskiej niebieski kostkę klocek miski misce "
    "i na w do potem zielony proszę",
    "Swedish": "den det en ett och på lägg ställ sätt röda blåa blå gröna kuben skålen sedan i",
    "Turkish": "kırmızı mavi yeşil küpü kaseye koy bir ve sonra lütfen içine üzerine",
}
_MARKERS = frozenset(word for text in _LANGUAGES.values() for word in text.split())


def check_text(text: str, max_characters: int) -> Refuse | None:
    """Refuse what is empty, too long, or holds characters that no one types."""
    if not text.strip():
        return Refuse(RefuseKind.EMPTY, "the instruction is empty; say what goes where")
    if len(text) > max_characters:
        return Refuse(
            RefuseKind.TOO_LONG,
            f"the instruction has {len(text)} characters; at most {max_characters} are read",
        )
    bad = next((char for char in text if _is_control(char)), None)
    if bad is not None:
        return Refuse(
            RefuseKind.CONTROL_CHARACTERS,
            f"the instruction holds the control character U+{ord(bad):04X}; remove it",
        )
    return None


def _is_control(char: str) -> bool:
    if char in "\t\n\r":
        return False
    return char in _BIDI or unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn")


def check_language(words: Sequence[str], known: Collection[str]) -> Refuse | None:
    """Refuse what is clearly not English.

    Args:
        words: the instruction's words.
        known: every word that is understood.
    """
    letters = [char for word in words for char in word if char.isalpha()]
    latin = sum("LATIN" in unicodedata.name(char, "") for char in letters)
    foreign = sum(word in _MARKERS and word not in known for word in words)
    english = sum(word in known for word in words if word.isalpha())
    if (letters and 2 * latin < len(letters)) or (foreign >= 2 and foreign >= english):
        return Refuse(
            RefuseKind.OTHER_LANGUAGE,
            "I understand English only; say it as 'put X in, on or next to Y'",
        )
    return None


def check_safety(words: Sequence[str], things: Collection[str] = ()) -> Refuse | None:
    """Refuse what would hurt someone, break something, or take the guards away.

    Args:
        words: what was said.
        things: words of what is there; a toy dog may be packed.
    """
    for at, word in enumerate(words):
        before = words[max(0, at - 3) : at]
        if word in _HARM_VERBS and _NEGATIONS.isdisjoint(before):
            return _unsafe(f"'{word}' could hurt someone or break something")
        if word in _HAZARDS and _NEGATIONS.isdisjoint(before):
            return _unsafe(f"'{word}' names a hazard")
        if (
            word in _PEOPLE
            and word not in things
            and _is_handled(before)
            and not _is_sided(words, at)
        ):
            return _unsafe(f"I touch nobody ('{word}')")
        if word in PERSON_WORDS and _is_onto(before) and not _is_sided(words, at):
            return _unsafe(f"nothing is put on, in or near a person ('{word}')")
    if _GUARDS.intersection(words) and _LIFT_GUARD.intersection(words):
        return _unsafe("the safety limits stay on")
    return None


def _is_handled(before: Sequence[str]) -> bool:
    """Tell whether the words before a noun end in a verb that moves something: `push the man`."""
    left = list(before)
    while left and left[-1] in _OWNERS:
        left.pop()
    return bool(left) and left[-1] in _MOVING_VERBS


def _is_sided(words: Sequence[str], at: int) -> bool:
    """Tell whether a word for a person only tells a thing: `the right-hand drawer`, `the armchair`."""
    after = words[at + 1] if at + 1 < len(words) else ""
    is_hand = words[at] == "hand" and words[at - 1] in ("left", "right")
    return after == "side" or after in KIND_WORDS or (is_hand and after in ("one", "ones"))


def _is_onto(before: Sequence[str]) -> bool:
    """Tell whether the words before a noun end in a preposition of place."""
    left = list(before)
    while left and (left[-1] in _OWNERS or left[-1] in ("left", "right")):
        left.pop()
    return bool(left) and left[-1] in _ONTO


def _unsafe(why: str) -> Refuse:
    return Refuse(RefuseKind.UNSAFE, f"{why}; I only put objects in, on or next to others")


def check_task(words: Sequence[str], tokens: Sequence[Token]) -> Refuse | None:
    """Refuse questions and chatter.

    Args:
        words: all words, politeness included.
        tokens: what is left of them without fillers.
    """
    content = [token for token in tokens if token.tag not in (Tag.COMMA, Tag.END, Tag.AND)]
    if not content:
        return _no_task("there is no task in it")
    if content[0].text in _STOP_WORDS or " ".join(words[:2]) in ("never mind", "forget it"):
        return _no_task("to stop the arm, cancel the run or press the emergency stop")
    if words[0] in ("have", "has") and _ASKED.intersection(words[1:2]):
        return _no_task("I answer no questions")
    if content[0].tag in (Tag.WORD, Tag.BE, Tag.RESERVED) and content[0].text in _QUESTION_WORDS:
        return _no_task("I answer no questions")
    if all(token.tag in (Tag.WORD, Tag.DETERMINER, Tag.OF, Tag.RESERVED) for token in content):
        return _no_task("I see no task in it")
    return None


def _no_task(why: str) -> Refuse:
    return Refuse(
        RefuseKind.NOT_A_TASK, f"{why}; say what to do, for example 'put the red cube in the bowl'"
    )
