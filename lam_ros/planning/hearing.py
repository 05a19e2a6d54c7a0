"""What is said while the arm works: is it a word to the run itself, or a new instruction?"""

from __future__ import annotations

import re
from enum import StrEnum


class Word(StrEnum):
    """What a person can say to a run."""

    STOP = "stop"
    WAIT = "wait"
    GO_ON = "go on"
    OTHER = "the other one"
    UNDO = "undo"
    AGAIN = "do that again"
    SKIP = "skip it"
    RETRY = "try again"
    NEW = "a new instruction"


_SAID: dict[Word, str] = {
    Word.STOP: r"stop( it| that| now| moving| everything)?|halt|cancel( it| that)?|abort|freeze|enough"
    r"|never ?mind|quit|no stop|stop stop( stop)*",
    Word.WAIT: r"wait( a (moment|second|bit|minute))?|pause|hold on( a (moment|second))?|one moment"
    r"|hang on|just a (moment|second)",
    Word.GO_ON: r"go on|go ahead|continue|resume|carry on|proceed|keep going|(ok|okay) (go on|continue)",
    Word.OTHER: r"(no )?(not (that|this)( one)? )?(i (meant|mean) )?(take |use )?the other( one)?"
    r"( instead)?|(no )?not (that|this)( one)?|(no )?(the )?wrong one",
    Word.UNDO: r"undo( (that|it|this|the last (step|one|thing)))?|revert( (that|it))?|take (that|it) back"
    r"|put (that|it|everything|them) back( where (it was|they were|it came from))?",
    Word.AGAIN: r"again|(do|repeat) (that|it|this)( again| once more)?|(and )?once (more|again)|repeat",
    Word.SKIP: r"skip( (it|that|this|the step|that step|this step))?|leave (it|that)( out| be)?"
    r"|go on without( it)?|next",
    Word.RETRY: r"(try|retry)( (it|that))?( (once more|again))?|one more try|yes( please)?|yes try again",
}


def word_of(text: str) -> Word:
    """Return what a text means to a run; anything that is no such word is an instruction."""
    said = re.sub(r"[^\w\s]", " ", text.lower())
    said = re.sub(r"\b(please|now then|robot|hey|oh|um|uh|well)\b", " ", said)
    said = " ".join(said.split())
    for word, pattern in _SAID.items():
        if re.fullmatch(pattern, said):
            return word
    return Word.NEW


def is_no(text: str) -> bool:
    """Tell whether an answer is a no."""
    said = " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())
    return (
        re.fullmatch(
            r"no( (thanks|thank you|please|way|not now))?|nope|nah|not now|do not|don t", said
        )
        is not None
    )
