"""What people would use instead, timed; `cargo xtask bench --only peers` calls this.

    peers.py convert FOLDER     writes the boxes of FOLDER as COCO's JSON, once
    peers.py PACKAGE FOLDER     reads that JSON, evaluates, and prints {"ms", "result"}

The result is AP at IoU 0.5, and this is the least that gives it: one IoU threshold, one range of area. That of
coco-froc-analysis is recall at the rates of ChestX-Det10.
"""

import json
import sys
import zipfile
from pathlib import Path
from time import perf_counter

CLASSES = "Consolidation Fibrosis Effusion Nodule Mass Emphysema Calcification Atelectasis Fracture Pneumothorax".split()


def convert(folder: Path) -> None:
    if (folder / "detections.json").exists():
        return
    images = json.loads((folder / "test.json").read_text())
    category = {name: number for number, name in enumerate(CLASSES, 1)}
    lesions, detections = [], []
    with zipfile.ZipFile(folder / "run.zip") as archive:
        for number, image in enumerate(images, 1):
            for name, box in zip(image["syms"], image["boxes"]):
                bbox = xywh(box)
                area = bbox[2] * bbox[3]
                lesions.append({"id": len(lesions) + 1, "image_id": number, "category_id": category[name], "bbox": bbox, "area": area, "iscrowd": 0})
            for entry in json.loads(archive.read(image["file_name"].replace(".png", ".json"))):
                for name, (x1, y1, x2, y2, score) in entry.items():
                    detections.append({"image_id": number, "category_id": category[name], "bbox": xywh([x1, y1, x2, y2]), "score": score})
    truth = {
        "images": [{"id": number, "file_name": image["file_name"], "width": 1024, "height": 1024} for number, image in enumerate(images, 1)],
        "annotations": lesions,
        "categories": [{"id": number, "name": name} for name, number in category.items()],
    }
    (folder / "lesions.json").write_text(json.dumps(truth))
    (folder / "detections.json").write_text(json.dumps(detections))


def xywh(box: list) -> list:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


def froc(folder: Path) -> dict:
    import numpy
    from coco_froc_analysis.froc import generate_froc_curve

    start = perf_counter()
    truth, detections = (json.loads((folder / name).read_text()) for name in ("lesions.json", "detections.json"))
    recall, per_image = generate_froc_curve(truth, detections, plot_title=None)
    at_rates = [numpy.interp((0.05, 0.1, 0.2), per_image[kind][::-1], recall[kind][::-1]) for kind in recall]
    return {"ms": (perf_counter() - start) * 1e3, "result": float(numpy.mean(at_rates))}


def evaluate(package: str, folder: Path) -> dict:
    if package == "coco-froc-analysis":
        return froc(folder)
    if package == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    elif package == "faster-coco-eval":
        from faster_coco_eval import COCO
        from faster_coco_eval import COCOeval_faster as COCOeval
    else:
        from hotcoco import COCO, COCOeval
    import numpy

    start = perf_counter()
    truth = COCO(str(folder / "lesions.json"))
    evaluation = COCOeval(truth, truth.loadRes(str(folder / "detections.json")), "bbox")
    evaluation.params.iouThrs = numpy.array([0.5])
    evaluation.params.areaRng = [[0, 1e10]]
    evaluation.params.areaRngLbl = ["all"]
    evaluation.params.maxDets = [100]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = numpy.asarray(evaluation.eval["precision"])
    return {"ms": (perf_counter() - start) * 1e3, "result": float(precision[precision > -1].mean())}


what, folder = sys.argv[1:]
print("\n" + json.dumps(convert(Path(folder)) if what == "convert" else evaluate(what, Path(folder))))
