"""Trains the tiny Phi-3 on two CPU cores and keeps an average of its weights.

Speed comes from three things: bfloat16 matrix products (autocast; the weights
stay float32), batches of conversations of equal length, so that hardly anything
is padding, and dropout that draws few random numbers.  The averaged weights are
the ones that are measured and saved: they paraphrase better than the last ones.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import corpus as corpus_module
from augment import Sampler
from checks import Check, quick_checks
from model import Phi, PhiConfig
from tokenizer import Tokenizer

QUESTION_WEIGHT = 0.02  # a little language modelling on what the user says
POOL = 768  # conversations sorted by length at a time

Example = tuple[list[int], list[bool]]
Batch = tuple[Tensor, Tensor]


def collate(examples: list[Example], pad: int) -> Batch:
    """Right-pad; the weights are zero on padding and on the first token."""
    length = max(len(ids) for ids, _ in examples)
    ids = torch.full((len(examples), length), pad)
    weights = torch.zeros(len(examples), length)
    for row, (tokens, mask) in enumerate(examples):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        weights[row, : len(tokens)] = torch.tensor(
            [1.0 if answered else QUESTION_WEIGHT for answered in mask]
        )
    return ids, weights


def batches(sampler: Sampler, tokens: int, context: int, pad: int, seed: int) -> Iterator[Batch]:
    """Endless batches of about ``tokens`` tokens, each of similar lengths."""
    rng = random.Random(seed)
    while True:
        pool = [sampler.conversation() for _ in range(POOL)]
        pool = sorted((e for e in pool if len(e[0]) <= context), key=lambda e: len(e[0]))
        groups: list[list[Example]] = [[]]
        for example in pool:
            if (len(groups[-1]) + 1) * len(example[0]) > tokens and groups[-1]:
                groups.append([])
            groups[-1].append(example)
        rng.shuffle(groups)
        for group in groups:
            yield collate(group, pad)


class Average:
    """Exponential moving average of the weights, with a short memory at first."""

    def __init__(self, model: Phi, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.values = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def update(self, model: Phi) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        for name, value in model.state_dict().items():
            self.values[name].lerp_(value.detach(), 1 - decay)


def encode_check(tokenizer: Tokenizer, check: Check) -> tuple[list[int], int]:
    """Prompt and right answer as one sequence, and where the answer begins."""
    ids = tokenizer.system(check.system) if check.system else []
    for question, answer in check.history:
        ids += tokenizer.turn(question) + tokenizer.reply(answer)
    ids += tokenizer.turn(check.question)
    return ids + tokenizer.reply(check.answer), len(ids)


@torch.no_grad()
def exact_share(model: Phi, tokenizer: Tokenizer, checks: list[Check]) -> float:
    """Share of checks that greedy decoding would answer word for word.

    One pass over prompt and right answer is enough: greedy decoding writes that
    answer if and only if each of its tokens is the most likely one.
    """
    encoded = sorted((encode_check(tokenizer, c) for c in checks), key=lambda e: len(e[0]))
    pad, exact = tokenizer.specials["<|endoftext|>"], 0
    for start in range(0, len(encoded), 48):
        part = encoded[start : start + 48]
        ids, _ = collate([(tokens, [False] * len(tokens)) for tokens, _ in part], pad)
        guesses = model(ids).argmax(-1)
        for row, (tokens, begin) in enumerate(part):
            want = torch.tensor(tokens[begin:])
            exact += bool((guesses[row, begin - 1 : len(tokens) - 1] == want).all())
    return exact / len(checks)


def measure(model: Phi, tokenizer: Tokenizer, checks: dict[str, list[Check]]) -> dict[str, float]:
    """All quick figures in per cent, in float32 and without dropout."""
    model.eval()
    figures = {name: 100 * exact_share(model, tokenizer, c) for name, c in checks.items()}
    model.train()
    return figures


def learning_rate(step: int, progress: float, peak: float, warmup: int = 150) -> float:
    """Linear warm-up, then a cosine down to two per cent."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def loss_of(model: torch.nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Training loss, and the plain loss of the answers for the log."""
    ids, weights = batch
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(ids[:, :-1])
    losses = F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none").view(
        ids.shape[0], -1
    )
    weights = weights[:, 1:]
    answers = (weights == 1.0).float()
    total = (losses * weights).sum() / answers.sum()
    return total, ((losses * answers).sum() / answers.sum()).detach()


def make_optimizer(model: Phi, peak: float, decay: float) -> torch.optim.Optimizer:
    """AdamW; norms are not decayed."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    norms = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": norms, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98), fused=True)


def save(average: Average, cfg: PhiConfig, step: int, path: Path) -> None:
    """Write a checkpoint in one piece, so that a reader never sees half of it."""
    partial = path.with_suffix(".tmp")
    torch.save({"config": cfg.as_dict(), "weights": average.values, "step": step}, partial)
    partial.replace(path)


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    corpus = corpus_module.load()
    tokenizer = Tokenizer(args.dir)
    cfg = PhiConfig(vocab=tokenizer.size)
    model, shadow = Phi(cfg, args.dropout), Phi(cfg)
    average = Average(model, args.average)
    optimizer = make_optimizer(model, args.lr, args.weight_decay)
    checks = quick_checks(corpus)
    pad = tokenizer.specials["<|endoftext|>"]
    feed = batches(Sampler(corpus, tokenizer, args.seed), args.tokens, cfg.context, pad, args.seed)
    print(f"{model.parameter_count()} parameters, {args.steps} steps", flush=True)
    began, seen, smooth = time.time(), 0, math.log(cfg.vocab)
    for step in range(1, args.steps + 1):
        spent = (time.time() - began) / 60
        progress = max(step / args.steps, spent / args.minutes if args.minutes else 0.0)
        last = progress >= 1.0
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, min(1.0, progress), args.lr)
        batch = next(feed)
        loss, answer_loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        seen += batch[0].numel()
        smooth += 0.03 * (answer_loss.item() - smooth)
        if step % 50 == 0:
            print(f"{step} loss {smooth:.4f} {seen / spent / 60:.0f} tok/s {spent:.1f} min", flush=True)
        if step % args.every == 0 or last:
            shadow.load_state_dict(average.values)
            figures = measure(shadow, tokenizer, checks)
            print(step, json.dumps({k: round(v, 1) for k, v in figures.items()}), flush=True)
            save(average, cfg, step, args.dir / "checkpoint.pt")
        if last:
            break


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="has tokenizer.json, gets checkpoint.pt")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=0, help="end sooner, learning rate included")
    parser.add_argument("--tokens", type=int, default=6144, help="tokens per batch")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--average", type=float, default=0.995)
    parser.add_argument("--every", type=int, default=250, help="steps between measurements")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    train(parse())
