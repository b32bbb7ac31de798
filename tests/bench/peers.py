"""Average precision by the packages that people use for it, timed; `cargo xtask bench --peers` calls this.

    peers.py versions
    peers.py convert FOLDER             writes the boxes of FOLDER as COCO's JSON and as a folder of files, once
    peers.py PACKAGE FOLDER full|lean   reads that JSON, evaluates, and prints {"ms", "result"}: AP at IoU 0.5

`full` is what each package does unless told otherwise: IoU 0.50:0.05:0.95 and four ranges of area. `lean` is the least that
gives AP at IoU 0.5, which is the only IoU that the FROC score looks at.
"""

import json
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from time import perf_counter

CLASSES = "Consolidation Fibrosis Effusion Nodule Mass Emphysema Calcification Atelectasis Fracture Pneumothorax".split()
PACKAGES = "pycocotools faster-coco-eval hotcoco numpy".split()
ALL_AREAS = [0, 1e10]


def convert(folder: Path) -> None:
    done = folder / "detections.json"
    if done.exists():
        return
    images = json.loads((folder / "test.json").read_text())
    category = {name: number for number, name in enumerate(CLASSES, 1)}
    lesions = [
        {"id": 0, "image_id": number, "category_id": category[name], "bbox": xywh(box), "area": area(box), "iscrowd": 0}
        for number, image in enumerate(images, 1)
        for name, box in zip(image["syms"], image["boxes"])
    ]
    for number, lesion in enumerate(lesions, 1):
        lesion["id"] = number
    truth = {
        "images": [{"id": number, "file_name": image["file_name"], "width": 1024, "height": 1024} for number, image in enumerate(images, 1)],
        "annotations": lesions,
        "categories": [{"id": number, "name": name} for name, number in category.items()],
    }
    (folder / "lesions.json").write_text(json.dumps(truth))
    files = folder / "files"
    files.mkdir(exist_ok=True)
    detections = []
    with zipfile.ZipFile(folder / "run.zip") as archive:
        archive.extractall(files)
    for number, image in enumerate(images, 1):
        for entry in json.loads((files / image["file_name"].replace(".png", ".json")).read_bytes()):
            for name, (x1, y1, x2, y2, score) in entry.items():
                box = xywh([x1, y1, x2, y2])
                detections.append({"image_id": number, "category_id": category[name], "bbox": box, "score": score})
    unfinished = folder / "detections.json.unfinished"
    unfinished.write_text(json.dumps(detections))
    unfinished.rename(done)


def xywh(box: list) -> list:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


def area(box: list) -> float:
    _, _, width, height = xywh(box)
    return width * height


def evaluate(package: str, folder: Path, is_lean: bool) -> None:
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
    detections = truth.loadRes(str(folder / "detections.json"))
    evaluation = COCOeval(truth, detections, "bbox")
    if is_lean:
        evaluation.params.iouThrs = numpy.array([0.5])
        evaluation.params.areaRng = [ALL_AREAS]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [100]
    evaluation.evaluate()
    evaluation.accumulate()
    # IoU thresholds, recalls, classes, areas, detections: IoU 0.5, all areas, 100 detections.
    precision = numpy.asarray(evaluation.eval["precision"])[0, :, :, 0, -1]
    result = float(precision[precision > -1].mean())
    print("\n" + json.dumps({"ms": (perf_counter() - start) * 1e3, "result": result}))


match sys.argv[1:]:
    case ["versions"]:
        print(", ".join([f"Python {python_version()}", *(f"{package} {version(package)}" for package in PACKAGES)]))
    case ["convert", folder]:
        convert(Path(folder))
    case [package, folder, what]:
        evaluate(package, Path(folder), what == "lean")
