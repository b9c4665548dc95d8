"""Turns corpus wordings into endless, slightly different conversations.

A network of two million parameters learns a few thousand sentences by heart with
ease; what it does not learn by itself is that "hey, how can i stop it" is one of
them.  So every question is dressed up, damaged or reworded before it is shown,
in-scope and out-of-scope questions alike, or the damage itself would be a cue.
No question that normalises to a held-out line ever leaves this module.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import wordings as w
from corpus import Corpus, normalise
from tokenizer import Tokenizer

_SHAPES = [([re.compile(p, re.I) for p in inputs], forms) for inputs, forms in w.SHAPES]
_SYNONYMS = [
    (re.compile(rf"\b{re.escape(word)}\b", re.I), [o for o in group if o != word])
    for group in w.SYNONYMS
    for word in group
]
_QUESTION = re.compile(r"(what|how|why|where|when|who|which)\b(?! about)", re.I)
_INVERSION = re.compile(r"(what|who|where) (is|are) (?P<x>.+)", re.I)
_PUNCTUATION = re.compile(r"(?<![^\W_])[?!.,;:\"'()`]+|[?!.,;:\"'()`]+(?![^\W_])")


@dataclass(frozen=True)
class Rates:
    """Probability of each change, per question."""

    reshape: float = 0.22
    synonym: float = 0.22
    prefix: float = 0.08
    question_prefix: float = 0.12
    suffix: float = 0.05
    drop_word: float = 0.12
    typo: float = 0.08
    lower: float = 0.35
    no_punctuation: float = 0.35
    add_mark: float = 0.06
    untouched: float = 0.12


def without_punctuation(text: str) -> str:
    """Remove punctuation, but not inside a word: ``Node.js`` keeps its dot."""
    return re.sub(r"\s+", " ", _PUNCTUATION.sub(" ", text)).strip() or text


def without_marks(text: str) -> str:
    """Remove sentence marks everywhere, as careless software does: ``Nodejs``."""
    return re.sub(r"[.,;:!?]+", "", text).strip() or text


def _decapitalise(text: str) -> str:
    """Lower the first letter, unless the word is an acronym, a name or "I"."""
    first = text.split(" ", 1)[0]
    common = first[1:].islower() and first.isalpha()
    return text[:1].lower() + text[1:] if common else text


def reshape(text: str, rng: random.Random) -> str:
    """Ask the same in another form: "What is X?" becomes "Explain X"."""
    bare = text.rstrip("?.! ")
    for patterns, forms in _SHAPES:
        for pattern in patterns:
            match = pattern.fullmatch(bare)
            if match:
                form = rng.choice(forms)
                for name, part in match.groupdict().items():
                    form = form.replace(f"{{{name}}}", part)
                return form[:1].upper() + form[1:]
    return text


def swap_synonym(text: str, rng: random.Random) -> str:
    """Replace one word by another that means the same here."""
    usable = [(p, others) for p, others in _SYNONYMS if p.search(text)]
    if not usable:
        return text
    pattern, others = rng.choice(usable)
    replaced = pattern.sub(lambda _: rng.choice(others), text, count=1)
    return replaced[:1].upper() + replaced[1:] if text[:1].isupper() else replaced


def add_question_prefix(text: str, rng: random.Random) -> str:
    """ "What is X?" becomes "Can you tell me what X is?"."""
    if not _QUESTION.match(text):
        return text
    inverted = _INVERSION.fullmatch(text.rstrip("?.! "))
    if inverted and rng.random() < 0.5:
        text = f"{inverted[1]} {inverted['x']} {inverted[2]}?"
    return f"{rng.choice(w.QUESTION_PREFIXES)} {_decapitalise(text)}"


def drop_words(text: str, rng: random.Random) -> str:
    """Leave out one or two words that carry little meaning."""
    words = text.split(" ")
    for _ in range(rng.choice((1, 1, 2))):
        spots = [i for i, word in enumerate(words) if word.lower() in w.DROPPABLE]
        if len(words) > 2 and spots:
            del words[rng.choice(spots)]
    return " ".join(words)


def add_typo(text: str, rng: random.Random) -> str:
    """Drop, double, swap or replace one letter."""
    spots = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if len(spots) < 4:
        return text
    i = rng.choice(spots)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:i] + text[i + 1 :]
    if kind == 1:
        return text[:i] + text[i] + text[i:]
    if kind == 2:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return text[:i] + rng.choice("abcdefghijklmnoprstuvw") + text[i + 1 :]


def vary(text: str, rng: random.Random, rates: Rates) -> str:
    """One random variation of a question; the order is from meaning to surface."""
    if rng.random() < rates.untouched:
        return text
    if rng.random() < rates.reshape:
        text = reshape(text, rng)
    if rng.random() < rates.synonym:
        text = swap_synonym(text, rng)
    if rng.random() < rates.question_prefix:
        text = add_question_prefix(text, rng)
    if rng.random() < rates.prefix:
        text = f"{rng.choice(w.PREFIXES)} {_decapitalise(text)}"
    if rng.random() < rates.suffix:
        body = text.rstrip("?.! ")
        text = f"{body}{rng.choice((', ', ' '))}{rng.choice(w.SUFFIXES)}{text[len(body) :].strip()}"
    if rng.random() < rates.drop_word:
        text = drop_words(text, rng)
    if rng.random() < rates.typo:
        text = add_typo(text, rng)
    if rng.random() < rates.lower:
        text = text.lower()
    if rng.random() < rates.no_punctuation:
        text = (without_marks if rng.random() < 0.35 else without_punctuation)(text)
    elif rng.random() < rates.add_mark and text[-1:].isalnum():
        text += rng.choice("?.!?")
    return text.strip()


def nonsense(rng: random.Random) -> str:
    """A word that does not exist: what is unknown has to look unknown."""
    syllables = rng.choice((1, 2, 2, 2, 3))
    starts = ("b", "br", "d", "dr", "f", "g", "gl", "h", "j", "k", "kr", "l", "m", "n", "p", "pl",
              "qu", "r", "s", "sk", "st", "t", "tr", "v", "w", "x", "z", "zh", "")  # fmt: skip
    ends = ("", "", "b", "ck", "d", "f", "l", "m", "n", "nk", "p", "r", "rt", "s", "sh", "t", "x", "z")
    parts = (rng.choice(starts) + rng.choice("aeiouy") + rng.choice(ends) for _ in range(syllables))
    word = "".join(parts)
    return word.capitalize() if rng.random() < 0.3 else word


def fill_shape(shape: str, words: dict[str, list[str]], rng: random.Random) -> str:
    """Fill each slot of an out-of-scope shape with a random word."""

    def filler(match: re.Match[str]) -> str:
        slot = match[1]
        if slot == "number":
            return str(rng.randint(11, rng.choice((99, 999))))
        if slot == "nonsense" or (slot == "noun" and rng.random() < 0.06):
            return nonsense(rng)
        return rng.choice(words[slot])

    text = re.sub(r"\{(\w+)\}", filler, shape)
    return text[:1].upper() + text[1:] if rng.random() < 0.7 else text


@dataclass(frozen=True)
class Mix:
    """What a training conversation is made of."""

    out_of_scope: float = 0.25
    shape: float = 0.45
    template: float = 0.2
    combined: float = 0.07
    system: float = 0.35
    made_up_system: float = 0.6
    turns: tuple[int, ...] = (1,) * 70 + (2,) * 22 + (3,) * 5 + (5,) * 2 + (8,)


class Sampler:
    """Draws token sequences with a mask of the tokens the model must answer."""

    def __init__(self, corpus: Corpus, tokenizer: Tokenizer, seed: int) -> None:
        self.corpus = corpus
        self.tokenizer = tokenizer
        self.rng = random.Random(seed)
        self.rates = Rates()
        self.mix = Mix()
        self.oos_keys = {normalise(q) for q in corpus.oos_train}
        self.skipped = 0
        longest = max(len(g.answer) for g in corpus.groups)
        # Very long answers are learned as surely, but cost many times the work.
        self.weights = [1.0 if len(g.answer) < longest / 2 else 0.5 for g in corpus.groups]

    def _out_of_scope(self) -> str:
        rng, corpus, kind = self.rng, self.corpus, self.rng.random()
        if kind < self.mix.shape:
            return fill_shape(rng.choice(corpus.oos_shapes), corpus.oos_words, rng)
        if kind < self.mix.shape + self.mix.template:
            return rng.choice(rng.choice(corpus.oos_expanded))
        return rng.choice(corpus.oos_train)

    def _combine(self, first: str, second: str) -> str:
        """Two ways to say the same, one after the other, as in real messages."""
        joint = self.rng.choice((", ", ", ", ". ", "? ", " - ", " and "))
        return first.rstrip("?.! ") + joint + _decapitalise(second)

    def _draw(self) -> tuple[str, int | None]:
        """A trained wording and its group, None for out of scope."""
        rng, groups = self.rng, self.corpus.groups
        combined = rng.random() < self.mix.combined
        if rng.random() < self.mix.out_of_scope:
            text = self._out_of_scope()
            return (self._combine(text, self._out_of_scope()) if combined else text), None
        index = rng.choices(range(len(groups)), self.weights)[0]
        text = rng.choice(groups[index].questions)
        if combined and len(text) < 60:
            text = self._combine(text, rng.choice(groups[index].questions))
        return text, index

    def question(self) -> tuple[str, str]:
        """A varied question and its answer, never a held-out wording."""
        while True:
            text, index = self._draw()
            varied = vary(text, self.rng, self.rates)
            key = normalise(varied)
            belongs_elsewhere = self.corpus.owner.get(key, index) != index
            unanswered = index is not None and key in self.oos_keys
            if not key or belongs_elsewhere or unanswered or self.corpus.is_held_out(varied):
                self.skipped += 1
                continue
            answer = self.corpus.oos_answer if index is None else self.corpus.groups[index].answer
            return varied, answer

    def system_prompt(self) -> str:
        """A trained system prompt, or one put together from parts."""
        rng = self.rng
        if rng.random() >= self.mix.made_up_system:
            return rng.choice(self.corpus.systems_train)
        parts = [f"{rng.choice(w.SYSTEM_OPENINGS)} {rng.choice(w.SYSTEM_ROLES)}."]
        parts += rng.sample(w.SYSTEM_RULES, rng.choice((0, 1, 1, 2)))
        if rng.random() < 0.3:
            rng.shuffle(parts)
        text = " ".join(parts)
        held_out = set(map(normalise, self.corpus.systems_held_out))
        return self.corpus.systems_train[0] if normalise(text) in held_out else text

    def conversation(self) -> tuple[list[int], list[bool]]:
        """Token ids and, for each, whether it belongs to an answer."""
        ids: list[int] = []
        answer_mask: list[bool] = []
        if self.rng.random() < self.mix.system:
            ids += self.tokenizer.system(self.system_prompt())
            answer_mask += [False] * len(ids)
        for _ in range(self.rng.choice(self.mix.turns)):
            question, answer = self.question()
            turn, reply = self.tokenizer.turn(question), self.tokenizer.reply(answer)
            ids += turn + reply
            answer_mask += [False] * len(turn) + [True] * len(reply)
        return ids, answer_mask
