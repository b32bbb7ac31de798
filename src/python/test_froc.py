"""The installed package, against the program and the official script: `python test_froc.py GOLDEN_CASE`."""

import array
import base64
import gzip
import json
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import froc

CASE = Path(sys.argv.pop(1))
GROUND_TRUTH, PREDICTIONS = CASE / "test.json", CASE / "predictions.zip"


def in_memory() -> dict:
    """The detections of the case, by image, as torchvision gives them."""
    images = {}
    with zipfile.ZipFile(PREDICTIONS) as archive:
        for name in archive.namelist():
            rows = [(label, five) for record in json.loads(archive.read(name)) for label, five in record.items()]
            images[Path(name).stem + ".png"] = {
                "boxes": [array.array("d", five[:4]) for _, five in rows],
                "labels": [label for label, _ in rows],
                "scores": array.array("d", [five[4] for _, five in rows]),
            }
    return images


class Installed(unittest.TestCase):
    def test_the_number_is_that_of_the_official_script(self):
        expected = json.loads((CASE / "expected.json").read_text())
        report = froc.evaluate(GROUND_TRUTH, PREDICTIONS)
        self.assertEqual(report["runs"][0]["official"]["average_recall"], expected["average_recall"])

    def test_it_is_the_report_of_the_program(self):
        command = ["score", "--ground-truth", GROUND_TRUTH, "--predictions", PREDICTIONS, "--format", "json"]
        printed = subprocess.run([froc.program(), *command], capture_output=True, check=True).stdout
        self.assertEqual(froc.evaluate(str(GROUND_TRUTH), str(PREDICTIONS)), json.loads(printed))

    def test_what_is_in_memory_scores_as_the_files_do(self):
        files = froc.evaluate(GROUND_TRUTH, PREDICTIONS)["runs"][0]["exact"]
        memory = froc.evaluate(json.loads(GROUND_TRUTH.read_text()), in_memory())["runs"][0]["exact"]
        self.assertEqual(memory["recall"], files["recall"])

    def test_arrays_and_frames_are_taken(self):
        try:
            import numpy
            import pandas
        except ImportError:
            self.skipTest("numpy and pandas are not here")
        images = in_memory()
        expected = froc.evaluate(GROUND_TRUTH, images)["runs"][0]["exact"]["recall"]
        rows = []
        for name, image in images.items():
            image["boxes"], image["scores"] = numpy.array(image["boxes"]).reshape(-1, 4), numpy.array(image["scores"])
            rows += [
                [name, label, score, *box] for label, score, box in zip(image["labels"], image["scores"], image["boxes"])
            ]
        self.assertEqual(froc.evaluate(GROUND_TRUTH, images)["runs"][0]["exact"]["recall"], expected)
        frame = pandas.DataFrame(rows, columns=["image", "class", "score", "x1", "y1", "x2", "y2"])
        self.assertEqual(froc.evaluate(GROUND_TRUTH, frame)["runs"][0]["exact"]["recall"], expected)

    def test_options_are_the_flags_of_the_program(self):
        report = froc.evaluate(GROUND_TRUTH, [PREDICTIONS, PREDICTIONS], baseline=2, bootstrap=20, fp=[0.5, 1], iou=0.4)
        self.assertEqual(report["options"]["fp_per_image"], [0.5, 1.0])
        self.assertEqual(report["options"]["iou_threshold"], 0.4)
        self.assertEqual(len(report["comparisons"]), 1)

    def test_the_page_holds_what_it_is_given(self):
        class Frame(HTMLParser):
            def handle_starttag(self, tag, attributes):
                if tag == "iframe":
                    self.page = dict(attributes)["srcdoc"]

        page = froc.view(GROUND_TRUTH, [PREDICTIONS])
        frame = Frame()
        frame.feed(page._repr_html_())
        with tempfile.TemporaryDirectory() as folder:
            saved = Path(folder) / "page.html"
            page.save(saved)
            self.assertEqual(saved.read_text(encoding="utf-8"), frame.page)
        files = re.search(r'id="froc-files">(.*?)</script>', frame.page, re.S).group(1)
        held = {file["name"]: gzip.decompress(base64.b64decode(file["gzip"])) for file in json.loads(files)}
        self.assertEqual(held, {path.name: path.read_bytes() for path in (GROUND_TRUTH, PREDICTIONS)})
        with self.assertRaisesRegex(froc.Error, "there is none; expected a file such as test.json"):
            froc.view(PREDICTIONS, PREDICTIONS)

    def test_what_is_wrong_is_said(self):
        with self.assertRaisesRegex(froc.Error, "^test.json: it holds a ground truth; expected a zip"):
            froc.evaluate(GROUND_TRUTH, GROUND_TRUTH)
        with self.assertRaisesRegex(froc.Error, "--no-such-flag"):
            froc.evaluate(GROUND_TRUTH, PREDICTIONS, no_such_flag=True)
        with self.assertRaisesRegex(froc.Error, "expected at least 0.99"):
            froc.evaluate(GROUND_TRUTH, PREDICTIONS, fail_under="average=0.99")
        with self.assertRaisesRegex(TypeError, "object is neither a path nor what JSON holds"):
            froc.evaluate(GROUND_TRUTH, {"1.png": object()})


unittest.main()
