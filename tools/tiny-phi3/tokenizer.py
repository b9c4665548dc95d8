"""Trains the vocabulary and writes tokenizer.json and tokenizer_config.json.

The layout is the one Phi-3 inherits from Llama's SentencePiece model: pieces in
which ``▁`` stands for a space, 256 byte pieces for what no piece covers, and
Phi-3's control tokens after the pieces, in Phi-3's own order.  Anything that
reads Phi-3's tokenizer therefore reads this one.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import corpus as corpus_module

PIECES = 1525  # 1536 with the eleven specials
ANSWER_WEIGHT = 3  # answers are generated token by token, so they should be short
CONTEXT = 1024
BASE_TOKENS = ("<unk>", "<s>", "</s>")
SPECIALS = (
    "<|endoftext|>", "<|assistant|>", "<|placeholder1|>", "<|placeholder2|>",
    "<|placeholder3|>", "<|placeholder4|>", "<|system|>", "<|end|>",
    "<|placeholder5|>", "<|placeholder6|>", "<|user|>",
)  # fmt: skip
SPACE = "\u2581"
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'system' %}"
    "{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'user' %}"
    "{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'assistant' %}"
    "{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)


def has_piece(char: str) -> bool:
    """Line feeds and emoji go through the byte pieces, as they do in Phi-3."""
    return char.isprintable() and ord(char) < 0x10000


def split_words(text: str) -> list[str]:
    """Split so that a space mark can only begin a word, never end one."""
    marked = SPACE + text.replace(" ", SPACE)
    return [w for w in re.findall(f"{SPACE}*[^{SPACE}]*", marked) if w]


def _merge(symbols: list[str], left: str, right: str) -> list[str]:
    merged: list[str] = []
    i = 0
    while i < len(symbols):
        if symbols[i : i + 2] == [left, right]:
            merged.append(left + right)
            i += 2
        else:
            merged.append(symbols[i])
            i += 1
    return merged


def train_bpe(words: Counter[str], pieces: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Byte-pair encoding: join the most frequent neighbours until full."""
    characters = {c for word in words for c in word if has_piece(c)}
    characters |= set(map(chr, range(33, 127)))
    vocab = [*BASE_TOKENS, *(f"<0x{b:02X}>" for b in range(256)), *sorted(characters)]
    known = set(vocab)
    merges: list[tuple[str, str]] = []
    split = {word: list(word) for word in words}
    while len(vocab) < pieces:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, symbols in split.items():
            for pair in pairwise(symbols):
                if all(map(has_piece, pair[0] + pair[1])):
                    pairs[pair] += words[word]
        left, right = max(pairs, key=lambda p: (pairs[p], p))
        merges.append((left, right))
        if left + right not in known:
            vocab.append(left + right)
            known.add(left + right)
        for word, symbols in split.items():
            if left in symbols:
                split[word] = _merge(symbols, left, right)
    return vocab, merges


def count_words(corpus: corpus_module.Corpus) -> Counter[str]:
    """Words of questions (also lower-cased, as users type them) and answers."""
    words: Counter[str] = Counter()
    for text in corpus.all_texts():
        words.update(split_words(text))
        words.update(split_words(text.lower()))
    for answer in [*(g.answer for g in corpus.groups), corpus.oos_answer]:
        for word in split_words(answer):
            words[word] += ANSWER_WEIGHT
    return words


def _added_token(index: int, content: str, rstrip: bool, special: bool = True) -> dict[str, Any]:
    return {
        "id": index, "content": content, "single_word": False, "lstrip": False,
        "rstrip": rstrip, "normalized": False, "special": special,
    }  # fmt: skip


