"""The core's fuzzed calls made with taeda and with PyTorch: who raises what, and what comes out.

    python tests/parity/fuzz_both.py [--seed 0] [--calls 20000] [--only conv]
"""

from __future__ import annotations

import argparse
import math
import pathlib
import re
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "packages" / "core" / "tests"))

import numpy as np
import torch

import fuzz
import harness
import taeda

fuzz.MEMORY = 16 << 30


def find_torch(path: str) -> Any:
    """Return PyTorch's function of the same path, or None."""
    roots = [torch]
    if path.startswith("ops."):
        path, roots = path[4:], [torch, torch.nn.functional, torch.special, torch.linalg]
    for root in roots:
        found: Any = root
        for part in path.split("."):
            found = getattr(found, part, None)
        if found is not None:
            return found
    return None


def outcome(lib: Any, function: Any, call: fuzz.Call) -> tuple[str, Any]:
    """Return ("raises", error) or ("gives", result); "unmade" where the arguments themselves cannot be made."""
    space = {"lib": lib, "np": np, "nan": math.nan, "inf": math.inf}
    try:
        args = [eval(a, space) for a in call.args]
        kwargs = {k: eval(v, space) for k, v in call.kwargs.items()}
    except Exception as error:
        return "unmade", error
    try:
        found = function(*args, **kwargs)
    except Exception as error:
        return "raises", error
    return "gives", args[0] if found is None and args else found


def short(error: BaseException) -> str:
    return re.sub(r"[0-9]+", "N", f"{type(error).__name__}: {error}".splitlines()[0])[:110]


def differ(mine: Any, theirs: Any) -> str | None:
    """Say how two results differ."""
    a, b = harness.flat_outputs(mine), harness.flat_outputs(theirs)
    if len(a) != len(b):
        return f"{len(a)} results for {len(b)}"
    for x, y in zip(a, b, strict=True):
        if not isinstance(y, torch.Tensor):
            if isinstance(x, taeda.Tensor):
                return f"a tensor for {type(y).__name__}"
            if isinstance(y, (int, float, bool, str)) and not (x == y or (x != x and y != y)):
                return f"{x!r} for {y!r}"[:80]
            continue
        if not isinstance(x, taeda.Tensor):
            return f"{type(x).__name__} for a tensor"
        if str(x.dtype).rpartition(".")[2] != str(y.dtype).rpartition(".")[2]:
            return f"dtype {x.dtype} for {y.dtype}"
        if tuple(x.shape) != tuple(y.shape):
            return "shape"
        if x.requires_grad != y.requires_grad:
            return f"requires_grad {x.requires_grad} for {y.requires_grad}"
        if y.device.type == "meta" or x.numel() > 100000:
            continue
        try:
            p, q = harness.to_numpy(x), harness.to_numpy(y.resolve_conj().resolve_neg())
        except Exception:
            continue
        with np.errstate(all="ignore"):
            if not np.allclose(p, q, 2e-4, 1e-5, equal_nan=True):
                return "values"
    return None


def visit(_: Any, call: fuzz.Call) -> str | None:
    """Make the call in both; return how they differ."""
    theirs = find_torch(call.path)
    if theirs is None or any("2**40" in a or "2**62" in a or "2**31" in a for a in [*call.args, *call.kwargs.values()] if "meta" in a):
        return None
    mine: Any = taeda
    for part in call.path.split("."):
        mine = getattr(mine, part)
    taeda.manual_seed(0)
    torch.manual_seed(0)
    how, found = outcome(torch, theirs, call)
    how2, found2 = outcome(taeda, mine, call)
    if "unmade" in (how, how2):
        return None
    if how2 == "raises" and isinstance(found2, NotImplementedError):
        return None
    if how == "raises" and how2 == "raises":
        if issubclass(type(found2), type(found)) or issubclass(type(found), type(found2)):
            return None
        return f"{type(found2).__name__} for {type(found).__name__} || {short(found2)} || {short(found)}"
    if how == "raises":
        return f"nothing raised || {short(found)}"
    if how2 == "raises":
        return f"raises || {short(found2)}"
    how_ = differ(found2, found)
    return how_ and f"differs || {how_}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--calls", type=int, default=20000)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    torch.set_num_threads(1)
    seen: dict[tuple[str, str], list[str]] = {}
    for _, call, complaint in fuzz.run(taeda, fuzz.Source(taeda, given.seed, given.only), given.start, given.start + given.calls, visit):
        name = call.partition("(")[0].rpartition(".")[2]
        seen.setdefault((name, complaint), []).append(call)
    for (name, complaint), calls in sorted(seen.items(), key=lambda item: (item[0][1].partition("||")[0], item[0][0])):
        print(f"{len(calls):4} {name}: {complaint}\n         {min(calls, key=len)[:400]}")
    print(f"{len(seen)} kinds of difference")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
