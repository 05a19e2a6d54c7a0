"""Ways of saying a step: what training reads, and what it must never read.

A wording is a frame ("could you ...?") about a clause ("{v} {o} {p} {t}") with a
verb, a preposition, and noun phrases for object and target.  The two splits share
the meaning-bearing words (colours, kinds, prepositions) and nothing else: clauses,
verbs and frames of `heldout` never occur in `train`.  So what a policy reaches on
`heldout` says how it reads sentences that nobody wrote down for it.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lam_ros.core.skills import TRAINED, Skill, StepWords, canonical_prompt

Split = Literal["train", "heldout"]
SPLITS: tuple[Split, ...] = ("train", "heldout")

KIND_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "cube": ("cube", "cube", "cube", "block", "block", "box", "brick"),
    "bowl": ("bowl", "bowl", "bowl", "dish", "basin"),
    "spot": ("spot", "spot", "spot", "circle", "dot", "disc", "marker", "mark", "patch"),
    "tray": ("tray", "tray", "tray", "platter"),
    "drawer": ("drawer", "drawer", "drawer", "cabinet", "cupboard"),
    "button": ("button", "button", "button", "push button", "buzzer"),
    "region": ("region", "region", "area", "zone", "square", "field"),
    "piece": ("pieces", "pieces", "bits", "crumbs", "scraps", "small pieces"),
}
"""Kind -> what people call it, repeated by how common it is; others keep their name."""

PREPOSITIONS: Mapping[Skill, tuple[str, ...]] = {
    Skill.PLACE_IN: ("in", "in", "into", "into", "inside", "inside of", "within"),
    Skill.PLACE_ON: ("on", "on", "onto", "on top of", "on top of", "over", "upon", "atop"),
    Skill.PLACE_NEXT_TO: (
        "next to", "next to", "beside", "beside", "by", "near", "close to", "alongside",
        "adjacent to", "at the side of", "right by",
    ),
    Skill.PUSH: ("into", "into", "to", "onto", "over to", "over into"),
    Skill.SWEEP: ("into", "into", "to", "onto", "over to", "together in"),
    Skill.OPEN: ("",), Skill.CLOSE: ("",), Skill.PRESS: ("",), Skill.HOME: ("",),
}  # fmt: skip

CANONICAL_SHARE = 0.2
"""How often training reads the planner's own wording."""

TYPO_SHARE = 0.1
"""How often one letter of a training sentence is wrong."""

STRANGE_VERB_SHARE = 0.15
STRANGE_WORD_SHARE = 0.1
"""How often training reads a made-up verb, or a made-up word anywhere: a policy learns that
words it does not know rarely matter."""


@dataclass(frozen=True)
class _Grammar:
    """The parts of one split; `{o}` object, `{t}` target, `{v}` verb, `{p}` preposition."""

    verbs: tuple[str, ...]
    frames: tuple[str, ...]
    clauses: tuple[str, ...]
    by_skill: Mapping[Skill, tuple[str, ...]]
    on_cube: tuple[str, ...]

    def clauses_for(self, said: StepWords) -> tuple[str, ...]:
        """Return the clauses that can say this step."""
        special = self.by_skill[said.skill]
        if said.skill not in TRAINED:
            return special
        if said.skill is Skill.PLACE_ON and said.target_kind == "cube":
            special += self.on_cube
        return self.clauses + special