def tokenizer_json(vocab: list[str], merges: list[tuple[str, str]]) -> dict[str, Any]:
    """The fast-tokenizer file, with Phi-3's normaliser, decoder and specials."""
    added = [_added_token(i, t, t == "</s>", t != "</s>") for i, t in enumerate(BASE_TOKENS)]
    for i, token in enumerate(SPECIALS):
        added.append(_added_token(len(vocab) + i, token, token != "<|endoftext|>"))
    normalizers = [
        {"type": "Prepend", "prepend": SPACE},
        {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
    ]
    decoders = [
        {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ]
    model = {
        "type": "BPE", "dropout": None, "unk_token": "<unk>",
        "continuing_subword_prefix": None, "end_of_word_suffix": None,
        "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
        "vocab": {piece: i for i, piece in enumerate(vocab)},
        "merges": [f"{left} {right}" for left, right in merges],
    }  # fmt: skip
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": None, "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": decoders}, "model": model,
    }  # fmt: skip


def tokenizer_config() -> dict[str, Any]:
    """What transformers and the library read beside tokenizer.json."""
    return {
        "add_bos_token": False, "add_eos_token": False, "bos_token": "<s>",
        "chat_template": CHAT_TEMPLATE, "clean_up_tokenization_spaces": False,
        "eos_token": "<|endoftext|>", "legacy": False, "model_max_length": CONTEXT,
        "pad_token": "<|endoftext|>", "padding_side": "left",
        "sp_model_kwargs": {}, "tokenizer_class": "LlamaTokenizer",
        "unk_token": "<unk>", "use_default_system_prompt": False,
    }  # fmt: skip


class Tokenizer:
    """Encoder for training: a cache per word makes augmentation affordable."""

    def __init__(self, directory: Path) -> None:
        data = json.loads((directory / "tokenizer.json").read_text(encoding="utf-8"))
        self.vocab: dict[str, int] = data["model"]["vocab"]
        pairs = (tuple(m.split(" ")) for m in data["model"]["merges"])
        self.ranks = {pair: rank for rank, pair in enumerate(pairs)}
        self.specials = {t["content"]: t["id"] for t in data["added_tokens"]}
        self.size = len(self.vocab) + len(SPECIALS)
        self._names = {i: piece for piece, i in self.vocab.items()}
        self._cache: dict[str, list[int]] = {}

    def _word(self, word: str) -> list[int]:
        symbols: list[str] = []
        for char in word:
            in_vocab = char in self.vocab
            symbols += [char] if in_vocab else [f"<0x{b:02X}>" for b in char.encode()]
        never = len(self.ranks)
        while len(symbols) > 1:
            ranked = [(self.ranks.get(p, never), p) for p in pairwise(symbols)]
            rank, pair = min(ranked)
            if rank == never:
                break
            symbols = _merge(symbols, *pair)
        return [self.vocab[s] for s in symbols]

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text, as tokenizer.json gives them after a special."""
        ids: list[int] = []
        for word in split_words(text):
            if word not in self._cache:
                self._cache[word] = self._word(word)
            ids += self._cache[word]
        return ids

    def decode(self, ids: list[int]) -> str:
        """Text of token ids; control tokens are left out."""
        data = b""
        for i in ids:
            piece = self._names.get(i, "")
            byte = re.fullmatch(r"<0x([0-9A-F]{2})>", piece)
            if byte:
                data += bytes([int(byte[1], 16)])
            elif piece not in BASE_TOKENS:
                data += piece.replace(SPACE, " ").encode()
        return data.decode(errors="replace").removeprefix(" ")

    def turn(self, question: str) -> list[int]:
        """One user message and the cue to answer it."""
        special = self.specials
        return [special["<|user|>"], *self.encode(question), special["<|end|>"], special["<|assistant|>"]]

    def reply(self, answer: str) -> list[int]:
        """One answer of the assistant, ended by <|end|>."""
        return [*self.encode(answer), self.specials["<|end|>"]]

    def system(self, text: str) -> list[int]:
        """The system message that may open a conversation."""
        return [self.specials["<|system|>"], *self.encode(text), self.specials["<|end|>"]]


def build(directory: Path) -> None:
    """Train on the corpus and write both files."""
    vocab, merges = train_bpe(count_words(corpus_module.load()), PIECES)
    directory.mkdir(parents=True, exist_ok=True)
    files = {
        "tokenizer.json": json.dumps(
            tokenizer_json(vocab, merges), ensure_ascii=False, separators=(",", ":")
        ),
        "tokenizer_config.json": json.dumps(tokenizer_config(), indent=2),
    }
    for name, text in files.items():
        (directory / name).write_text(text + "\n", encoding="utf-8")
    print(f"{len(vocab)} pieces, {len(merges)} merges")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    build(parser.parse_args().out)
