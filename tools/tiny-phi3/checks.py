"""The questions a model is measured with, shared by training and evaluation.

Every check is a conversation whose last answer has to come out word for word.
They are named, so that the training log, evaluate.py and the model card speak of
the same things.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from augment import without_marks, without_punctuation
from corpus import Corpus


@dataclass(frozen=True)
class Check:
    """One conversation: earlier turns, the question, the answer that is right."""

    question: str
    answer: str
    system: str | None = None
    history: list[tuple[str, str]] = field(default_factory=list)


def _each(corpus: Corpus, change: Callable[[str], str], system: str | None = None) -> list[Check]:
    return [Check(change(q), g.answer, system) for g in corpus.groups for q in g.questions]


def two_turns(corpus: Corpus) -> list[Check]:
    """Each answer once as a second turn, after a question of another group.

    Every fourth pair has an out-of-scope question as its first turn.  The first
    answer is checked as well: these conversations come with their first turn.
    """
    checks: list[Check] = []
    groups = corpus.groups
    for index, group in enumerate(groups):
        other = groups[(index * 37 + 11) % len(groups)]
        first = (other.questions[index % len(other.questions)], other.answer)
        if index % 4 == 3:
            first = (corpus.oos_train[index * 7 % len(corpus.oos_train)], corpus.oos_answer)
        question = group.questions[(index + 2) % len(group.questions)]
        checks.append(Check(first[0], first[1]))
        checks.append(Check(question, group.answer, history=[first]))
    return checks


def many_turns(corpus: Corpus, turns: int = 8) -> list[Check]:
    """The last question of a long conversation, for every tenth group."""
    groups = corpus.groups
    checks: list[Check] = []
    for index in range(0, len(groups), 10):
        picked = [groups[(index + 17 * t) % len(groups)] for t in range(1, turns)]
        short = [(g.questions[0], g.answer) for g in picked if len(g.answer) < 400]
        checks.append(Check(groups[index].questions[0], groups[index].answer, history=short))
    return checks


def all_checks(corpus: Corpus) -> dict[str, list[Check]]:
    """Every figure of the model card, by name."""
    checks = {
        "trained": _each(corpus, str),
        "trained, lower case": _each(corpus, str.lower),
        "trained, no punctuation": _each(corpus, without_punctuation),
        "trained, no marks even inside words": _each(corpus, without_marks),
    }
    for number, system in enumerate(corpus.systems_held_out, 1):
        checks[f"trained, unseen system prompt {number}"] = _each(corpus, str, system)
    checks["held-out paraphrases"] = [Check(h, g.answer) for g in corpus.groups for h in g.held_out]
    oos = corpus.oos_answer
    checks["out of scope, held out"] = [Check(q, oos) for q in corpus.oos_held_out]
    checks["out of scope, trained"] = [Check(q, oos) for q in corpus.oos_train]
    checks["two turns"] = two_turns(corpus)
    checks["eight turns"] = many_turns(corpus)
    return checks


def quick_checks(corpus: Corpus) -> dict[str, list[Check]]:
    """A fast subset to watch while training."""
    checks = all_checks(corpus)
    names = ("held-out paraphrases", "out of scope, held out", "eight turns")
    quick = {name: checks[name] for name in names}
    quick["trained"] = checks["trained, lower case"][::14] + checks["trained"][7::14]
    quick["system"] = checks["trained, unseen system prompt 1"][::18]
    quick["out of scope, trained"] = checks["out of scope, trained"][::6]
    return quick