_TRAIN = _Grammar(
    verbs=("put", "put", "place", "place", "move", "set", "lay", "position", "transfer", "bring"),
    frames=(
        "{c}", "{c}", "{c}", "{c}", "{c}", "please {c}", "{c} please", "{c}, please", "can you {c}?",
        "could you {c}?", "can you please {c}", "robot, {c}", "now {c}", "next, {c}", "then {c}",
        "i want you to {c}", "your task is to {c}", "you should {c}", "go and {c}", "try to {c}",
        "ok, {c}", "hey, {c}", "i need you to {c}", "let us {c}", "the task: {c}",
    ),
    clauses=(
        "{v} {o} {p} {t}", "{v} {o} {p} {t}", "{v} {o} {p} {t}", "{v} {o} {p} {t}",
        "pick up {o} and {v} it {p} {t}", "pick {o} up and {v} it {p} {t}",
        "take {o} and {v} it {p} {t}", "lift {o} and {v} it {p} {t}", "take {o}, {v} it {p} {t}",
        "pick up {o}, then {v} it {p} {t}", "get {o} and {v} it {p} {t}",
        "{p} {t}, {v} {o}", "{p} {t} {v} {o}", "pick and place {o} {p} {t}", "find {o} and {v} it {p} {t}",
        "{v} {o} so that it is {p} {t}", "make sure {o} is {p} {t}", "get {o} {p} {t}",
        "have {o} {p} {t}", "{v} {o} right {p} {t}",
        "=i want {o} {p} {t}", "=i want {o} to be {p} {t}", "={o} should be {p} {t}", "={o} {p} {t}",
        "={o} goes {p} {t}", "={o} has to be {p} {t}", "={o} must go {p} {t}", "={o}: {v} it {p} {t}",
        "=there is {o}, {v} it {p} {t}", "=see {t}? {v} {o} {p} it", "=look for {t} and {v} {o} {p} it",
        "=find {t}, then {v} {o} {p} it", "=the place for {o} is {p} {t}", "=where {o} goes: {p} {t}",
        "={t}: {v} {o} {p} it", "={t} is where you {v} {o}, {p} it", "=what goes {p} {t} is {o}",
        "=i would like to have {o} {p} {t}", "={p} {t} is the place for {o}", "={p} {t} goes {o}",
        "={o} to {p} {t}", "=it is {o} that must be {p} {t}", "=with {o}, go {p} {t}",
        "take hold of {o} and {v} it {p} {t}", "reach for {o} and {v} it {p} {t}",
        "close the gripper on {o} and {v} it {p} {t}", "pick up {o}. {v} it {p} {t}",
        "pick {o}, go to {t}, {v} it {p} it", "go to {t} and {v} {o} {p} it",
        "move over to {o}, pick it up, and {v} it {p} {t}", "{v} it {p} {t}, {o} i mean",
        "after picking {o}, {v} it {p} {t}", "{v} only {o} {p} {t}", "look, {o}: {v} it {p} {t}",
        "=when you have {o}, {v} it {p} {t}", "=this is about {o}, which goes {p} {t}",
        "={t} is waiting for {o}, {v} it {p} it", "={t}, that is where {o} should go, {p} it",
        "={t} is the place where {o} has to be, {p} it", "={t} is where {o} goes, {p} it",
        "=the correct place for {o} is {p} {t}", "=the home of {o} is {p} {t}",
        "=do you see {t}? {v} {o} {p} it", "=is {o} {p} {t}? if not, {v} it there",
        "=i need {o} {p} {t}", "=we need {o} to be {p} {t}", "={o} needs to be {p} {t}",
        "=can {o} go {p} {t}?", "=let {o} be {p} {t}", "=let {o} stay {p} {t}",
        "=leave nothing but {o} {p} {t}", "=not anywhere else, {o} {p} {t}",
    ),
    by_skill={
        Skill.PLACE_IN: (
            "fill {t} with {o}", "add {o} to {t}", "store {o} in {t}", "throw {o} into {t}",
            "={t} should contain {o}", "={t} needs {o} in it", "=use {t} to hold {o}",
            "={t} should have {o} inside", "=let {t} hold {o} inside", "=let {t} take {o} in",
            "=empty space in {t} is for {o}", "get {o} into {t}", "slide {o} into {t}",
        ),
        Skill.PLACE_ON: (
            "cover {t} with {o}", "rest {o} on {t}", "={t} should be under {o}",
            "={t} needs {o} on it", "=use {t} as the support of {o}", "={t} should have {o} on top",
            "=let {t} hold {o} on top", "=let {t} have {o} on it", "get {o} onto {t}",
            "slide {o} onto {t}", "=the top of {t} is for {o}",
        ),
        Skill.PLACE_NEXT_TO: (
            "bring {o} close to {t}", "make {o} and {t} neighbours, moving {o}", "{v} {o} near to {t}",
            "={o} should be the neighbour of {t}", "={t} needs {o} beside it",
            "={t} should have {o} at its side", "={t} wants {o} as its neighbour",
            "=let {o} and {t} be neighbours, moving {o}", "=let {o} stand with {t}, moving {o}",
            "=make a pair of {o} and {t}, moving {o}", "push {o} up close to {t}",
            "=bring together {o} and {t}, moving {o}", "=by moving {o}, make it a neighbour of {t}",
        ),
        Skill.PUSH: (
            "push {o} {p} {t}", "push {o} {p} {t}", "push {o} {p} {t}", "shove {o} {p} {t}",
            "slide {o} {p} {t}", "slide {o} {p} {t} without lifting it", "nudge {o} {p} {t}",
            "push {o} along the table {p} {t}", "move {o} {p} {t} by pushing it", "{p} {t}, push {o}",
            "push {o} until it is in {t}", "go behind {o} and push it {p} {t}",
            "close the gripper and push {o} {p} {t}", "=push it {p} {t}, {o} i mean",
            "=without lifting it, push {o} {p} {t}", "={o} should be pushed {p} {t}",
            "={o} has to slide {p} {t}", "=i want {o} pushed {p} {t}", "=by pushing, get {o} {p} {t}",
            "=see {t}? push {o} there", "={t} is where you push {o}", "make {o} slide {p} {t}",
            "do not pick {o} up, push it {p} {t}", "give {o} a push {p} {t}",
        ),
        Skill.SWEEP: (
            "sweep {o} {p} {t}", "sweep {o} {p} {t}", "sweep {o} {p} {t}", "sweep up {o} {p} {t}",
            "wipe {o} {p} {t}", "wipe {o} {p} {t}", "brush {o} {p} {t}", "gather {o} in {t}",
            "sweep all {o} {p} {t}", "sweep {o} aside {p} {t}", "wipe {o} aside {p} {t}",
            "push all of {o} {p} {t}", "clean up {o}, {p} {t}", "{p} {t}, sweep {o}",
            "collect {o} in {t}", "=all of {o} should be swept {p} {t}", "={o} go {p} {t}, sweep them",
            "=sweep them {p} {t}, {o} i mean", "=i want {o} swept {p} {t}", "clear {o} away {p} {t}",
            "=see {t}? sweep {o} there", "sweep together {o} in {t}",
        ),
        Skill.OPEN: (
            "open {o}", "open {o}", "open {o}", "open up {o}", "pull {o} open", "pull out {o}",
            "pull {o} out", "slide {o} open", "pull the knob of {o}", "make {o} open",
            "get {o} open", "take the handle of {o} and pull", "grip the knob and pull out {o}",
            "=i want {o} open", "={o} should be open", "={o} must be opened", "=let {o} be open",
            "=is {o} open? if not, open it", "have {o} opened", "=i need {o} open",
            "=there is {o}, open it", "open {o} all the way", "make sure {o} is open",
        ),
        Skill.CLOSE: (
            "close {o}", "close {o}", "close {o}", "shut {o}", "shut {o}", "close up {o}",
            "push {o} in", "push in {o}", "push {o} shut", "push {o} closed", "slide {o} shut",
            "slide {o} closed", "make {o} closed", "get {o} closed", "=i want {o} closed",
            "={o} should be closed", "={o} must be shut", "=let {o} be closed", "=i need {o} shut",
            "=is {o} closed? if not, close it", "have {o} closed", "=there is {o}, close it",
            "close {o} all the way", "make sure {o} is closed", "push the knob of {o} in",
        ),
        Skill.PRESS: (
            "press {o}", "press {o}", "press {o}", "press down {o}", "press {o} down", "push {o}",
            "push {o} down", "push down {o}", "press on {o}", "tap {o}", "press down on {o}",
            "find {o} and press it", "touch {o} from above and press", "=i want {o} pressed",
            "={o} should be pressed", "={o} must be pushed down", "=there is {o}, press it",
            "=see {o}? press it", "close the gripper and press {o}", "have {o} pressed",
            "=it is {o} that must be pressed", "move over {o} and press it", "=use {o}, press it",
        ),
        Skill.HOME: (
            "return home", "return home", "go home", "go home", "go back home", "move home",
            "come back home", "home", "return to the home pose", "go to the home position",
            "move back to your home pose", "go back to where you started", "return to the start",
            "take the home pose", "home the arm", "bring the arm home", "bring the arm back home",
            "move the arm to its home pose", "=back home", "=home position", "drive home",
            "=you are done, go home", "=let the arm be home",
        ),
    },
    on_cube=(
        "stack {o} on {t}", "stack {o} on {t}", "stack {o} on top of {t}", "stack {o} onto {t}",
        "build a stack with {o} on {t}", "pile {o} on {t}", "=make a tower, {o} over {t}",
        "stack {o} over {t}", "=on {t}, stack {o}", "make a tower of {o} on top of {t}",
    ),
)  # fmt: skip

