"""Compares the taps of a made graph with the source graph, picture by picture.

The reference is always the untouched source graph run by ONNX Runtime, never our own float graph.
A figure is the relative L2 error |made - source| / |source| over all tokens of one tap.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from . import forward, graph, pictures, position, vit

# Sizes of the check, height and width: the two usual ones and one that is not square.
SIZES = ((224, 224), (448, 448), (224, 448))
FLOAT, U8 = "float", "u8 per token"


def session(model):
    """An ONNX Runtime session on one CPU thread."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    # Otherwise ONNX Runtime fuses DequantizeLinear into MatMul and rounds the activations too,
    # which adds half as much error again and is not what the file says.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def set_size(model, height, width):
    """Writes a picture size into the input of a graph."""
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, value in zip(dims, (1, 3, height, width)):
        dim.Clear()
        dim.dim_value = value


def source_tap_names():
    """Where each tap lies in the source graph: our name -> its name."""
    names = {}
    for number in range(1, vit.BLOCKS + 1):
        layer = f"/backbone/encoder/layer.{number - 1}/"
        for part in ("query", "key", "value"):
            names[f"block{number}.{part}"] = f"{layer}attention/attention/{part}/Add_output_0"
        names[f"block{number}.tokens"] = f"{layer}Add_1_output_0"
    return names


def source_session(source_bytes, height, width):
    """The source graph at one picture size, with our taps as its outputs and no decoder."""
    model = onnx.load_from_string(source_bytes)
    set_size(model, height, width)
    nodes = model.graph.node
    del model.graph.value_info[:]
    del model.graph.output[:]
    needed = set(source_tap_names().values())
    for name in source_tap_names().values():
        model.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    kept = []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    del nodes[:]
    nodes.extend(reversed(kept))
    return session(model)


def source_taps(source, image):
    """Runs a session of `source_session`: tap name -> `[tokens, DIM]`."""
    names = source_tap_names()
    values = source.run(list(names.values()), {source.get_inputs()[0].name: image})
    return dict(zip(names, (v[0] for v in values)))


def made_session(model_bytes, height, width):
    """A made file at one picture size, prepared as a loader prepares it."""
    model = onnx.load_from_string(model_bytes)
    set_size(model, height, width)
    for tensor in model.graph.initializer:
        if tensor.name == graph.POSITION:
            table = numpy_helper.to_array(tensor)
            table = position.resize(table, height // vit.PATCH, width // vit.PATCH)
            tensor.CopyFrom(numpy_helper.from_array(table, tensor.name))
    return session(model)


def made_taps(made, image):
    """Runs a session of `made_session`: tap name -> `[tokens, DIM]`."""
    values = made.run(vit.tap_names(), {graph.INPUT: image})
    return dict(zip(vit.tap_names(), (v[0] for v in values)))


def errors(expected, actual):
    """Relative L2 errors of all taps of one picture, `[BLOCKS, kinds]`."""
    found = []
    for name in vit.tap_names():
        difference = np.linalg.norm((actual[name] - expected[name]).astype(np.float64))
        found.append(difference / np.linalg.norm(expected[name].astype(np.float64)))
    return np.array(found).reshape(vit.BLOCKS, len(vit.TAPS))


def summary(per_picture):
    """Worst and mean error per tap kind over pictures and blocks."""
    stacked = np.stack(per_picture)
    worst, mean = stacked.max(axis=(0, 1)), stacked.mean(axis=(0, 1))
    return {
        tap: {"worst": round(float(w), 4), "mean": round(float(m), 4)}
        for tap, w, m in zip(vit.TAPS, worst, mean)
    }


def figures(source_bytes, candidates, sets, sizes=SIZES, progress=print):
    """Figures of several models on the same pictures.

    `candidates`: name -> (file bytes, backbone). `sets`: set name -> [(picture name, picture)].
    """
    rows = []
    for height, width in sizes:
        source = source_session(source_bytes, height, width)
        made = {n: made_session(data, height, width) for n, (data, _) in candidates.items()}
        for set_name, entries in sets.items():
            found = {}
            for index, (_, picture) in enumerate(entries, start=1):
                progress(f"check {height} x {width}, {set_name}, {index} of {len(entries)}")
                image = pictures.tensor(picture, height, width)
                expected = source_taps(source, image)
                for name, (_, backbone) in candidates.items():
                    taps = {FLOAT: made_taps(made[name], image)}
                    taps[U8] = forward.taps(backbone, image, forward.u8_per_token)
                    for kind, actual in taps.items():
                        found.setdefault((name, kind), []).append(errors(expected, actual))
            for (name, kind), per_picture in found.items():
                row = {"model": name, "pictures": set_name, "count": len(entries)}
                row |= {"height": height, "width": width, "activations": kind}
                rows.append(row | {"taps": summary(per_picture)})
    return rows


def fold_error(source_bytes, folded, height=224, width=448):
    """Worst tap error of the float graph after all exact folds, on the held-out pictures."""
    source = source_session(source_bytes, height, width)
    made = made_session(graph.to_bytes(graph.build(folded, "matmul")), height, width)
    worst = 0.0
    for _, picture in pictures.held_out():
        image = pictures.tensor(picture, height, width)
        found = errors(source_taps(source, image), made_taps(made, image))
        worst = max(worst, float(found.max()))
    return worst
