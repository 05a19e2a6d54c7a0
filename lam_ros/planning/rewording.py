"""Ways of saying that are turned into plainer ones of the same meaning before they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lam_ros.planning.lexicon import words_in

_THING = r"((?:the |a |an |that |this )?(?:\w+ ){0,2}?\w+)"
_ENDS = r"(?=\s*(?:$|[.,;!?]))"
_STANDS = r"(?:drops|falls|slides|lands|is|are|lies|sits|rests|stands|ends up|end up|stays|goes)"

_PLAINER: tuple[tuple[str, str], ...] = (
    # what must not be done
    (r"\bneither (.+?) nor (.+?) (?:may|should|must|can|shall|is to|are to) be (?:moved|touched)",
     r"do not touch \1 and \2"),
    (rf"\b{_THING} (?:is|are) not (?:allowed|permitted|supposed) to be (in|on|inside|next to) {_THING}",
     r"do not put \1 \2 \3"),
    (r"\bas (?:close|near) as (?:possible|you can|can be) to\b", "next to"),
    (r"\bnothing (?:may|should|must|can|shall) be (?:moved|touched)", "do not touch anything"),
    # conditions said the other way round
    (r"^(?:should|were) ((?:the|a|an|any|my|there)\b[^,.]*?) (?:be|to be) ([^,.]+),", r"if \1 is \2,"),
    (r"\bassuming (?:that )?", "if "),
    (r"\bin (?:the )?(?:case|event) (?:that )?", "if "),
    # `what is in the bowl`, where it is no question
    (r"(?<=\w )(?:what|whatever|the contents of what) (?:is|are|lies|sits|rests) (?=in|on|inside)",
     "everything that is "),
    (r"\bthe contents? of ", "everything in "),
    # what a movement is for
    (rf"\b(?:so|until|such)(?: that)? {_THING} (?:lights?(?: up)?|(?:turns?|switches|goes|comes|is) on|is lit)"
     rf"{_ENDS}",
     r"to turn on \1"),
    (rf"\b(?:so|until|such)(?: that)? {_THING} (?:goes out|(?:turns?|switches|goes|is) off){_ENDS}",
     r"to turn off \1"),
    (rf"\b(?:so|until|such)(?: that)? {_THING} (?:opens|is open(?:ed)?|comes open){_ENDS}",
     r"to open \1"),
    (rf"\b(?:so|until|such)(?: that)? {_THING} (?:closes|is closed|is shut|shuts){_ENDS}",
     r"to close \1"),
    (rf"\b(?:so|such|until)(?: that)? (?:it|they) (?:both |all )?{_STANDS} ", ""),
    (r"\btake down (?=the (?:stack|tower|pile)\b)", "unstack "),
    (r"\bby \w+ing (?:it|its \w+|the \w+(?: \w+)?)(?=\s*(?:$|[,.;]))", ""),
    (r"\bto light (?:up )?(?=the |a )", "to turn on "),
    (r",? ?\b(?:and|but) nothing (?:else|more)\b", ""),
    (r"\be stop\b", "estop"),
    (r"\bin order to\b", "to"),
    (r"\bso as to\b", "to"),
    (rf"\b(if|unless|when|once) {_THING} (?:contains|holds|has) {_THING}(?: (?:in|on|inside) it)?"
     r"(?=\s*[,.;]|$)", r"\1 \3 is in \2"),
    (rf"(?:^|(?<=[.;] )){_THING} and {_THING} (?:should |must )?(?:swap|switch|exchange|trade) (?:places|"
     r"positions|spots)", r"swap \1 and \2"),
    (r"\bon the (?:very )?top(?=\s*(?:$|[.,;!]))", "on top of it"),
    (r"\bwhichever (\w+) is (\w+)", r"the \2 \1"),
    # what a place should hold
    (r"(?:^|(?<=[.;] ))((?:the|a|an|this|that|my) [^,.;]+?) (?:should|must|shall|has to|have to|needs to|"
     r"ought to|is to) (?:contain|hold) ([^,.;]+)", r"put \2 in \1"),
    (r"(?:^|(?<=[.;] ))((?:the|a|an|this|that|my) [^,.;]+?) (?:should|must|shall|has to|needs to|ought to|is to|"
     r"needs) (?:have |get |hold |carry )?([^,.;]+?) (in|on|inside|next to|beside) it\b",
     r"put \2 \3 \1"),
    (rf"\bto where {_THING} (?:is|are|lies|stands|sits)\b", r"to \1"),
    (r"\b(?:do|repeat) (?:the same|that|this)(?: thing)?(?: again)? (?:with|for|to) ", "then "),
    (r"\bnon (\w+) (\w+)", r"\2 that are not \1"),
    (r", (the \w+ ones?) (?:too|as well|also)\b", r" then \1"),
    (r"^(?:and )?(?:the )?same (?:for|with|goes for|thing for|thing with) ", "then "),
    (r"\bas (?:the |a )?(?:base|foundation|bottom)\b", "at the bottom"),
    (r"\bside by side\b(?! with)", "together"),
    (r"\b(?:over )?to (in front of|behind|next to|beside|near|under)\b", r"\1"),
    # two words that belong together
    (r"\b(a )?couple of\b", "two"),
    (r"\bpair of\b", "two"),
    (r"\bthe same (colou?r|kind|type|shape) as\b", r"the same color like"),
    (r"\b(?:this|the whole) (?:place|room|mess|area|workspace)\b", "everything"),
    (r"\bget rid of\b", "dispose of"),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), plain) for pattern, plain in _PLAINER)

_PREAMBLE = words_in(
    """
    i we you it would could can might may should shall will be am is are was were want need needed
    like love wish appreciate appreciated glad happy grateful pleased delighted great nice good
    kind lovely wonderful helpful best better if that for to me us my your do does of favor favour
    time about wondering wonder wondered hoping hope think believe ask asking asked help please so
    have must ought supposed going see let how robot lam then now today here the task job goal
    mission next thing step request objective assignment order instruction idea plan a an very much
    really just also and ok okay hey hi hello dear what mind possible able try trying get go ahead
    when ready whenever feel free command tell order
    """
)
_LEADS_IN = frozenset({"you", "to", "is", "about", "that", "by", "mind", "be", "and"})
_MODALS = frozenset({"could", "would", "can", "may", "might", "will", "should"})
_LONGEST_PREAMBLE = 16


_VIEWED = r"(?:,? ?(?:as |when )?(?:seen |viewed |looked at )?)"
_MY_VIEW = re.compile(
    rf"{_VIEWED}from (?:my (?:own )?(?:side|point of view|perspective|view|viewpoint|angle|seat|end)|"
    r"where i (?:am(?: \w+)?|stand|sit))\b,?|,? ?\bas i (?:see|look at) (?:it|them|things)\b,?"
)
_YOUR_VIEW = re.compile(
    rf"{_VIEWED}from (?:your (?:own )?(?:side|point of view|perspective|view|viewpoint|angle)|"
    r"the (?:robot|arm) (?:side|point of view|perspective|view))\b,?|,? ?\bas you see (?:it|them)\b,?"
)
_MY_SIDE = re.compile(r"\bmy (left|right)\b")
_ACROSS = {
    "left": "right", "right": "left", "leftmost": "rightmost", "rightmost": "leftmost",
    "front": "back", "back": "front", "behind": "in front of", "in front of": "behind",
}  # fmt: skip
_SIDES = re.compile(rf"\b({'|'.join(sorted(_ACROSS, key=len, reverse=True))})\b")


def as_the_robot_sees(text: str) -> str:
    """Return a text with the sides of a person, who faces the robot, as the robot's own."""
    text = _MY_SIDE.sub(lambda found: f"the {_ACROSS[found[1]]}", text)
    text = _YOUR_VIEW.sub(" ", text)
    if not _MY_VIEW.search(text):
        return text
    return _SIDES.sub(lambda found: _ACROSS[found[1]], _MY_VIEW.sub(" ", text)).strip()


