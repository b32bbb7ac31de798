"""Scores lesion detectors by FROC analysis: what the program `froc` computes, as a dictionary, or as the page in a notebook."""

from __future__ import annotations

import html
import json
import os
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any, Sequence, Union

__all__ = ["Error", "Page", "evaluate", "program", "view"]

Option = Union[None, bool, float, str, "os.PathLike[str]", Sequence[float], Sequence[str]]
"""What a flag takes: nothing (`True`), or a value; of several, numbers are joined and texts are each given."""


class Error(ValueError):
    """What cannot be scored: one sentence for each thing that is wrong, each a line, as the program says it."""


def evaluate(ground_truth: Any, predictions: Any, **options: Option) -> dict[str, Any]:
    """Scores runs against a ground truth; gives what `froc score --format json` prints.

    `ground_truth` is the path of a file, or what such a file holds. `predictions` is the path of a zip, folder or file; a list of
    paths, one for each run; or what a file of all images holds, such as `{"1.png": [{"label": .., "score": .., "box": [..]}]}`.
    In memory, arrays and tensors may stand for lists, and a data frame for a table.

    `options` are flags of the program with underscores: `iou=0.4`, `fp=[0.5, 1]`, `bootstrap=2000`, `statistics=True`,
    `boxes="xywh"`, `class_=["NODULE=Nodule"]`. With `baseline=1` the runs are compared with the first one, by `froc compare`.

    Raises `Error` if something is wrong with files or options.
    """
    runs = predictions if _is_list_of_paths(predictions) else [predictions]
    with tempfile.TemporaryDirectory(prefix="froc-") as folder:
        arguments = ["compare" if options.get("baseline") is not None else "score", "--format", "json"]
        arguments += ["--ground-truth", _path(ground_truth, Path(folder), "ground-truth")]
        for run in runs:
            arguments += ["--predictions", _path(run, Path(folder), "predictions")]
        for name, value in options.items():
            arguments += _flags("--" + name.rstrip("_").replace("_", "-"), value)
        report: dict[str, Any] = json.loads(_printed(arguments))
    return report


class Page:
    """The page with files inside it. A notebook shows it below the cell; it sends nothing anywhere."""

    def __init__(self, text: str) -> None:
        self._text = text

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the page to a file, which any browser opens, offline too."""
        Path(path).write_text(self._text, encoding="utf-8")

    def _repr_html_(self) -> str:
        # In a frame of its own origin: neither the notebook nor the page sees the other.
        sandbox = "allow-scripts allow-downloads allow-modals"
        style = "width: 100%; height: 85vh; border: 1px solid #8886"
        return f'<iframe title="froc" sandbox="{sandbox}" style="{style}" srcdoc="{html.escape(self._text)}"></iframe>'


def view(ground_truth: Any, predictions: Any) -> Page:
    """The page with a ground truth and runs inside it: every number, curve and box, as `froc view` shows them in the browser.

    Takes what `evaluate` takes. As the last value of a cell it is shown; `view(..).save("model.html")` keeps it.

    Raises `Error` if something is wrong with files.
    """
    runs = predictions if _is_list_of_paths(predictions) else [predictions]
    with tempfile.TemporaryDirectory(prefix="froc-") as folder:
        page = Path(folder) / "page.html"
        arguments = ["view", "--no-open", "--output", str(page)]
        arguments += ["--ground-truth", _path(ground_truth, Path(folder), "ground-truth")]
        _printed(arguments + [_path(run, Path(folder), "predictions") for run in runs])
        return Page(page.read_text(encoding="utf-8"))


def program() -> str:
    """The path of the program that was installed with this module."""
    name = "froc" + (sysconfig.get_config_var("EXE") or "")
    # Of this environment, of this user, and beside the modules as `pip install --target` has it.
    own, of_user = sysconfig.get_path("scripts"), sysconfig.get_path("scripts", f"{os.name}_user")
    folders = [own, of_user, str(Path(__file__).parent.parent / "bin")]
    for folder in folders:
        path = Path(folder) / name
        if path.is_file():
            return str(path)
    raise FileNotFoundError(f"the program {name} is not in {' or '.join(folders)}; install the package froc again")


def _printed(arguments: list[str]) -> str:
    """What the program prints."""
    done = subprocess.run([program(), *arguments], capture_output=True, encoding="utf-8", check=False)
    # 1 says that a bound of `fail_under` is not reached: there is a report, but what was asked for does not hold.
    if done.returncode != 0:
        raise Error(done.stderr.strip() or f"froc: it ended with code {done.returncode}")
    return done.stdout


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


def _is_list_of_paths(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(_is_path(entry) for entry in value)


def _path(value: Any, folder: Path, name: str) -> str:
    """Where a file is, or is written to."""
    if _is_path(value):
        return os.fspath(value)  # type: ignore[no-any-return]
    if hasattr(value, "to_csv"):
        path = folder / f"{name}.csv"
        value.to_csv(path, index=False)
    else:
        path = folder / f"{name}.json"
        path.write_text(json.dumps(value, default=_plain), encoding="utf-8")
    return str(path)


def _plain(value: Any) -> Any:
    """An array, a tensor or a number of those as Python's own."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is neither a path nor what JSON holds")


def _flags(flag: str, value: Option) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    if isinstance(value, (list, tuple)):
        if all(isinstance(entry, str) for entry in value):
            return [argument for entry in value for argument in (flag, str(entry))]
        return [flag, ",".join(str(entry) for entry in value)]
    return [flag, str(value)]
