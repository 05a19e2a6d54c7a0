"""The words that the planner understands, as tables: phrase -> what it is and means.

A phrase is one or more lower-case words; the longest match wins.  Names of things
(kinds, colours) are in `names`; here are the words of every other class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Tag(StrEnum):
    """Class of a token."""

    VERB = "verb"
    PREPOSITION = "preposition"
    DETERMINER = "determiner"
    QUANTIFIER = "quantifier"
    NUMBER = "number"
    COLOR = "color"
    NOUN = "noun"
    GENERIC = "generic"
    PRONOUN = "pronoun"
    SELECTOR = "selector"
    ORDINAL = "ordinal"
    MATCHING = "matching"
    AND = "and"
    OR = "or"
    THEN = "then"
    COMMA = "comma"
    END = "end"
    NOT = "not"
    EXCEPT = "except"
    BE = "be"
    SHALL = "shall"
    THAT = "that"
    OF = "of"
    ID = "id"
    WHEN = "when"
    FILLER = "filler"
    RESERVED = "reserved"
    WORD = "word"


@dataclass(frozen=True)
class Entry:
    """What a phrase is: its class, its meaning, and whether it is a plural."""

    tag: Tag
    value: str = ""
    plural: bool = False


PLACE, STACK, GRASP, REMOVE = "place", "stack", "grasp", "remove"
ENSURE, TOUCH, LEAVE = "ensure", "touch", "leave"
HARM, TALK, OTHER = "harm", "talk", "other"
OPEN, CLOSE, TURN_ON, TURN_OFF, PRESS = "open", "close", "turn_on", "turn_off", "press"
PUSH, PUSH_UP, PUSH_DOWN, ROTATE = "push", "push_up", "push_down", "rotate"
FILL, COVER, DISPOSE, REPLACE = "fill", "cover", "dispose", "replace"
CLEAR, TIDY, SORT, SWAP, UNSTACK, RETURN = "clear", "tidy", "sort", "swap", "unstack", "return"

_VERBS: dict[str, str] = {
    PLACE: """put place move set lay drop bring stick shift transfer position deposit relocate carry
        transport pop insert load store stow pack add rest lower tuck
        perch mount balance park dump pick|and|place
        put|down set|down lay|down place|down drop|off drop|down stash slot
        putting placing moving setting laying dropping bringing transferring positioning
        puts places moves situate plop plonk nestle screw hang plug stand lean""",
    STACK: " ".join(
        ["stack stacking pile stack|up pile|up"]
        + [f"{make}|a|{heap}{of}" for make in ("build", "make", "create", "construct", "form", "erect")
           for heap in ("tower", "stack", "pile")
           for of in ("|of", "|from", "|out|of", "|with", "|using", "")]
    ),
    GRASP: """pick|up pick grab grasp take get lift lift|up fetch hold collect retrieve seize
        picking|up take|hold|of get|hold|of grabbing taking getting find locate look|for
        grip use using reach|for reach|into reach|inside reach|in go|to go|over|to go|towards move|over|to close|the|gripper|on lifting
        clasp grasping go|toward move|to move|towards approach clutch retrieving collecting""",
    REMOVE: """remove take|away take|out unload withdraw take|off removing move|away
        clear|away""",
    OPEN: """open opened open|up opening pull|open slide|open push|open unlock reopen uncover unclose
        pull|out|the""",
    CLOSE: "close closed shut closing shutting push|closed slide|shut push|shut slide|closed close|up reclose",
    TURN_ON: """turn|on switch|on power|on activate light|up turning|on switching|on put|on|the|light
        toggle|on flip|on start|up start enable illuminate""",
    TURN_OFF: """turn|off switch|off power|off deactivate turning|off switching|off toggle|off
        flip|off extinguish turn|out""",
    PRESS: "press toggle pressing push|the|button|on tap click press|down flip flick",
    PUSH: """push shove slide pull sweep wipe brush nudge drag pushing sliding sweeping pulling dragging
        push|forward""",
    PUSH_UP: "slide|up push|up move|up flip|up toggle|up raise",
    PUSH_DOWN: "slide|down push|down move|down flip|down toggle|down pull|down",
    ROTATE: "rotate turn twist spin rotating turning twisting turn|around",
    CLEAR: """clear empty clear|off clear|out empty|out free|up free unload clearing emptying
        clear|a|space|on make|room|on make|room|in make|space|on make|space|in clear|space|on
        clear|a|place|on clear|some|space|on""",
    TIDY: """tidy tidy|up clean|up clear|up tidying|up tidying declutter clean|up|the|mess
        clear|a|space make|some|space make|space make|room clear|some|space clear|space
        put|away putting|away put|everything|away tidy|everything|up clean|everything|up tidy|it|up""",
    SORT: """sort sort|out sorting group organize organise grouping organizing organising separate
        arrange""",
    SWAP: """swap exchange switch swapping exchanging switching interchange trade
        swap|the|places|of swap|places|of switch|the|places|of switch|places|of
        swap|the|positions|of switch|the|positions|of exchange|the|positions|of
        exchange|the|places|of trade|places|of swap|around switch|around""",
    UNSTACK: "unstack dismantle collapse unstacking destack take|apart disassemble",
    RETURN: """put|back return bring|back move|back put|it|back put|them|back place|back set|back
        returning""",
    ENSURE: """make|sure make|sure|that ensure ensure|that see|to|it|that i|want i|would|like i|need
        make|certain let|me|see i|could|use there|should|be there|must|be there|has|to|be there|needs|to|be i|would|rather|have i|would|prefer i|prefer i|would|love i|want|to|see i|would|like|to|see we|need we|want have let i|would|like|to|have i|want|to|have""",
    TOUCH: "touch disturb bother touching disturbing",
    LEAVE: "leave leaving keep",
    HARM: """hit punch stab slap strike smash break crush kill hurt harm injure attack kick bash
        shoot choke destroy throw toss hurl fling chuck slam burn murder beat wound damage throwing
        hitting stabbing smashing breaking crushing tossing poke punching squash slash smack whack pound clobber bludgeon jab trample ram maul claw bite
        pinch scratch strangle suffocate""",
    TALK: """tell sing say speak talk explain describe list count write play show look see watch
        search think believe love like hate know remind book order buy email call cook""",
    FILL: "fill filling fill|up",
    COVER: "cover",
    REPLACE: "replace substitute exchange|out",
    DISPOSE: "dispose|of discard",
    OTHER: """pour clean shake squeeze fold unfold cut rearrange
        align hand hand|over give pass deliver go drive wave
        dance nod point draw scan home calibrate knock knock|over undo repeat reset
        wash wrap make create gather
        distribute spread split release let|go unplug hide send""",
}  # fmt: skip

_PREPOSITIONS: dict[str, str] = {
    "on": """on onto on|to upon atop on|top on|top|of onto|the|top|of at|the|top|of on|the|top|of to|the|top|of
        over|on over|onto over|on|to up|on|top|of ontop|of over""",
    "in": """in into in|to inside inside|of within to|the|inside|of on|the|inside|of over|into
        so|that|it|falls|into that|it|falls|into until|it|falls|into so|it|falls|into""",
    "at": """in|the|middle|of in|the|center|of in|the|centre|of on|the|middle|of at|the|center|of
        at|the|centre|of onto|the|middle|of into|the|middle|of onto|the|center|of
        to|the|middle|of to|the|center|of to|the|centre|of in|the|center|on into|the|center|of on|the|center|of on|the|centre|of""",
    "to": "to towards toward over|to at up|to down|to",
    "next_to": """next|to beside besides by near nearby close|to near|to adjacent|to alongside
        alongside|of close|by by|the|side|of at|the|side|of next|beside
        up|against against closer|to nearer|to touching should|touch must|touch
        in|contact|with side|by|side|with up|to""",
    "from": """from from|the|center|of from|the|middle|of from|the|centre|of out|of off off|of from|inside from|inside|of from|on|top|of from|the|top|of
        off|from out|from from|off from|within""",
    "left_of": """left|of at|the|left|side|of at|the|left|hand|side|of to|the|left|of on|the|left|of on|the|left|side|of to|the|left|side|of
        at|the|left|of to|left|of on|the|left|hand|side|of to|the|left|hand|side|of""",
    "right_of": """right|of at|the|right|side|of at|the|right|hand|side|of to|the|right|of on|the|right|of on|the|right|side|of
        to|the|right|side|of at|the|right|of to|right|of on|the|right|hand|side|of
        to|the|right|hand|side|of""",
    "in_front_of": "in|front|of in|the|front|of at|the|front|of to|the|front|of",
    "behind": "behind in|back|of at|the|back|of to|the|back|of to|the|rear|of at|the|rear|of beyond",
    "between": "between in|between among amongst",
    "under": "under underneath below beneath",
    "above": "above across around through past along",
    "with": "with",
}  # fmt: skip

_SELECTORS: dict[str, str] = {
    "left": "left leftmost left|most left|hand left|hand|side left|side lefthand leftward leftwards",
    "right": "right rightmost right|most right|hand right|hand|side right|side righthand rightward rightwards",
    "front": "front frontmost front|most foremost front|side",
    "back": "back rear backmost back|most rearmost back|side rear|side hindmost",
    "middle": "middle center centre central middlemost",
    "nearest": """nearest closest nearest|to|you closest|to|you nearest|to|the|robot
        closest|to|the|robot nearest|to|the|arm closest|to|the|arm nearest|you closer nearer""",
    "farthest": """farthest furthest farthest|away furthest|away farthest|from|you
        furthest|from|you farthest|from|the|robot furthest|from|the|robot further farther""",
    "largest": "largest biggest big large bigger larger tallest taller tall",
    "smallest": "smallest little small smaller shortest shorter short tiny",
    "top": "top topmost uppermost highest upper",
    "bottom": "bottom bottommost lowermost lowest lower|most lower",
    "lightest": "lightest palest lighter",
    "darkest": "darkest darker",
    "forward": "forward forwards ahead",
    "backward": "backward backwards",
    "up": "upwards upward",
    "down": "downwards downward",
}  # fmt: skip

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"
)  # fmt: skip

_OTHERS: dict[Tag, dict[str, str]] = {
    Tag.DETERMINER: {"the": "the this that my your our its", "those": "these those"},
    Tag.QUANTIFIER: {
        "a": "a an any any|of any|one some either either|of whichever one|of a|single some|of several a|few a|number|of",
        "another": "another a|different one|more a|second",
        "all": """all all|of all|the|of every each each|of every|one|of each|one|of every|single
            all|of|the""",
        "both": "both both|of",
        "rest": """the|rest the|rest|of the|others the|other the|remaining the|ones|left
            the|remainder|of remaining the|leftover all|the|others all|the|other all|other
            everything|else all|others all|remaining all|the|rest all|the|remaining""",
        "everything": "everything anything",
    },
    Tag.GENERIC: {
        "one": "one",
        "ones": "ones",
        "object": "object thing item piece",
        "objects": "objects things items pieces stuff",
    },
    Tag.PRONOUN: {
        "it": "it this|one that|one the|former",
        "them": "them they themselves all|of|them these|ones those|ones both|of|them",
        "there": "there the|same|place the|same|spot same|place in|there on|there over|there",
        "itself": "itself",
        "each_other": "each|other one|another eachother",
    },
    Tag.MATCHING: {
        "matching": "matching corresponding same|colored same|coloured same|color same|colour",
        "of": """of|the|same|color of|the|same|colour with|the|same|color with|the|same|colour
            of|matching|color of|matching|colour of|its|color of|its|colour of|its|own|color
            of|its|own|colour with|the|matching|color with|the|matching|colour
            that|matches|its|color that|matches|its|colour that|has|the|same|color
            that|has|the|same|colour matching|its|color matching|its|colour matching|their|color that|matches""",
    },
    Tag.AND: {"and": "and & plus as|well|as along|with together|with while|also", "but": "but yet"},
    Tag.OR: {"or": "or"},
    Tag.THEN: {
        "then": """then and|then after|that after|this afterwards afterward finally lastly next
            subsequently later thereafter once|that|is|done once|done when|done when|that|is|done
            when|you|are|done followed|by at|last in|the|end before|finally once|you|are|done
            as|a|last|step last|of|all secondly thirdly when|finished once|finished"""
    },
    Tag.NOT: {"not": "not never do|not without avoid can|not cannot should|not must|not dont"},
    Tag.EXCEPT: {
        "except": """except except|for apart|from other|than excluding but|not all|except
            aside|from not|including with|the|exception|of instead|of rather|than minus"""
    },
    Tag.BE: {"be": "is are was were am be stay stays"},
    Tag.SHALL: {
        "shall": """be|moved be|put be|placed be|stacked be|transferred be|brought should|be must|be goes go|go belongs belong needs|to|be has|to|be to|be should|go
            must|go needs|to|go has|to|go ought|to|be is|to|be is|to|go should|end|up ends|up end|up
            are|to|be is|supposed|to|be is|supposed|to|go shall|be will|be need|to|be have|to|be
            need|to|go are|to|go is|placed is|put are|placed should|sit needs|to|sit shall|go
            have|to|go wants|to|be ought|to|end|up ought|to|go would|be should|be|put
            should|be|placed should|be|moved must|be|put must|be|placed needs|to|be|put
            needs|to|be|placed needs|to|be|moved is|to|be|put is|to|be|placed has|to|be|put
            come|to|rest comes|to|rest come|to|lie"""
    },
    Tag.THAT: {
        "that": """that|is that|are which|is which|are that|was sitting lying standing located resting
            placed currently that|sits that|lies which|sits which|lies that|is|sitting
            that|is|lying that|is|currently which|is|lying which|is|sitting that|are|lying
            that|are|currently that|is|placed that|rests that|is|standing"""
    },
    Tag.OF: {"of": "of"},
    Tag.WHEN: {
        "before": "before prior|to before|you before|i ahead|of earlier|than",
        "after": "after after|you after|having once|you|have once|you once when|you|have",
        "if": "if in|case only|if provided provided|that as|long|as if|and|only|if if|there|are",
        "unless": "unless except|if",
        "once": "once when as|soon|as whenever",
        "else": "otherwise else or|else if|not",
    },
    Tag.RESERVED: {
        "": """no nothing none neither nor until while because since
            where who whose which how why what you i we they he she wait stop come twice once
            times half has had did does whether back|again"""
    },
    Tag.FILLER: {
        "": """please kindly could|you can|you would|you will|you i|want|you|to i|would|like|you|to
            i|need|you|to you|should you|must you|need|to you|have|to let|us go|ahead|and go|ahead
            would|you|mind do|you|mind if|you|do|not|mind if|you|can if|you|could if|possible
            when|you|can when|you|get|a|chance for|me thanks thank|you ok okay now just simply hey hi
            hello robot lam well so alright all|right your|task|is|to your|job|is|to
            the|task|is|to your|mission|is|to try|to try|and make|sure|to make|sure|you remember|to
            help|me|to help|me i|think|you|should carefully gently slowly quickly softly safely
            neatly directly straight immediately precisely quietly right|now too also as|well
            likewise exactly properly nicely cautiously i|want|to i|would|like|to
            we|need|to we|should we|have|to how|about why|do|you|not why|do|not|you proceed|to
            start|by begin|by up down simultaneously again|please be|so|kind|as|to
            be|careful|to go|and come|on um uh er hmm ah oh may|i|ask|you|to
            what|i|want|is what|i|want|you|to|do|is i|wonder|if|you|could could|you|please
            as|quickly|as|possible as|soon|as|possible right|away yes yeah sure great good|robot
            perfect first|of|all to|begin|with to|start|with to|start to|begin firstly
            colored coloured in|color in|colour at|once thank|you|very|much thanks|a|lot i|need|to
            do|this you|will with|care only with|the|gripper with|your|gripper using|the|gripper
            with|the|arm using|your|gripper separately individually where|it|is where|they|are
            alone as|it|is as|they|are untouched i|think i|believe i|guess already currently still instead entire whole
            upright perhaps maybe possibly a|bit a|little slightly somewhat very actually of|course for|now
            whenever|you|are|ready when|you|are|ready if|you|please if|you|like if|you|want
            if|that|is|ok at|your|convenience one|after|the|other one|by|one one|at|a|time by|its|handle by|the|handle by|handle by|now before|anything|else before|all|else above|all
            all|the|way completely fully entirely again
            as|fast|as|possible as|fast|as|you|can as|carefully|as|possible as|gently|as|possible i|command|you|to"""
    },
}  # fmt: skip

PUNCTUATION: dict[str, Entry] = {
    ",": Entry(Tag.COMMA),
    ":": Entry(Tag.COMMA),
    "(": Entry(Tag.COMMA),
    ")": Entry(Tag.COMMA),
    "&": Entry(Tag.AND, "and"),
    "+": Entry(Tag.AND, "and"),
    ".": Entry(Tag.END),
    ";": Entry(Tag.END),
    "!": Entry(Tag.END),
    "?": Entry(Tag.END, "?"),
}


def words_in(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


type Phrases = Mapping[tuple[str, ...], Entry]


def split_words(text: str) -> list[tuple[str, ...]]:
    """Return the phrases of a table's cell: words separated by `|`."""
    return [tuple(item.split("|")) for item in text.split()]


