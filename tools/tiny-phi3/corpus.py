"""Reads the question/answer corpus and refuses one that would fool its own test.

Two mistakes would make the published figures worthless: a held-out wording that
is also trained, and one wording that belongs to two answers.  Both are checked
here, on the normalised form (lower case, letters and digits only), so that a
difference in case or punctuation does not hide them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS_DIR = HERE / "corpus"
TOPIC_FILES = ("library", "boards", "models", "small-talk", "facts")


class CorpusError(ValueError):
    """A mistake in the corpus files that a person has to correct."""


@dataclass
class Group:
    """All wordings of one question, and the one answer they share."""

    source: str
    questions: list[str] = field(default_factory=list)
    held_out: list[str] = field(default_factory=list)
    answer: str = ""


@dataclass(frozen=True)
class Corpus:
    """Everything the tokenizer, the training and the evaluation read."""

    groups: list[Group]
    oos_answer: str
    oos_train: list[str]
    oos_expanded: list[list[str]]
    oos_shapes: list[str]
    oos_words: dict[str, list[str]]
    oos_held_out: list[str]
    systems_train: list[str]
    systems_held_out: list[str]
    forbidden: frozenset[str]
    owner: dict[str, int]

    def is_held_out(self, text: str) -> bool:
        """Whether training must not see this text as a question."""
        return normalise(text) in self.forbidden

    def all_texts(self) -> list[str]:
        """Every text training may use, for the tokenizer's statistics."""
        texts = [q for g in self.groups for q in g.questions]
        texts += [t for expansions in self.oos_expanded for t in expansions]
        texts += self.oos_shapes + [word for words in self.oos_words.values() for word in words]
        return texts + self.oos_train + self.systems_train


def normalise(text: str) -> str:
    """Lower case, letters and digits only: the identity of a wording."""
    return "".join(c for c in text.lower() if c.isalnum())


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def parse_groups(text: str, source: str) -> list[Group]:
    """Parse blocks of ``Q:``, ``H:`` and ``A:`` lines, separated by blank lines."""
    groups: list[Group] = []
    current = Group(source)
    for number, raw in enumerate([*text.splitlines(), ""], 1):
        line = raw.strip()
        if line.startswith("#"):
            continue
        if not line:
            if current.questions or current.answer or current.held_out:
                if not (current.questions and current.answer):
                    raise CorpusError(f"{source}:{number}: block without Q: or A:")
                groups.append(current)
            current = Group(source)
            continue
        kind, _, value = line.partition(":")
        value = value.strip()
        if kind == "Q" and value:
            current.questions.append(value)
        elif kind == "H" and value:
            current.held_out.append(value)
        elif kind == "A" and value and not current.answer:
            current.answer = value.replace("\\n", "\n")
        else:
            raise CorpusError(f"{source}:{number}: cannot read {line!r}")
    return groups


def expand_template(line: str) -> list[str]:
    """``text with {x} | one; two`` becomes one question per filler."""
    text, bar, fillers = line.partition("|")
    if not bar or "{x}" not in text:
        raise CorpusError(f"template without {{x}} or fillers: {line!r}")
    names = [f.strip() for f in fillers.split(";")]
    return [text.strip().replace("{x}", name) for name in names if name]


def _own_wordings(groups: list[Group]) -> dict[str, int]:
    """Map each trained wording to its group; report all conflicts at once."""
    owner: dict[str, int] = {}
    problems: list[str] = []
    for index, group in enumerate(groups):
        for question in dict.fromkeys(group.questions):
            key = normalise(question)
            if not key:
                problems.append(f"{group.source}: nothing to read in {question!r}")
            elif owner.get(key, index) != index:
                other = groups[owner[key]]
                problems.append(
                    f"{question!r} in {group.source} ({group.answer[:40]!r}) and "
                    f"{other.source} ({other.answer[:40]!r})"
                )
            else:
                owner[key] = index
    if problems:
        raise CorpusError("one wording, two answers:\n  " + "\n  ".join(problems))
    return owner


def _sections(path: Path) -> dict[str, list[str]]:
    """Read ``[name]`` sections of one line per entry."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in _lines(path):
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], [])
        else:
            current.append(line)
    return sections


def _unanswered_words(path: Path, groups: list[Group]) -> dict[str, list[str]]:
    """Fillers by slot, without those that occur in an answered question."""
    asked = {w.strip("?.!,").lower() for g in groups for q in g.questions for w in q.split()}
    asked |= {word + "s" for word in asked} | {word.removesuffix("s") for word in asked}
    words: dict[str, list[str]] = {}
    for slot, lines in _sections(path).items():
        fillers = [f.strip() for line in lines for f in line.split(",")]
        words[slot] = [f for f in dict.fromkeys(fillers) if f and f.lower() not in asked]
    return words


def load(directory: Path = CORPUS_DIR) -> Corpus:
    """Read and check the whole corpus."""
    groups: list[Group] = []
    for name in TOPIC_FILES:
        path = directory / f"{name}.txt"
        groups += parse_groups(path.read_text(encoding="utf-8"), path.name)
    for group in groups:
        group.questions = list({normalise(q) + q: q for q in group.questions}.values())
    oos = directory / "out-of-scope"
    oos_held_out = _lines(oos / "held-out.txt")
    held_out = oos_held_out + [h for g in groups for h in g.held_out]
    forbidden = frozenset(map(normalise, held_out))
    owner = _own_wordings(groups)
    leaked = [q for g in groups for q in g.questions if normalise(q) in forbidden]
    oos_train = _lines(oos / "train.txt")
    leaked += [q for q in oos_train if normalise(q) in forbidden]
    if leaked:
        raise CorpusError("held out and trained:\n  " + "\n  ".join(leaked))
    clash = [q for q in oos_train + oos_held_out if normalise(q) in owner]
    if clash:
        raise CorpusError("out of scope and answered:\n  " + "\n  ".join(clash))
    # A template may well hit an answered question or a held-out line: drop those.
    expanded = [
        [t for t in expand_template(line) if not {normalise(t)} & (forbidden | owner.keys())]
        for line in _lines(oos / "templates.txt")
    ]
    systems = _sections(directory / "system-prompts.txt")
    if set(map(normalise, systems["train"])) & set(map(normalise, systems["held-out"])):
        raise CorpusError("a system prompt is both trained and held out")
    return Corpus(
        groups=groups,
        oos_answer=" ".join(_lines(oos / "answer.txt")).replace("\\n", "\n"),
        oos_train=oos_train,
        oos_expanded=[e for e in expanded if e],
        oos_shapes=_lines(oos / "shapes.txt"),
        oos_words=_unanswered_words(oos / "words.txt", groups),
        oos_held_out=oos_held_out,
        systems_train=systems["train"],
        systems_held_out=systems["held-out"],
        forbidden=forbidden,
        owner=owner,
    )


def main() -> None:
    """Print the size of the corpus; fails when a check fails."""
    corpus = load()
    wordings = sum(len(g.questions) for g in corpus.groups)
    held_out = sum(len(g.held_out) for g in corpus.groups)
    expanded = sum(map(len, corpus.oos_expanded))
    print(f"{len(corpus.groups)} answers, {wordings} wordings, {held_out} held out")
    print(
        f"out of scope: {len(corpus.oos_train)} lines, {expanded} from "
        f"{len(corpus.oos_expanded)} templates, {len(corpus.oos_shapes)} shapes with "
        f"{sum(map(len, corpus.oos_words.values()))} words, {len(corpus.oos_held_out)} held out"
    )


if __name__ == "__main__":
    main()