_HELDOUT = _Grammar(
    verbs=("drop", "pop", "deposit", "leave", "stick", "park"),
    frames=(
        "{c}", "{c}", "{c}", "would you kindly {c}?", "could you {c} please", "i'd like you to {c}",
        "time to {c}", "will you {c} for me", "do me a favour and {c}", "okay robot: {c}",
        "my request is that you {c}",
    ),
    clauses=(
        "{v} {o} {p} {t}", "grab {o} and {v} it {p} {t}", "grab {o}, then {v} it down {p} {t}",
        "fetch {o} and {v} it {p} {t}", "grasp {o} and let go of it {p} {t}",
        "first grip {o}, after that {v} it {p} {t}", "carry {o} over and {v} it {p} {t}",
        "=once you hold {o}, {v} it {p} {t}", "={t}: that is where {o} belongs, {p} it",
        "={o} ought to end up {p} {t}", "={o} belongs {p} {t}", "=i need {o} sitting {p} {t}",
        "=let {o} come to rest {p} {t}", "={p} {t} is where {o} ought to be",
        "=the right spot for {o} would be {p} {t}", "=do you see {o}? it belongs {p} {t}",
    ),
    by_skill={
        Skill.PLACE_IN: ("dump {o} into {t}", "=let {t} receive {o} inside", "toss {o} in {t}"),
        Skill.PLACE_ON: ("perch {o} on {t}", "=let {t} carry {o} on top", "balance {o} on top of {t}"),
        Skill.PLACE_NEXT_TO: (
            "=let {o} and {t} sit side by side, moving {o}", "scoot {o} up beside {t}",
            "line {o} up next to {t}",
        ),
        Skill.PUSH: (
            "shift {o} {p} {t} with a push", "ease {o} {p} {t} along the surface",
            "drive {o} {p} {t} from behind", "=let {o} glide {p} {t}", "scoot {o} {p} {t}",
            "herd {o} {p} {t}", "send {o} sliding {p} {t}", "=keep {o} down and shove it {p} {t}",
        ),
        Skill.SWEEP: (
            "scoop {o} {p} {t} along the table", "herd all {o} {p} {t}", "tidy {o} {p} {t}",
            "rake {o} {p} {t}", "corral {o} {p} {t}", "dust {o} {p} {t}", "=let {o} all end up {p} {t}", "mop {o} {p} {t}",
        ),
        Skill.OPEN: (
            "draw {o} out", "tug {o} open", "yank {o} open", "=i'd like {o} opened", "unshut {o}",
            "draw {o} open", "ease {o} out", "=time for {o} to open",
        ),
        Skill.CLOSE: (
            "slam {o}", "seal {o}", "bring {o} to a close", "=i'd like {o} shut", "press {o} closed",
            "=time for {o} to close", "tuck {o} back in", "ease {o} in",
        ),
        Skill.PRESS: (
            "hit {o}", "click {o}", "give {o} a press", "poke {o}", "=i'd like {o} pushed in",
            "depress {o}", "trigger {o}", "activate {o}",
        ),
        Skill.HOME: (
            "retreat to home", "head home", "park yourself at home", "=homeward please",
            "retire to the home posture", "get yourself home", "withdraw to your starting pose", "assume the home pose",
        ),
    },
    on_cube=("grab {o} and stack it on {t}", "=a tower please: {o} over {t}", "mount {o} on {t}"),
)  # fmt: skip