_PARTICIPLES = {
    "put": "put", "set": "set", "lay": "laid", "take": "taken", "bring": "brought", "stick": "stuck",
    "shut": "shut", "get": "gotten", "hold": "held", "slide": "slid", "spin": "spun", "build": "built",
    "lean": "leant", "sweep": "swept",
}  # fmt: skip


def _participle(verb: str) -> str:
    """Return the past participle of a verb by rule, or as it is known."""
    if verb in _PARTICIPLES:
        return _PARTICIPLES[verb]
    if verb.endswith("e"):
        return f"{verb}d"
    doubles = verb in ("drop", "pop", "grab", "tap", "swap", "slot", "grip")
    return f"{verb}{verb[-1]}ed" if doubles else f"{verb}ed"


def _gerunds(verb: str) -> tuple[str, ...]:
    """Return the ways to spell the -ing form of a verb, one of which is right."""
    stem = verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb
    return (f"{stem}ing", f"{verb}{verb[-1]}ing") if verb[-1] in "bgmnpt" else (f"{stem}ing",)


def _function_words() -> dict[tuple[str, ...], Entry]:
    found: dict[tuple[str, ...], Entry] = {}
    tables = {Tag.VERB: _VERBS, Tag.PREPOSITION: _PREPOSITIONS, Tag.SELECTOR: _SELECTORS} | _OTHERS
    for tag, table in tables.items():
        for value, cell in table.items():
            for phrase in split_words(cell):
                spoken = tag is Tag.VERB and value in (HARM, TALK, OTHER)
                meaning = f"{value}:{' '.join(phrase)}" if spoken else value
                found.setdefault(phrase, Entry(tag, meaning, value in ("ones", "objects")))
                if tag is Tag.PREPOSITION and value != "from":
                    found.setdefault(("right", *phrase), Entry(tag, meaning))
                    found.setdefault(("just", *phrase), Entry(tag, meaning))
    for phrase, entry in tuple(found.items()):
        if entry.tag is Tag.VERB and len(phrase) == 1:
            for form in _gerunds(phrase[0]):
                found.setdefault((form,), entry)
    for index, name in enumerate(_ORDINALS, start=1):
        found[(name,)] = Entry(Tag.ORDINAL, str(index))
        suffix = {1: "st", 2: "nd", 3: "rd"}.get(index, "th")
        found[(f"{index}{suffix}",)] = found[(name,)]
    for first in ("begin", "start"):
        found[(first, "with")] = Entry(Tag.ORDINAL, "1")
    found[("last",)] = Entry(Tag.ORDINAL, "-1")
    for index, name in enumerate(_NUMBERS, start=1):
        found.setdefault((name,), Entry(Tag.NUMBER, str(index), index > 1))
        found[(str(index),)] = Entry(Tag.NUMBER, str(index), index > 1)
    return found


FUNCTION_WORDS: Phrases = MappingProxyType(_function_words())
"""Every phrase that names no thing."""


def _passives() -> dict[str, str]:
    """Return what each `turned on`, `pressed`, `picked up` is a form of."""
    found: dict[str, str] = {}
    for value, cell in _VERBS.items():
        if value in (HARM, TALK, OTHER, ENSURE, LEAVE):
            continue
        for first, *rest in split_words(cell):
            found.setdefault(" ".join((_participle(first), *rest)), value)
    return found


PASSIVES: Mapping[str, str] = MappingProxyType(_passives())
"""Past participle, with its particle -> the meaning of the verb: `turned on` -> `turn_on`."""
