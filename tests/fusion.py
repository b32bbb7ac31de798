"""Writes fusion.json: what weighted boxes fusion makes of made-up boxes, by the package that its authors publish.

    pip install numpy==2.4.6 ensemble-boxes==1.0.9
    python fusion.py > fusion.json

The package keeps fused boxes as 32-bit numbers, also while further boxes are compared with them. Each case is asked twice: as it is, and
with its one mention of that type made 64 bits, which is all that is changed. Coordinates are sixteenths of pixels of images of
1024 x 1024, so that the fractions of them that the package takes are exact.
"""
import json, sys, types, warnings

import ensemble_boxes.ensemble_boxes_wbf as package
import numpy as np

# Corners that are swapped are put in order, and boxes without an area left out; nothing is cut off at the border of an image.
warnings.simplefilter("error")
warnings.filterwarnings("ignore", "X2 < X1|Y2 < Y1|Zero area")
SIDE = 1024.0
random = np.random.default_rng(55)
whole = lambda low, high: int(random.integers(low, high))


class Wide(types.ModuleType):
    """numpy, whose 32-bit floats are of 64 bits."""

    float32 = np.float64

    def __getattr__(self, name):
        return getattr(np, name)


def asked(numpy, runs, iou):
    package.np = numpy
    boxes = [[[corner / SIDE for corner in row[1]] for row in run] for run in runs]
    fused = package.weighted_boxes_fusion(
        boxes, [[row[2] for row in run] for run in runs], [[row[0] for row in run] for run in runs], iou_thr=iou)
    return [[int(kind), [float(corner) * SIDE for corner in box], float(score)] for box, score, kind in zip(*fused)]


def run(lesions, kinds, at_most):
    rows = []
    for kind, (x, y, w, h) in lesions:
        for _ in range(whole(0, 3)):
            shake = [whole(-side // 5, side // 5 + 1) + whole(0, 16) / 16 for side in (w, h, w, h)]
            corners = [x + shake[0], y + shake[1], x + w + shake[2], y + h + shake[3]]
            if random.random() < 0.1:
                corners = corners[2:] + corners[:2]
            rows.append([kind, corners, random.random()])
    for _ in range(whole(0, at_most)):
        x, y = whole(0, 700), whole(0, 700)
        rows.append([whole(0, kinds), [x, y, x + whole(-1, 40) * 8, y + whole(1, 300)], random.random()])
    rows = [[kind, [float(min(max(corner, 0), SIDE)) for corner in box], round(score, 12)] for kind, box, score in rows]
    random.shuffle(rows)
    return rows


cases = []
for number in range(90):
    n_runs = [1, 2, 2, 3, 5][number % 5]
    kinds = [1, 3, 300][number % 3]
    iou = [0.55, 0.55, 0.5, 0.0, 0.7, 1.0][number % 6]
    lesions = [(whole(0, kinds), (whole(30, 700), whole(30, 700), whole(10, 250), whole(10, 250))) for _ in range(whole(0, 6))]
    runs = [run(lesions, kinds, 25 if number % 7 == 0 else 4) for _ in range(n_runs)]
    if number % 10 == 9:
        runs[0] = []
    for row in runs[-1][:1]:
        row[2] = 0.0
    scores = [row[2] for rows in runs for row in rows]
    # Equal scores are in the order of an unstable sort, and of the runs.
    assert len(set(scores)) == len(scores)
    cases.append({"n_classes": kinds, "iou": iou, "runs": runs, "fused": asked(np, runs, iou),
                  "fused_in_64_bits": asked(Wide("numpy"), runs, iou)})
print(json.dumps({"versions": {"ensemble-boxes": "1.0.9", "numpy": np.__version__}, "cases": cases}, separators=(",", ":")))