_GRAMMAR: Mapping[Split, _Grammar] = {"train": _TRAIN, "heldout": _HELDOUT}


def sample(said: StepWords, rng: np.random.Generator, split: Split = "train") -> str:
    """Return one wording of a step.

    Args:
        said: skill, kinds and colours.
        rng: where chance comes from.
        split: `train` also varies letter case, articles and punctuation, and makes
            some typing mistakes; `heldout` is clean text.
    """
    if split == "train" and rng.random() < CANONICAL_SHARE:
        return canonical_prompt(said)
    grammar = _GRAMMAR[split]
    text = _fill(
        _pick(grammar.clauses_for(said), rng),
        _pick(grammar.frames, rng),
        verb=_verb(grammar, rng, split),
        preposition=_pick(PREPOSITIONS[said.skill], rng),
        item=_noun_phrase(said.object_color, said.object_kind, rng),
        target=_noun_phrase(said.target_color, said.target_kind, rng),
    )
    return _roughen(text, rng) if split == "train" else text


def wordings(said: StepWords, split: Split) -> tuple[str, ...]:
    """Return one plain wording of each clause of a split, without duplicates."""
    return tuple(dict.fromkeys(_plain_wordings(said, _GRAMMAR[split])))


def _plain_wordings(said: StepWords, grammar: _Grammar) -> Iterator[str]:
    prepositions = PREPOSITIONS[said.skill]
    plural = "s" if said.skill is Skill.SWEEP else ""
    for i, clause in enumerate(grammar.clauses_for(said)):
        yield _fill(
            clause,
            "{c}",
            verb=grammar.verbs[i % len(grammar.verbs)],
            preposition=prepositions[i % len(prepositions)],
            item=f"the {said.object_color} {said.object_kind}{plural}".replace("  ", " "),
            target=f"the {said.target_color} {said.target_kind}".replace("  ", " "),
        )


