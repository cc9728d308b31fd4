"""Times the fused network against ONNX Runtime, float and dynamic int8, in turn.

    python3 -m venv VENV && VENV/bin/pip install onnxruntime onnx numpy
    cargo build --release --bench backbone
    VENV/bin/python tests/benches/against_onnxruntime.py target/release/deps/backbone-HASH [ROUNDS]

Every engine gives all taps of all blocks. The float graph holds the dequantised weights of the
shipped file; the int8 graph is what `quantize_dynamic` makes of it, per channel. Figures are medians
of ratios of neighbouring runs.
"""

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
from onnxruntime.quantization import QuantType, quantize_dynamic

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


class Fused:
    """The bench program, asked for one run at a time."""

    def __init__(self, program, threads, side):
        self.process = subprocess.Popen(
            [program, "serve", str(side), str(threads)],
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


def main():
    """Prints one line for each size and number of threads."""
    program = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    print(f"onnxruntime {ort.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        for side in SIDES:
            as_float, as_int8 = (f"{folder}/{kind}-{side}.onnx" for kind in ("float", "int8"))
            onnx.save(float_graph(side), as_float)
            quantize_dynamic(
                as_float,
                as_int8,
                per_channel=True,
                weight_type=QuantType.QInt8,
                # Products of two activations stay in float: they cost accuracy, not time.
                extra_options={"MatMulConstBOnly": True},
            )
            for threads in THREADS:
                compare(program, as_float, as_int8, side, threads, rounds)


def compare(program, as_float, as_int8, side, threads, rounds):
    """One size, one number of threads."""
    fused = Fused(program, threads, side)
    engines = {
        "fused": fused,
        "float": OnnxRuntime(as_float, threads, side),
        "int8": OnnxRuntime(as_int8, threads, side),
    }
    for engine in engines.values():
        engine.seconds()
    runs = []
    for _ in range(rounds):
        times = {}
        for name, engine in engines.items():
            time.sleep(REST_SECONDS)
            times[name] = engine.seconds()
        runs.append(times)
    fused.close()

    def ratio(a, b):
        return statistics.median(run[a] / run[b] for run in runs)

    print(
        f"{side} px, {threads} thread(s): fused / ORT float {ratio('fused', 'float'):.3f}, "
        f"fused / ORT int8 {ratio('fused', 'int8'):.3f}, "
        f"ORT int8 / ORT float {ratio('int8', 'float'):.3f} (medians of {rounds}); median "
        + ", ".join(f"{n} {1e3 * statistics.median(r[n] for r in runs):.0f} ms" for n in engines)
    )


if __name__ == "__main__":
    main()
