"""Writes published.json: figures of made-up detections by the code of those who publish them.

    pip install numpy==2.4.6 scikit-learn==1.9.1 coco-froc-analysis==0.2.15 loguru
    python published.py FOLDER > published.json     (Python 3.11, the last with lib2to3)

FOLDER holds files of others, which are not kept here:
nndet_froc.py, nndet_matching.py and nndet_ops_np.py: nnDetection 97a58f3, nndet/evaluator/detection and nndet/core/boxes;
monai_froc.py: MONAI 1.5.0 (d388d1c), monai/metrics/froc.py; object_cxr_froc.py: object-CXR 612fcc0, froc.py;
noduleCADEvaluationLUNA16.py and NoduleFinding.py of LUNA16, as DeepLung 0fedeae has them in evaluationScript.
"""
import contextlib, importlib.util, io, json, os, subprocess, sys, tempfile, types, warnings
from lib2to3.refactor import RefactoringTool, get_fixers_from_package
from unittest.mock import MagicMock

import numpy as np
import sklearn

warnings.simplefilter("ignore")
FOLDER = sys.argv[1]
SEVEN, SIX, OURS = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8), (1 / 4, 1 / 2, 1, 2, 4, 8), (0.05, 0.1, 0.2, 0.5, 2)


def module(name, **attributes):
    made = types.ModuleType(name)
    vars(made).update(attributes)
    sys.modules[name] = made


def load(file, python2=False):
    text = open(os.path.join(FOLDER, file)).read()
    if python2:
        text = str(RefactoringTool(get_fixers_from_package("lib2to3.fixes")).refactor_string(text.expandtabs(4) + "\n", file))
    made = types.ModuleType(file)
    exec(compile(text, file, "exec"), vars(made))
    return made


for name in ("matplotlib", "matplotlib.ticker", "matplotlib.pyplot"):
    sys.modules[name] = MagicMock()
sys.modules["matplotlib.pyplot"].subplots.return_value = MagicMock(), MagicMock()
sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]
from coco_froc_analysis.froc import generate_froc_curve

module("torch", Tensor=type("Tensor", (), {}))
module("monai"), module("monai.config", NdarrayOrTensor=object)
for name in ("nndet", "nndet.evaluator", "nndet.utils", "nndet.utils.info"):
    module(name, experimental=lambda f: f,
           DetectionMetric=type("DetectionMetric", (), {"check_number_of_iou": lambda self, *arrays: None}))
monai, nndet = load("monai_froc.py"), load("nndet_froc.py")
matching, boxes = load("nndet_matching.py"), load("nndet_ops_np.py")
module("NoduleFinding", **vars(load("NoduleFinding.py", True)))
# Its own reader opens files as Python 2 does.
module("tools", csvTools=types.SimpleNamespace(readCSV=lambda path: [line.strip().split(",") for line in open(path)]))
with contextlib.redirect_stdout(io.StringIO()):
    luna = load("noduleCADEvaluationLUNA16.py", True)


def corners(box):
    x, y, w, h = box
    return [x, y, x + w, y + h]


def centre(box):
    x, y, w, h = box
    return x + w / 2, y + h / 2


def nndetection(case, kinds):
    def arrays(image, rows):
        mine = [row for row in rows if row[0] == image]
        return np.array([corners(row[2]) for row in mine]).reshape(-1, 4), np.array([row[1] for row in mine])
    images = range(case["n_images"])
    pred = [arrays(image, case["detections"]) for image in images]
    truth = [arrays(image, case["lesions"]) for image in images]
    scores = [np.array([row[3] for row in case["detections"] if row[0] == image]) for image in images]
    results = matching.matching_batch(
        boxes.box_iou_np, (0.1, 0.5), [p[0] for p in pred], [p[1] for p in pred], scores, [t[0] for t in truth],
        [t[1] for t in truth], [np.zeros(len(t[0])) for t in truth], max_detections=100)
    figure, _ = nndet.FROCMetric(["a", "b"], (0.1, 0.5), SEVEN, verbose=False).compute(results)
    return figure["FROC_score_IoU_0.10"]


def monai_score(n_images, lesions, detections):
    fps, tps, n = [], [], 0
    for image in range(n_images):
        mask = np.zeros((400, 400), int)
        mine = [row for row in lesions if row[0] == image]
        for label, row in enumerate(mine, 1):
            x1, y1, x2, y2 = corners(row[2])
            mask[int(y1):int(y2) + 1, int(x1):int(x2) + 1] = label
        shown = [row for row in detections if row[0] == image]
        at = np.array([centre(row[2]) for row in shown]).reshape(-1, 2)
        fp, tp, count = monai.compute_fp_tp_probs(np.array([row[3] for row in shown], np.float32), at[:, 1], at[:, 0], mask)
        fps.append(fp), tps.append(tp)
        n += count
    return float(monai.compute_froc_score(*monai.compute_froc_curve_data(np.concatenate(fps), np.concatenate(tps), n, n_images), SIX))


