"""Writes the model directory: model.onnx, genai_config.json and the tokenizer.

Reads what export.py and tokenizer.py left, needs no PyTorch, and ends by running
the written file: a graph that does not compute the trained network is an error.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from onnx_graph import GraphBuilder

SIZE_LIMIT = 2_950_000
MAX_DIFFERENCE = 1.5  # int8 weights and activations against float32, in logits


def read_weights(directory: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    meta = json.loads((directory / "weights.json").read_text(encoding="utf-8"))
    flat = np.fromfile(directory / "weights.bin", "<f4")
    weights = {}
    for name, entry in meta["index"].items():
        size = int(np.prod(entry["shape"]))
        weights[name] = flat[entry["offset"] : entry["offset"] + size].reshape(entry["shape"])
    return meta, weights


def genai_config(config: dict[str, Any], specials: dict[str, int]) -> dict[str, Any]:
    """The file onnxruntime-genai (and the library) starts from."""
    decoder = {
        "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
        "filename": "model.onnx",
        "head_size": config["head_dim"],
        "hidden_size": config["hidden"],
        "inputs": {
            "input_ids": "input_ids",
            "attention_mask": "attention_mask",
            "past_key_names": "past_key_values.%d.key",
            "past_value_names": "past_key_values.%d.value",
        },
        "outputs": {
            "logits": "logits",
            "hidden_states": "norm.output",
            "present_key_names": "present.%d.key",
            "present_value_names": "present.%d.value",
        },
        "num_attention_heads": config["heads"],
        "num_hidden_layers": config["layers"],
        "num_key_value_heads": config["kv_heads"],
    }
    search = {
        "diversity_penalty": 0.0, "do_sample": False, "early_stopping": True,
        "length_penalty": 1.0, "max_length": config["context"], "min_length": 0,
        "no_repeat_ngram_size": 0, "num_beams": 1, "num_return_sequences": 1,
        "past_present_share_buffer": True, "repetition_penalty": 1.0,
        "temperature": 1.0, "top_k": 1, "top_p": 1.0,
    }  # fmt: skip
    model = {
        "bos_token_id": specials["<s>"],
        "context_length": config["context"],
        "decoder": decoder,
        "eos_token_id": [specials["<|end|>"], specials["<|endoftext|>"]],
        "pad_token_id": specials["<|endoftext|>"],
        "type": "phi3",
        "vocab_size": config["vocab"],
    }
    return {"model": model, "search": search}


def compare(model_path: Path, meta: dict[str, Any], reference: np.ndarray) -> None:
    """Run the reference tokens through the file and compare the logits."""
    from evaluate import Runner

    runner = Runner(model_path.parent)
    logits = runner.forward(meta["reference_ids"])
    difference = float(np.abs(logits - reference).max())
    agree = float((logits.argmax(-1) == reference.argmax(-1)).mean())
    print(f"int8 against float32: largest difference {difference:.2f}, same token {agree:.0%}")
    if difference > MAX_DIFFERENCE:
        raise SystemExit("the ONNX graph does not compute the trained network")


def convert(work: Path, out: Path) -> None:
    meta, weights = read_weights(work)
    config = meta["config"]
    out.mkdir(parents=True, exist_ok=True)
    model = GraphBuilder(config, weights).build()
    (out / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(work / name, out / name)
    added = json.loads((work / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
    specials = {token["content"]: token["id"] for token in added}
    text = json.dumps(genai_config(config, specials), indent=4) + "\n"
    (out / "genai_config.json").write_text(text, encoding="utf-8")
    reference = np.fromfile(work / "reference.bin", "<f4").reshape(-1, config["vocab"])
    compare(out / "model.onnx", meta, reference)
    names = ("model.onnx", "genai_config.json", "tokenizer.json", "tokenizer_config.json")
    sizes = {name: (out / name).stat().st_size for name in names}
    print(", ".join(f"{name} {size:,}" for name, size in sizes.items()), f"= {sum(sizes.values()):,} bytes")
    if sum(sizes.values()) > SIZE_LIMIT:
        raise SystemExit(f"larger than {SIZE_LIMIT:,} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="has weights.bin and the tokenizer")
    parser.add_argument("--out", type=Path, required=True, help="model directory to write")
    arguments = parser.parse_args()
    convert(arguments.work, arguments.out)
