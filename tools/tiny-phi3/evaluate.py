"""Measures a model directory as a user would see it: int8, greedy, word for word.

Nothing of the training code is involved: the prompt is rendered from the chat
template in tokenizer_config.json, encoded with tokenizer.json, run with ONNX
Runtime through a key/value cache, and decoded again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import jinja2
import numpy as np
import onnxruntime
import tokenizers

import corpus as corpus_module
from checks import Check, all_checks

MAX_TOKENS = 500


class Runner:
    """Greedy decoding of one conversation at a time."""

    def __init__(self, directory: Path, threads: int = 1) -> None:
        config = json.loads((directory / "genai_config.json").read_text(encoding="utf-8"))["model"]
        decoder = config["decoder"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        path = directory / decoder["filename"]
        self.session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self.tokenizer = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
        text = (directory / "tokenizer_config.json").read_text(encoding="utf-8")
        self.template = jinja2.Environment().from_string(json.loads(text)["chat_template"])
        self.eos = set(config["eos_token_id"])
        presents = [o.name for o in self.session.get_outputs() if o.name.startswith("present.")]
        self.outputs = ["logits", *presents]
        self.caches = [n.replace("present", "past_key_values") for n in presents]
        shape = (1, decoder["num_key_value_heads"], 0, decoder["head_size"])
        self.empty = np.zeros(shape, np.float32)

    def _run(self, ids: list[int], cache: list[np.ndarray]) -> list[np.ndarray]:
        total = cache[0].shape[2] + len(ids)
        feeds = dict(zip(self.caches, cache, strict=True))
        feeds["input_ids"] = np.array([ids], np.int64)
        feeds["attention_mask"] = np.ones((1, total), np.int64)
        results: list[np.ndarray] = self.session.run(self.outputs, feeds)
        return results

    def forward(self, ids: list[int]) -> np.ndarray:
        """Logits of every position."""
        logits: np.ndarray = self._run(ids, [self.empty] * len(self.caches))[0][0]
        return logits

    def prompt(self, check: Check) -> list[int]:
        messages = [{"role": "system", "content": check.system}] if check.system else []
        for question, answer in check.history:
            messages.append({"role": "user", "content": question})
            messages.append({"role": "assistant", "content": answer})
        messages.append({"role": "user", "content": check.question})
        text = self.template.render(messages=messages, add_generation_prompt=True, eos_token="")
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def reply(self, check: Check) -> str:
        """The model's own answer, token by token, until it ends it."""
        ids, tokens = self.prompt(check), list[int]()
        cache = [self.empty] * len(self.caches)
        while len(tokens) < MAX_TOKENS:
            logits, *cache = self._run(ids, cache)
            ids = [int(logits[0, -1].argmax())]
            if ids[0] in self.eos:
                break
            tokens += ids
        return self.tokenizer.decode(tokens)


def evaluate(directory: Path, show: set[str], only: set[str], report: Path | None, step: int) -> None:
    """Print every figure; optionally the wrong answers, and a JSON report."""
    runner = Runner(directory)
    corpus = corpus_module.load()
    results: dict[str, dict[str, float]] = {}
    for name, checks in all_checks(corpus).items():
        if only and name not in only:
            continue
        began, wrong = time.time(), []
        picked = checks[::step] if len(checks) > 1000 else checks
        for check in picked:
            reply = runner.reply(check)
            if reply != check.answer:
                wrong.append((check, reply))
        exact, total = len(picked) - len(wrong), len(picked)
        share = 100 * exact / total
        results[name] = {"exact": exact, "of": total, "percent": round(share, 2)}
        print(f"{name}: {exact} of {total} ({share:.1f} %), {time.time() - began:.0f} s", flush=True)
        if name in show or "all" in show:
            for check, reply in wrong:
                print(f"   {check.question!r}\n      -> {reply!r}\n      != {check.answer!r}")
    lengths = [len(runner.tokenizer.encode(g.answer).ids) for g in corpus.groups]
    print(f"longest answer: {max(lengths)} tokens")
    if report:
        report.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model directory")
    parser.add_argument("--show", action="append", default=[], help="print wrong answers of a check, or all")
    parser.add_argument("--only", action="append", default=[], help="only this check (may be repeated)")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    parser.add_argument("--step", type=int, default=1, help="only every n-th check of the large sets")
    arguments = parser.parse_args()
    evaluate(arguments.model, set(arguments.show), set(arguments.only), arguments.report, arguments.step)