def object_cxr(n_images, lesions, detections):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("skimage", "skimage/measure"):
            os.makedirs(os.path.join(folder, name))
        open(os.path.join(folder, "skimage/measure/__init__.py"), "w").write("points_in_poly = None")
        def write(name, rows, text):
            path = os.path.join(folder, name)
            with open(path, "w") as file:
                print("image_path,x", file=file)
                for image in range(n_images):
                    print(f"{image},{';'.join(text(row) for row in rows if row[0] == image)}", file=file)
            return path
        numbers = lambda all: " ".join(repr(float(one)) for one in all)
        truth = write("t.csv", lesions, lambda row: "0 " + numbers(corners(row[2])))
        pred = write("p.csv", detections, lambda row: numbers([row[3], *centre(row[2])]))
        done = subprocess.run([sys.executable, os.path.join(FOLDER, "object_cxr_froc.py"), truth, pred],
                              env={**os.environ, "PYTHONPATH": folder}, capture_output=True, text=True)
        return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def luna16(n_images, lesions, detections):
    made = vars(sys.modules["NoduleFinding"])["NoduleFinding"]
    nodules = {str(image): [] for image in range(n_images)}
    for image, _, box in lesions:
        x, y = centre(box)
        nodules[str(image)].append(made("n", x, y, 0, diameter=(box[2] + box[3]) / 2, state="Included"))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "results.csv")
        with open(path, "w") as file:
            print("seriesuid,coordX,coordY,coordZ,probability", file=file)
            for image, _, box, score in detections:
                x, y = centre(box)
                print(f"{image},{x!r},{y!r},0,{score!r}", file=file)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                fps, sens, *_ = luna.evaluateCAD(list(nodules), path, folder, nodules, "made up", maxNumberOfCADMarks=100)
        except ValueError:
            return None
    figure = float(np.mean(np.interp(SEVEN, fps, sens)))
    return None if np.isnan(figure) else figure


def coco_froc_analysis(case, kinds):
    truth = dict(images=[dict(id=i) for i in range(case["n_images"])], categories=[dict(id=k, name=str(k)) for k in kinds],
                 annotations=[dict(id=n, image_id=i, category_id=k, bbox=b) for n, (i, k, b) in enumerate(case["lesions"])])
    results = [dict(image_id=i, category_id=k, bbox=b, score=s) for i, k, b, s in case["detections"] if k in kinds]
    with contextlib.redirect_stderr(io.StringIO()):
        sens, per_image = generate_froc_curve(truth, results, plot_title=None)
    return float(np.mean([np.mean(np.interp(OURS, per_image[k][::-1], sens[k][::-1])) for k in kinds]))


def mean(figures):
    return None if any(figure is None for figure in figures) else float(np.mean(figures))


random = np.random.default_rng(7)
whole = lambda low, high: int(random.integers(low, high))
even = lambda low, high: 2 * whole(low // 2, high // 2)


def made_up(n_images, at_most, digits, with_one, many):
    lesions, detections = [], []
    for image in range(n_images):
        for kind in range(1, 2 if with_one else 3):
            lesions += [[image, kind, [whole(0, 200), whole(0, 200), whole(4, 120), whole(4, 120)]] for _ in range(whole(0, 4))]
        for kind in (1, 2):
            near = [row[2] for row in lesions if row[:2] == [image, kind]]
            for _ in range(whole(0, at_most) + (115 if many and image == 0 and kind == 1 else 0)):
                if near and random.random() < 0.45:
                    x, y, w, h = near[whole(0, len(near))]
                    box = [max(x + whole(-w // 2, w // 2), 0), max(y + whole(-h // 2, h // 2), 0), even(4, 100), even(4, 100)]
                else:
                    box = [whole(0, 200), whole(0, 200), even(4, 100), even(4, 100)]
                score = float(np.clip(random.beta(1.5, 2.0) + (0.15 if near else 0), 0.001, 0.999).round(digits))
                detections.append([image, kind, box, score])
    return dict(n_images=n_images, lesions=lesions, detections=detections)


cases = []
for n in range(40):
    case = made_up(whole(2, 20), int(random.choice([3, 8, 30])), int(random.choice([1, 2, 6])), n % 5 == 4, n in (7, 23))
    kinds = sorted({row[1] for row in case["lesions"]})
    if not kinds or not case["detections"]:
        continue
    by_kind = lambda figure: mean([figure(case["n_images"], *([row for row in case[key] if row[1] == kind]
                                                             for key in ("lesions", "detections"))) for kind in kinds])
    figures = dict(luna16=by_kind(luna16), nndetection=float(nndetection(case, kinds)), monai=by_kind(monai_score),
                   object_cxr=by_kind(object_cxr), coco_froc_analysis=coco_froc_analysis(case, kinds))
    cases.append(dict(**case, figures=figures))
print(json.dumps(dict(numpy=np.__version__, scikit_learn=sklearn.__version__, coco_froc_rates=OURS, cases=cases), separators=(",", ":")))
