"""What transformers' Phi3ForCausalLM answers with the weights of the golden cases.

    python reference.py MODELS OUTPUT

MODELS is what write-weights.js wrote; OUTPUT gets one JSON file for each case.
Nothing is cached: each token is computed from the whole text before it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import Phi3Config, Phi3ForCausalLM


def load(directory: Path, case: dict[str, Any]) -> Phi3ForCausalLM:
    """Build the model and fill in its weights."""
    config = Phi3Config(**json.loads((directory / "config.json").read_text()), pad_token_id=0)
    config._attn_implementation = "eager"
    model = Phi3ForCausalLM(config).float().eval()
    values = np.fromfile(directory / "weights.f32", dtype="<f4")
    state = model.state_dict()
    at = 0
    for entry in case["weights"]:
        part = values[at : at + entry["length"]]
        state[entry["tensor"]].copy_(torch.from_numpy(part).view_as(state[entry["tensor"]]))
        at += entry["length"]
    if at != len(values):
        raise ValueError("The weights do not fit the model.")
    return model


@torch.no_grad()
def answer(model: Phi3ForCausalLM, case: dict[str, Any]) -> dict[str, Any]:
    """Greedy tokens, the logits of some, and how close the closest choice was."""
    text: list[int] = list(case["prompt"])
    logits: dict[str, list[float]] = {}
    closest = float("inf")
    for i in range(case["tokens"]):
        row = model(torch.tensor([text]), use_cache=False).logits[0, -1]
        if i % 50 == 0 or i == case["tokens"] - 1:
            logits[str(i)] = [round(value, 5) for value in row.tolist()]
        best, second = row.topk(2).values.tolist()
        closest = min(closest, best - second)
        text.append(int(row.argmax()))
    return {"tokens": text[len(case["prompt"]) :], "closest": closest, "logits": logits}


def main(models: Path, output: Path) -> None:
    """Write one golden file for each case."""
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    for directory in sorted(path for path in models.iterdir() if path.is_dir()):
        case = json.loads((directory / "case.json").read_text())
        result = {"madeWith": versions, **answer(load(directory, case), case)}
        (output / f"{directory.name}.json").write_text(json.dumps(result) + "\n")
        print(directory.name, result["closest"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
