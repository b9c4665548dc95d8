"""Takes the weights out of PyTorch: weights.bin, weights.json, reference.bin.

One flat little-endian float32 file with a JSON index can be read by any language,
so everything after this step (ONNX file, checks) works without PyTorch.  The
reference logits prove that the converted graph computes the same network.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch

from model import Phi, PhiConfig

REFERENCE_TOKENS = 48


def load_checkpoint(path: Path) -> Phi:
    """The averaged weights of a training run, ready for evaluation."""
    data = torch.load(path, map_location="cpu", weights_only=True)
    model = Phi(PhiConfig(**data["config"]))
    model.load_state_dict(data["weights"])
    return model.eval()


def named_weights(model: Phi) -> dict[str, torch.Tensor]:
    """Weights under the names the ONNX graph uses, in [out, in] layout."""
    weights = {"embed": model.embed.weight, "norm": model.norm.weight}
    for i, block in enumerate(model.blocks):
        parts = {
            "norm1": block.norm1, "norm2": block.norm2, "qkv": block.qkv,
            "out": block.out, "gate_up": block.gate_up, "down": block.down,
        }  # fmt: skip
        weights |= {f"layers.{i}.{name}": part.weight for name, part in parts.items()}
    return {name: w.detach().float().contiguous() for name, w in weights.items()}


def export(directory: Path) -> None:
    model = load_checkpoint(directory / "checkpoint.pt")
    index: dict[str, dict[str, object]] = {}
    chunks: list[np.ndarray] = []
    offset = 0
    for name, weight in named_weights(model).items():
        index[name] = {"offset": offset, "shape": list(weight.shape)}
        chunks.append(weight.numpy().astype("<f4").ravel())
        offset += weight.numel()
    np.concatenate(chunks).tofile(directory / "weights.bin")
    rng = random.Random(0)
    ids = [rng.randrange(3, model.cfg.vocab) for _ in range(REFERENCE_TOKENS)]
    with torch.no_grad():
        logits = model(torch.tensor([ids]))[0].numpy().astype("<f4")
    logits.tofile(directory / "reference.bin")
    meta = {
        "config": model.cfg.as_dict() | {"head_dim": model.cfg.head_dim},
        "parameters": model.parameter_count(),
        "index": index,
        "reference_ids": ids,
    }
    (directory / "weights.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
    print(f"{offset} weights; reference logits up to {np.abs(logits).max():.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="has checkpoint.pt")
    export(parser.parse_args().dir)
