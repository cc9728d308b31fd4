"""Writes metrics.json: small cases with figures from public implementations.

ROC AUC comes from scikit-learn. AU-PRO is written down here from its definition (Bergmann et al.,
IJCV 2021, section 5.2) as plainly as possible: connected regions by SciPy, one step for every
distinct score, scikit-learn's `auc` for the area. It shares no idea with the streaming code that
it checks: no bins, no weights.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    python metrics.py > metrics.json
"""

import json

import numpy as np
from scipy import ndimage
from sklearn.metrics import auc, roc_auc_score

LIMIT = 0.3
rng = np.random.default_rng(20)


def ranking(name, good, bad):
    good, bad = [float(round(x, 4)) for x in good], [float(round(x, 4)) for x in bad]
    truth = [0] * len(good) + [1] * len(bad)
    return {"name": name, "good": good, "bad": bad, "auroc": roc_auc_score(truth, good + bad)}


def pro(maps, masks):
    """Mean per-region overlap over the false-positive rate, up to LIMIT, normalised."""
    regions, free = [], []
    for scores, mask in zip(maps, masks):
        labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [scores[labels == n] for n in range(1, count + 1)]
        free.append(scores[labels == 0])
    free = np.concatenate(free)
    x, y = [0.0], [0.0]
    for threshold in np.unique(np.concatenate([free, *regions]))[::-1]:
        x.append(np.mean(free >= threshold))
        y.append(np.mean([np.mean(r >= threshold) for r in regions]))
    x, y = np.array(x), np.array(y)
    inside = x <= LIMIT
    x_cut = np.append(x[inside], LIMIT)
    y_cut = np.append(y[inside], np.interp(LIMIT, x, y))
    return auc(x_cut, y_cut) / LIMIT, len(regions)


def pixels(name, maps, masks):
    maps = [np.round(m, 3).astype(np.float32) for m in maps]
    value, regions = pro(maps, [np.zeros_like(m, bool) if k is None else k for m, k in zip(maps, masks)])
    truth = np.concatenate([(np.zeros(m.shape, bool) if k is None else k).ravel() for m, k in zip(maps, masks)])
    images = [
        {
            "width": m.shape[1],
            "map": [round(float(v), 3) for v in m.ravel()],
            "mask": None if k is None else "".join("#" if v else "." for v in k.ravel()),
        }
        for m, k in zip(maps, masks)
    ]
    return {
        "name": name,
        "images": images,
        "pixel_auroc": roc_auc_score(truth, np.concatenate([m.ravel() for m in maps])),
        "pro": value,
        "regions": regions,
    }


def blobs(shape, places):
    mask = np.zeros(shape, bool)
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    for y, x, r in places:
        mask |= (yy - y) ** 2 + (xx - x) ** 2 <= r * r
    return mask


def noisy(mask, lift, noise, sigma):
    return np.abs(ndimage.gaussian_filter(mask * lift + rng.normal(0, noise, mask.shape), sigma))


SHAPE = (18, 22)
NONE = np.zeros(SHAPE, bool)
A = blobs(SHAPE, [(5, 5, 3), (13, 16, 1), (2, 20, 0)])
B = blobs(SHAPE, [(9, 11, 5)])
C = np.eye(*SHAPE, dtype=bool) | blobs(SHAPE, [(15, 3, 1.5)])

cases = {
    "ranking": [
        ranking("separated", [0.1, 0.2, 0.3], [1.1, 1.2]),
        ranking("reversed", [1.1, 1.2], [0.1, 0.2, 0.3]),
        ranking("one each, tied", [1.0], [1.0]),
        ranking("overlapping", rng.normal(0.6, 0.2, 40), rng.normal(0.9, 0.3, 25)),
        ranking("many ties", rng.integers(0, 5, 30), rng.integers(2, 7, 30)),
        ranking("negative and large", rng.normal(-50, 30, 20), rng.normal(0, 200, 20)),
    ],
    "pixels": [
        pixels("clear defects", [noisy(A, 2, 0.3, 0.7), noisy(NONE, 0, 0.3, 0.7)], [A, None]),
        pixels("weak defects", [noisy(A, 0.6, 0.5, 1), noisy(B, 0.5, 0.5, 1), noisy(C, 0.7, 0.5, 1)], [A, B, C]),
        pixels("no relation", [noisy(NONE, 0, 1, 1), noisy(NONE, 0, 1, 1)], [B, A]),
        pixels("scores in steps", [np.round(noisy(C, 1.5, 0.6, 0.8) * 4) / 4], [C]),
    ],
}
print(json.dumps(cases, separators=(",", ":")))
