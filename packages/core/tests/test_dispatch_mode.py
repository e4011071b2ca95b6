"""Every row of ``samples`` with a mode below autograd in force: the same results and the same gradients as without."""

from __future__ import annotations

from typing import Any

import harness
import numpy as np
import pytest
import taeda
from taeda.utils._python_dispatch import BaseTorchDispatchMode

pytestmark = pytest.mark.filterwarnings("ignore")
ROWS = harness.load_rows()


def outcome(function: Any, call: Any) -> list[Any]:
    """The results, and the gradients of the sum of what has some."""
    taeda.manual_seed(1)
    args, kwargs, values = harness.tensors(taeda, call, grad=True)
    outs = harness.flat_outputs(function(*args, **kwargs))
    wanted = [x for x in outs if isinstance(x, taeda.Tensor) and x.requires_grad]
    if not wanted:
        return outs
    grads = taeda.autograd.grad(sum((x.abs() if x.is_complex() else x).sum() for x in wanted), values, allow_unused=True)
    return [*outs, *(g for g in grads if g is not None)]


@pytest.mark.parametrize("row", [row for row in ROWS if row.before is None], ids=harness.row_ids([row for row in ROWS if row.before is None]))
def test_a_mode_that_changes_nothing_changes_nothing(row: Any) -> None:
    function = harness.find(taeda, row.name)
    for call in harness.calls_of(row)[:3]:
        try:
            expected = outcome(function, call)
        except RuntimeError:                   # what cannot be differentiated as it is called
            continue
        with BaseTorchDispatchMode():
            found = outcome(function, call)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            if isinstance(b, taeda.Tensor) and b.device.type == "cpu":
                assert a.dtype == b.dtype and a.shape == b.shape
                np.testing.assert_allclose(harness.to_numpy(a), harness.to_numpy(b), rtol=1e-3, atol=1e-4)