def plainer(text: str) -> str:
    """Return a cleaned text with what has a plainer wording in that wording."""
    text = as_the_robot_sees(text)
    for pattern, plain in _COMPILED:
        text = pattern.sub(plain, text)
    return text


def without_preamble(words: Sequence[str], is_verb: Callable[[Sequence[str]], bool]) -> list[str]:
    """Return words without `it would be great if you could` before the verb of a sentence.

    Args:
        words: of one or more sentences.
        is_verb: tells whether words begin with a verb that something can be done by.
    """
    kept: list[str] = []
    start = 0
    while start < len(words):
        begins = not kept or kept[-1] in (".", ";", "!", "?", ":")
        end = (
            start + _preamble(words[start : start + _LONGEST_PREAMBLE], is_verb)
            if begins
            else start
        )
        if end > start:
            start = end
            continue
        kept.append(words[start])
        start += 1
    return kept


def _preamble(words: Sequence[str], is_verb: Callable[[Sequence[str]], bool]) -> int:
    """Return how many words of small talk stand before a verb; 0 if these are none."""
    length = 0
    while length < len(words) and words[length] in _PREAMBLE:
        length += 1
    for end in range(length, 1, -1):
        if _leads_in(words[:end]) and is_verb(words[end:]):
            return end
    return 0


def _leads_in(words: Sequence[str]) -> bool:
    """Tell whether a verb can follow: `... you might`, `... to`."""
    return words[-1] in _LEADS_IN or (words[-1] in _MODALS and words[-2] in ("you", "we"))
