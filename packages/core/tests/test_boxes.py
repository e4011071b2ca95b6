"""nms: held against the definition, one box after the other."""

import pytest

import taeda


def overlap(a: list[float], b: list[float]) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = max(w, 0.0) * max(h, 0.0)
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


@pytest.mark.parametrize("n", [0, 1, 17, 200])
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.7])
def test_a_box_stays_unless_a_better_one_that_stays_overlaps_it(n: int, threshold: float) -> None:
    taeda.manual_seed(n)
    corner = taeda.rand(n, 2, dtype=taeda.float64) * 40
    boxes = taeda.cat([corner, corner + taeda.rand(n, 2, dtype=taeda.float64) * 20], 1)
    scores = taeda.rand(n, dtype=taeda.float64)
    rows, kept = boxes.tolist(), []
    for i in scores.argsort(descending=True).tolist():
        if all(overlap(rows[j], rows[i]) <= threshold for j in kept):
            kept.append(i)
    assert taeda.ops.nms(boxes, scores, threshold).tolist() == kept


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
def test_an_overlap_as_large_as_the_threshold_is_kept(dtype: taeda.dtype) -> None:
    boxes, scores = taeda.tensor([[0, 0, 2, 1], [1, 0, 3, 1], [9, 9, 9, 9]], dtype=dtype), taeda.tensor([3, 2, 1], dtype=dtype)
    third = float(taeda.tensor(1, dtype=dtype) / 3)
    assert taeda.ops.nms(boxes, scores, third).tolist() == [0, 1, 2]
    assert taeda.ops.nms(boxes, scores, third - 1e-9).tolist() == [0, 2]


def test_of_equal_scores_the_first_wins() -> None:
    boxes = taeda.tensor([[0.0, 0, 2, 2]]).expand(5, 4)
    assert taeda.ops.nms(boxes, taeda.ones(5), 0.5).tolist() == [0]
    assert taeda.ops.nms(boxes, taeda.tensor([0.0, 1, 1, 0, 0]), 0.5).tolist() == [1]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"\[nms\] boxes should be a 2d tensor with 4 columns, got shape \(3, 5\)"):
        taeda.ops.nms(taeda.zeros(3, 5), taeda.zeros(3), 0.5)
    with pytest.raises(RuntimeError, match=r"same number of elements in dimension 0, got shapes \(3, 4\) and \(2,\)"):
        taeda.ops.nms(taeda.zeros(3, 4), taeda.zeros(2), 0.5)
    with pytest.raises(RuntimeError, match="same type as scores"):
        taeda.ops.nms(taeda.zeros(3, 4), taeda.zeros(3).double(), 0.5)
