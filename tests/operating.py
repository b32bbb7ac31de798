"""Writes operating.json: precision-recall, ROC and calibration of made-up scores, by scikit-learn and MAPIE.

    pip install mapie==1.6.0 numpy==2.4.6 scikit-learn==1.9.1
    python operating.py > operating.json
"""
import json
import mapie
import sklearn
import numpy as np
from mapie.metrics.calibration import expected_calibration_error
from sklearn.calibration import calibration_curve
from sklearn.metrics import fbeta_score, precision_recall_curve, roc_curve

random = np.random.default_rng(5)
cases = []
for n, digits in [(40, 1), (300, 2), (300, 6), (25, 1)]:
    score = random.beta(1.2, 2.0, n).round(digits)
    label = (random.random(n) < score**1.5).astype(int)
    label[0] = 1
    precision, recall, threshold = precision_recall_curve(label, score)
    f = {b: [fbeta_score(label, score >= t, beta=b) for t in threshold] for b in (0.5, 1.0, 2.0)}
    fpr, tpr, least_score = roc_curve(label, score, drop_intermediate=False)
    at_specificity = []
    for least in (0.5, 0.8, 0.9, 0.95, 1.0):
        last = np.flatnonzero(1 - fpr >= least - 1e-12)[-1]
        # The first point is at infinity: nothing is shown.
        shown = float(least_score[last]) if last > 0 else None
        at_specificity.append(dict(
            least=least, sensitivity=float(tpr[last]), specificity=1 - float(fpr[last]), threshold=shown))
    share, mean = calibration_curve(label, score, n_bins=10)
    cases.append(dict(
        score=score.tolist(), label=label.tolist(), threshold=threshold.tolist(),
        precision=precision[:-1].tolist(), recall=recall[:-1].tolist(),
        f={str(b): values for b, values in f.items()},
        at_specificity=at_specificity,
        share_of_true_positives=share.tolist(), mean_score=mean.tolist(),
        # Its bins end at so many numbers from 0 to 1: eleven make ten bins.
        expected_error=expected_calibration_error(label, score, num_bins=11, split_strategy="uniform")))
print(json.dumps(dict(scikit_learn=sklearn.__version__, mapie=mapie.__version__, numpy=np.__version__, cases=cases)))
