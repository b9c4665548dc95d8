"""Builds the decoder graph in the layout of onnxruntime-genai's model builder.

int8 weights (MatMulNBits, blocks of 32, accuracy level 4: without it the CPU
kernel is several times slower), rotary embedding inside GroupQueryAttention,
float32 logits and cache, and therefore no ``position_ids`` input.  The embedding
reads the same int8 rows as the output head, because Phi's head is tied here:
stored twice they would not fit into the size the package allows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCK = 32
MICROSOFT = "com.microsoft"
CACHE_SIDES = ("key", "value")


def quantize(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8 per block of 32 inputs; float16 scales, zero point 128."""
    rows, columns = weight.shape
    if columns % BLOCK:
        raise ValueError(f"{columns} inputs are not a multiple of {BLOCK}")
    blocks = weight.reshape(rows, columns // BLOCK, BLOCK).astype(np.float32)
    scales = (np.abs(blocks).max(-1) / 127).astype(np.float16)
    scales = np.maximum(scales, np.float16(6e-8))
    levels = np.rint(blocks / scales.astype(np.float32)[..., None]) + 128
    return np.clip(levels, 0, 255).astype(np.uint8), scales.ravel()


class GraphBuilder:
    """Collects nodes and initializers; names follow the real exports."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        self.config = config
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(
        self, op: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: Any
    ) -> str:
        name = f"/{outputs[0]}/{op}"
        self.nodes.append(helper.make_node(op, inputs, outputs, name, domain=domain, **attributes))
        return outputs[0]

    def scales(self, name: str, values: np.ndarray) -> str:
        """Scales take half the room as float16; the runtime folds the Cast once."""
        self.constant(f"{name}.scales_f16", values)
        return self.node("Cast", [f"{name}.scales_f16"], [f"{name}.scales"], to=TensorProto.FLOAT)

    def matmul(self, x: str, name: str, weight: np.ndarray, output: str | None = None) -> str:
        """x · weightᵀ with int8 weights."""
        levels, scales = quantize(weight)
        inputs = [x, self.constant(f"{name}.qweight", levels), self.scales(name, scales)]
        return self._matmul_nbits(inputs, weight.shape, output or f"{name}.output")

    def _matmul_nbits(self, inputs: list[str], shape: tuple[int, ...], output: str) -> str:
        return self.node(
            "MatMulNBits", inputs, [output], MICROSOFT,
            K=shape[1], N=shape[0], bits=8, block_size=BLOCK, accuracy_level=4,
        )  # fmt: skip

    def embedding(self) -> str:
        """Rows of the int8 head, turned back into float32."""
        weight = self.weights["embed"]
        vocab, hidden = weight.shape
        levels, scales = quantize(weight)
        self.constant("lm_head.qweight", levels)
        self.scales("lm_head", scales)
        shape = self.constant("embed.scale_shape", np.array([vocab, hidden // BLOCK, 1], np.int64))
        self.node("Reshape", ["lm_head.scales", shape], ["embed.scales"])
        self.node("Gather", ["lm_head.qweight", "input_ids"], ["embed.levels"], axis=0)
        self.node("Gather", ["embed.scales", "input_ids"], ["embed.row_scales"], axis=0)
        self.node("Cast", ["embed.levels"], ["embed.levels_f32"], to=TensorProto.FLOAT)
        zero = self.constant("embed.zero_point", np.array(128, np.float32))
        self.node("Sub", ["embed.levels_f32", zero], ["embed.centred"])
        self.node("Mul", ["embed.centred", "embed.row_scales"], ["embed.blocks"])
        rows = self.constant("embed.row_shape", np.array([0, 0, hidden], np.int64))
        return self.node("Reshape", ["embed.blocks", rows], ["embed.output"])

    def lengths(self) -> None:
        """What GroupQueryAttention wants to know about the attention mask."""
        axis = self.constant("one", np.array([1], np.int64))
        self.node("ReduceSum", ["attention_mask", axis], ["mask_sum"], keepdims=0)
        self.node("Sub", ["mask_sum", axis], ["mask_last"])
        self.node("Cast", ["mask_last"], ["seqlens_k"], to=TensorProto.INT32)
        self.node("Shape", ["attention_mask"], ["mask_shape"])
        index = self.constant("one_scalar", np.array(1, np.int64))
        self.node("Gather", ["mask_shape", index], ["mask_length"], axis=0)
        self.node("Cast", ["mask_length"], ["total_seq_len"], to=TensorProto.INT32)

    def rope_caches(self) -> None:
        c = self.config
        inverse = c["theta"] ** (-np.arange(0, c["head_dim"], 2, dtype=np.float64) / c["head_dim"])
        angles = np.outer(np.arange(c["context"]), inverse)
        self.constant("cos_cache", np.cos(angles).astype(np.float32))
        self.constant("sin_cache", np.sin(angles).astype(np.float32))

    def skip_norm(self, residual: str, x: str, name: str, last: bool = False) -> tuple[str, str]:
        """Adds x to the residual stream and normalises: (normed, new residual)."""
        scale = self.constant(f"{name}.weight", self.weights[name])
        outputs = [f"{name}.output"] if last else [f"{name}.output", "", "", f"{name}.residual"]
        self.node(
            "SkipSimplifiedLayerNormalization", [residual, x, scale], outputs, MICROSOFT,
            epsilon=self.config["eps"],
        )  # fmt: skip
        return outputs[0], outputs[-1]

    def attention(self, layer: int, x: str) -> str:
        c, name = self.config, f"layers.{layer}"
        qkv = self.matmul(x, f"{name}.qkv", self.weights[f"{name}.qkv"])
        past = [f"past_key_values.{layer}.{side}" for side in CACHE_SIDES]
        present = [f"present.{layer}.{side}" for side in CACHE_SIDES]
        inputs = [qkv, "", "", *past, "seqlens_k", "total_seq_len", "cos_cache", "sin_cache"]
        attended = self.node(
            "GroupQueryAttention", inputs, [f"{name}.attention", *present], MICROSOFT,
            num_heads=c["heads"], kv_num_heads=c["kv_heads"], do_rotary=1,
            rotary_interleaved=0, scale=float(c["head_dim"] ** -0.5),
        )  # fmt: skip
        return self.matmul(attended, f"{name}.out", self.weights[f"{name}.out"])

    def mlp(self, layer: int, x: str) -> str:
        name = f"layers.{layer}"
        gate_weight, up_weight = np.split(self.weights[f"{name}.gate_up"], 2)
        gate = self.matmul(x, f"{name}.gate", gate_weight)
        up = self.matmul(x, f"{name}.up", up_weight)
        self.node("Sigmoid", [gate], [f"{name}.sigmoid"])
        self.node("Mul", [gate, f"{name}.sigmoid"], [f"{name}.silu"])
        self.node("Mul", [f"{name}.silu", up], [f"{name}.gated"])
        return self.matmul(f"{name}.gated", f"{name}.down", self.weights[f"{name}.down"])

    def build(self) -> onnx.ModelProto:
        c = self.config
        self.lengths()
        self.rope_caches()
        residual = self.embedding()
        first = self.constant("layers.0.norm1.weight", self.weights["layers.0.norm1"])
        x = self.node(
            "SimplifiedLayerNormalization", [residual, first], ["layers.0.norm1.output"],
            axis=-1, epsilon=c["eps"], stash_type=1,
        )  # fmt: skip
        for layer in range(c["layers"]):
            last = layer == c["layers"] - 1
            attended = self.attention(layer, x)
            x, residual = self.skip_norm(residual, attended, f"layers.{layer}.norm2")
            following = "norm" if last else f"layers.{layer + 1}.norm1"
            x, residual = self.skip_norm(residual, self.mlp(layer, x), following, last)
        self._matmul_nbits([x, "lm_head.qweight", "lm_head.scales"], (c["vocab"], c["hidden"]), "logits")
        return self._model()

    def _model(self) -> onnx.ModelProto:
        c, value = self.config, helper.make_tensor_value_info
        inputs = [
            value("input_ids", TensorProto.INT64, ["batch_size", "sequence_length"]),
            value("attention_mask", TensorProto.INT64, ["batch_size", "total_sequence_length"]),
        ]
        outputs = [value("logits", TensorProto.FLOAT, ["batch_size", "sequence_length", c["vocab"]])]
        for layer in range(c["layers"]):
            for side in CACHE_SIDES:
                past = ["batch_size", c["kv_heads"], "past_sequence_length", c["head_dim"]]
                present = ["batch_size", c["kv_heads"], "total_sequence_length", c["head_dim"]]
                inputs.append(value(f"past_key_values.{layer}.{side}", TensorProto.FLOAT, past))
                outputs.append(value(f"present.{layer}.{side}", TensorProto.FLOAT, present))
        # What the head reads, for vectors of texts.
        states = ["batch_size", "sequence_length", c["hidden"]]
        outputs.append(value("norm.output", TensorProto.FLOAT, states))
        graph = helper.make_graph(self.nodes, "main_graph", inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="rkllm tiny-phi3")
