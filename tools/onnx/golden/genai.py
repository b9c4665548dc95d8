"""Whether onnxruntime-genai gives the tokens of a golden file on a model directory.

    python genai.py MODEL CASE GOLDEN

Only for models without LongRoPE: genai's own threshold is 4096 tokens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import onnxruntime_genai as og


def main(model_directory: str, case_file: str, golden_file: str) -> int:
    """Print how many of the tokens are the same, and fail when not all are."""
    prompt = json.loads(Path(case_file).read_text())["prompt"]
    expected = json.loads(Path(golden_file).read_text())["tokens"]
    model = og.Model(model_directory)
    params = og.GeneratorParams(model)
    params.set_search_options(max_length=len(prompt) + len(expected), do_sample=False)
    generator = og.Generator(model, params)
    generator.append_tokens(prompt)
    same = 0
    for token in expected:
        if generator.is_done():
            break
        generator.generate_next_token()
        if int(generator.get_next_tokens()[0]) != token:
            break
        same += 1
    print(f"onnxruntime-genai {og.__version__}: {same} of {len(expected)} tokens are the same")
    return 0 if same == len(expected) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
