"""Times the fused network against ONNX Runtime (float, dynamic and static int8) and rten (the same
dynamic int8 file), in turn.

    python3 -m venv VENV && VENV/bin/pip install onnxruntime onnx numpy
    cargo build --release --bench backbone
    cargo build --release --manifest-path tests/benches/rten/Cargo.toml
    VENV/bin/python tests/benches/against_rivals.py target/release/deps/backbone-HASH \\
        tests/benches/rten/target/release/rten-rival [--rounds N] [--kernels avx2]

Every engine gives all taps of all blocks. The float graph holds the dequantised weights of the
shipped file; the int8 graphs are what `quantize_dynamic` and `quantize_static` (QDQ, u8 activations,
ranges from random pictures, which the time does not depend on) make of it, per channel. Figures are
medians of ratios of neighbouring runs. `--kernels` slows down ours only: `without_avx512.py` beside
this file makes copies of the rivals that use AVX2 alone.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static

MODELS = Path(__file__).parents[2] / "models"
sys.path.insert(0, str(MODELS))
from making import position  # noqa: E402

PATCH = 14
SIDES = (224, 448)
THREADS = (1, 2)
# Threads of ONNX Runtime spin for a while after a run; the next engine must not pay for that.
REST_SECONDS = 0.2


def float_graph(side):
    """The shipped graph for one input size, its weights as floats."""
    model = onnx.load(MODELS / "dinov2-vits14-int8.onnx")
    graph = model.graph
    tensors = {t.name: t for t in graph.initializer}
    for node in [n for n in graph.node if n.op_type == "DequantizeLinear"]:
        steps, scale = (numpy_helper.to_array(tensors[name]) for name in node.input[:2])
        weight = steps.astype(np.float32) * scale
        graph.initializer.append(numpy_helper.from_array(weight, node.output[0]))
        for name in node.input:
            graph.initializer.remove(tensors[name])
        graph.node.remove(node)
    table = tensors["position_embedding"]
    resized = position.resize(numpy_helper.to_array(table), side // PATCH, side // PATCH)
    table.CopyFrom(numpy_helper.from_array(np.asarray(resized, np.float32), table.name))
    for axis in (2, 3):
        graph.input[0].type.tensor_type.shape.dim[axis].dim_value = side
    # The tools of ONNX Runtime lag behind the newest operator set; nothing here needs it.
    model.opset_import[0].version = 20
    return model


class OnnxRuntime:
    """A session that runs one image at a time."""

    def __init__(self, path, threads, side):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "1")
        self.session = ort.InferenceSession(path, options, ["CPUExecutionProvider"])
        self.input = {"image": np.full((1, 3, side, side), 0.5, np.float32)}

    def seconds(self):
        """Runs once."""
        start = time.perf_counter()
        self.session.run(None, self.input)
        return time.perf_counter() - start


class Served:
    """A program that is asked for one run at a time."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self):
        """Runs once."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        """Ends the program."""
        self.process.stdin.close()
        self.process.wait()


class Noise(CalibrationDataReader):
    """Pictures to take ranges from."""

    def __init__(self, side):
        dice = np.random.default_rng(1)
        shape = (1, 3, side, side)
        self.pictures = iter([{"image": dice.standard_normal(shape, np.float32)} for _ in range(2)])

    def get_next(self):
        """The next picture."""
        return next(self.pictures, None)


def write_graphs(folder, side):
    """Paths of the graphs for one input size, by name."""
    paths = {name: f"{folder}/{name}-{side}.onnx" for name in ("float", "dynamic", "static")}
    onnx.save(float_graph(side), paths["float"])
    quantize_dynamic(
        paths["float"],
        paths["dynamic"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        # Products of two activations stay in float: they cost accuracy, not time.
        extra_options={"MatMulConstBOnly": True},
    )
    quantize_static(
        paths["float"],
        paths["static"],
        Noise(side),
        per_channel=True,
        op_types_to_quantize=["MatMul"],
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )
    return paths


def main():
    """Prints a few lines for each size and number of threads."""
    words = argparse.ArgumentParser()
    words.add_argument("fused")
    words.add_argument("rten")
    words.add_argument("--rounds", type=int, default=15)
    words.add_argument("--kernels")
    asked = words.parse_args()
    print(f"onnxruntime {ort.__version__}; ours on {asked.kernels or 'the fastest kernels'}")
    with tempfile.TemporaryDirectory() as folder:
        for side in SIDES:
            paths = write_graphs(folder, side)
            for threads in THREADS:
                compare(asked, paths, side, threads)


def compare(asked, paths, side, threads):
    """One size, one number of threads."""
    kernels = [asked.kernels] if asked.kernels else []
    with contextlib.ExitStack() as ends:

        def served(*command):
            return ends.enter_context(contextlib.closing(Served(*command)))

        engines = {"fused": served(asked.fused, "serve", side, threads, *kernels)}
        for name, path in paths.items():
            engines[f"ORT {name}"] = OnnxRuntime(path, threads, side)
        engines["rten dynamic"] = served(asked.rten, paths["dynamic"], side, threads)
        for engine in engines.values():
            engine.seconds()
        runs = []
        for _ in range(asked.rounds):
            times = {}
            for name, engine in engines.items():
                time.sleep(REST_SECONDS)
                times[name] = engine.seconds()
            runs.append(times)
    print(f"{side} px, {threads} thread(s), medians of {asked.rounds}:")
    for name in engines:
        ratio = statistics.median(run["fused"] / run[name] for run in runs)
        least = min(run["fused"] for run in runs) / min(run[name] for run in runs)
        median = 1e3 * statistics.median(run[name] for run in runs)
        print(f"  fused / {name:13} {ratio:.3f} (of the least {least:.3f}); {median:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
