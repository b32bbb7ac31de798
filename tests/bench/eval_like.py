"""The official score in plain Python and NumPy, timed; `cargo xtask bench --peers` calls this.

    eval_like.py FOLDER script|kind     reads test.json and files/*.json and prints {"ms", "result"}: the average recall, 0 to 1

`script` works as much as the official script: every file is read once a class, and every detection is held against the
lesions of its image, be there any or not. `kind` does neither, as a careful person would. Both are written anew.
"""

import json
import sys
from pathlib import Path
from time import perf_counter

import numpy as np

CLASSES = "Consolidation Fibrosis Effusion Nodule Mass Emphysema Calcification Atelectasis Fracture Pneumothorax".split()
RATES = [0.05, 0.1, 0.2]
IOU = np.float32(0.5)


def overlaps(box: np.ndarray, lesions: np.ndarray) -> np.ndarray:
    width = np.maximum(np.minimum(box[2], lesions[:, 2]) - np.maximum(box[0], lesions[:, 0]) + 1, 0)
    height = np.maximum(np.minimum(box[3], lesions[:, 3]) - np.maximum(box[1], lesions[:, 1]) + 1, 0)
    both = width * height
    sizes = (lesions[:, 2] - lesions[:, 0] + 1) * (lesions[:, 3] - lesions[:, 1] + 1)
    return both / ((box[2] - box[0] + 1) * (box[3] - box[1] + 1) + sizes - both)


def recall_of(name: str, images: list, read: list, is_kind: bool) -> list:
    lesions, found, n_lesions = [], [], 0
    for image in images:
        boxes = [box for sym, box in zip(image["syms"], image["boxes"]) if sym == name]
        lesions.append(np.array(boxes, dtype=np.float32).reshape(-1, 4))
        found.append([False] * len(boxes))
        n_lesions += len(boxes)
    place, rows = [], []
    for number, entries in enumerate(read):
        for entry in entries:
            row = entry.get(name, entry.get(name.lower()))
            if row is not None:
                place.append(number)
                rows.append(row)
    if not rows:
        return [0.0] * len(RATES)
    rows = np.array(rows, dtype=np.float32)
    n_hits, hits_above = 0, []
    for at in np.argsort(rows[:, 4], kind="stable")[::-1]:
        number = place[at]
        there = lesions[number]
        overlap = overlaps(rows[at], there) if len(there) or not is_kind else there
        best = int(np.argmax(overlap)) if len(there) else -1
        if best >= 0 and overlap[best] >= IOU and not found[number][best]:
            found[number][best] = True
            n_hits += 1
        else:
            hits_above.append(n_hits)
    return [recall_at(rate, hits_above, n_hits, n_lesions, len(images)) for rate in RATES]


def recall_at(rate: float, hits_above: list, n_hits: int, n_lesions: int, n_images: int) -> float:
    if not hits_above:
        return n_hits / n_lesions
    asked = min(rate, len(hits_above) / n_images)
    k = max(1, int(asked * n_images))
    while k / n_images < asked:
        k += 1
    return hits_above[k - 1] / n_lesions


def read_files(folder: Path, images: list) -> list:
    read = []
    for image in images:
        path = folder / "files" / image["file_name"].replace(".png", ".json")
        text = path.read_text() if path.exists() else ""
        read.append(json.loads(text) if text else [])
    return read


def main(folder: Path, is_kind: bool) -> None:
    start = perf_counter()
    images = json.loads((folder / "test.json").read_text())
    once = read_files(folder, images) if is_kind else None
    recall = [recall_of(name, images, once or read_files(folder, images), is_kind) for name in CLASSES]
    result = float(np.array(recall).mean(axis=0).mean())
    print(json.dumps({"ms": (perf_counter() - start) * 1e3, "result": result}))


main(Path(sys.argv[1]), sys.argv[2] == "kind")