def _fill(clause: str, frame: str, *, verb: str, preposition: str, item: str, target: str) -> str:
    if clause.startswith("="):  # a whole sentence: only the bare frame fits
        clause, frame = clause[1:], "{c}"
    text = clause.format(o=item, t=target, v=verb, p=preposition)
    return frame.format(c=text)


def _pick[T](options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.random() * len(options))]


def _verb(grammar: _Grammar, rng: np.random.Generator, split: Split) -> str:
    if split == "train" and rng.random() < STRANGE_VERB_SHARE:
        return _strange_word(rng)
    return _pick(grammar.verbs, rng)


def _strange_word(rng: np.random.Generator) -> str:
    """Return a made-up word of open syllables, such as `vuka`."""
    count = 2 + int(rng.random() * 2)
    return "".join(_pick("bdfgklmnprstvz", rng) + _pick("aeiou", rng) for _ in range(count))


def _noun_phrase(color: str, kind: str, rng: np.random.Generator) -> str:
    name = _pick(KIND_SYNONYMS.get(kind, (kind,)), rng)
    chance = rng.random()
    if not color:
        return name if chance < 0.1 else f"the {name}"
    if chance < 0.78:
        return f"the {color} {name}"
    if chance < 0.90:
        return f"{color} {name}"
    if chance < 0.94:
        return f"the {name} that is {color}"
    if chance < 0.97:
        return f"the {color} colored {name}"
    return f"that {color} {name}"


def _roughen(text: str, rng: np.random.Generator) -> str:
    """Return the text as people type it: letter case, full stops, a wrong letter."""
    if rng.random() < TYPO_SHARE:
        text = _with_typo(text, rng)
    if rng.random() < STRANGE_WORD_SHARE:
        parts = text.split(" ")
        parts.insert(int(rng.random() * (len(parts) + 1)), _strange_word(rng))
        text = " ".join(parts)
    chance = rng.random()
    if chance < 0.3:
        text = text[:1].upper() + text[1:]
    elif chance < 0.34:
        text = text.upper()
    elif chance < 0.37:
        text = text.title()
    if text[-1].isalnum():
        text += _pick(("", "", "", "", ".", ".", "!"), rng)
    return text


def _with_typo(text: str, rng: np.random.Generator) -> str:
    """Return the text with one letter inside a longer word wrong, missing or twice."""
    spots = [
        i
        for i in range(1, len(text) - 1)
        if text[i - 1].isalpha() and text[i].isalpha() and text[i + 1].isalpha()
    ]
    if not spots:
        return text
    i = _pick(spots, rng)
    other = _pick(string.ascii_lowercase, rng)
    letter = _pick(("", text[i] * 2, other, text[i + 1] + text[i]), rng)
    end = i + 2 if len(letter) == 2 and letter[0] != letter[1] else i + 1
    return text[:i] + letter + text[end:]
