"""Hostile calls of every public function and method, and what must never come of them.

a. A call is text, one Python expression per argument, so that a finding can be pasted and run again, with taeda or torch as ``lib``.
b. Half of the calls start from a row of the harness and have one or two arguments spoilt; the others are drawn by the
   names of the function's parameters.  A call is a function of (seed, number) alone.
c. Calls run in a forked child with a limit on its memory; the parent sees a crash or a hang and names the call.

    python fuzz.py [--seed 0] [--calls 100000] [--only conv] [--start N]
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import inspect
import json
import math
import mmap
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import harness

MEMORY = 5 << 30                 # address space of the child: what fills it takes less than PATIENCE
PATIENCE = 10.0 if "TAEDA_SANITIZED" not in os.environ else 60.0          # seconds that one call may take
SENSIBLE = (TypeError, ValueError, RuntimeError, IndexError, MemoryError, OverflowError, BufferError)      # NotImplementedError is a RuntimeError
SENSELESS = (RecursionError, UnicodeError)

INTS = ["0", "1", "-1", "2", "3", "-2", "5", "-7", "100", "2**31", "-2**31", "2**40", "-2**40", "2**62", "2**63 - 1", "-2**63", "2**63", "2**64"]
FLOATS = ["0.0", "-0.0", "0.5", "1.5", "-1.0", "nan", "inf", "-inf", "1e308", "1e-320"]
ODD = ["None", "True", "'abc'", "'sum'", "b'x'", "1j", "[]", "()", "{}", "[0, 1]", "[[1, 2], [3]]", "[[1.0, 2.0], [3.0, 4.0]]", "object()", "...", "slice(None)",
       "slice(0, 2**62, -1)", "np.ones(3)", "np.int64(1)", "np.zeros((2, 0))", "lib.float32", "lib.int64", "lib.bool", "lib.float16", "'meta'", "'cpu'", "'cuda'",
       "lib.strided", "lib.Size([2, 3])", "int", "range(3)", "(2**40,)", "(2**62, 2**62)", "(-1,)", "(-1, -1)", "(0, -1)", "(0, 0)", "(1.5, 2)", "('a', 2)", "[None]", "(1,) * 70"]
TENSORS = ["lib.tensor(2.5)", "lib.tensor(1)", "lib.tensor(True)", "lib.tensor([1.5, -2.0, 0.0])", "lib.arange(6.0)", "lib.zeros(0)", "lib.zeros(3, 0, 2)",
           "lib.arange(6.0).reshape(2, 3)", "lib.arange(6).reshape(2, 3)", "lib.arange(6.0).reshape(3, 2).t()", "lib.arange(12.0)[::2]", "lib.ones(2, 3, 4)",
           "lib.linspace(-2, 2, 50).reshape(1, 2, 5, 5)", "lib.ones(1, 1, 2, 3, 2)", "lib.ones((1,) * 24)", "lib.tensor([0, 2, 1])", "lib.tensor([-1, 5, 2**62])",
           "lib.tensor([-2**63, 2**63 - 1])", "lib.tensor([[0, 1], [1, 0]])", "lib.tensor([True, False, True])", "lib.tensor([[True, False, True], [False, True, False]])",
           "lib.tensor([0, 200, 255], dtype=lib.uint8)", "lib.tensor([0, -5, 2**31 - 1], dtype=lib.int32)", "lib.tensor([nan, inf, -inf, -0.0])",
           "lib.tensor([1e308, 5e-324], dtype=lib.float64)", "lib.ones(1).expand(3, 4)", "lib.arange(4.0).as_strided((3, 2), (1, 1))", "lib.ones(2, 3, device='meta')",
           "lib.empty(2, 3, 2**40, device='meta')", "lib.empty(2, 2**31, 2**31, device='meta')", "lib.arange(3.0, requires_grad=True)", "lib.ones(2, 3, requires_grad=True) * 2",
           "lib.eye(3)", "lib.zeros(3, 3)", "lib.zeros(3).to(lib.float16)", "lib.zeros(2).to(lib.bfloat16)", "lib.zeros(2).to(lib.complex64)", "lib.zeros(2, dtype=lib.int8)", "lib.tensor([[1.5, -448.0, nan]]).to(lib.float8_e4m3fn)", "lib.ones(2, 2).detach()[0]",
           "lib.eye(3).to_sparse()", "lib.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3)).coalesce()", "lib.eye(3).to_sparse_csr()",
           "lib.sparse_coo_tensor(lib.tensor([[-1, 7]]), lib.ones(2), (3,))", "lib.ones(2, 2).to_sparse(1).requires_grad_()"]
SPOILT = ["{}.to(lib.int64)", "{}.to(lib.uint8)", "{}.to(lib.bool)", "{}.to(lib.float32)", "{}.to('meta')", "{}.unsqueeze(0)", "{}.unsqueeze(-1)", "{}.sum()", "{}[:0]", "{}[..., :0]",
          "{}.squeeze()", "{}.flatten()", "{}.transpose(0, -1)", "{} * nan", "{} * -inf", "{} * 0", "{} * 2**62", "{} - 3", "{}.unsqueeze(0).expand(2, *{}.shape)",
          "lib.zeros(1).expand({}.shape)", "{}.unsqueeze(-1).expand(*{}.shape, 2)[..., 0]", "lib.cat([{}, {}])", "{}[..., :1]", "{}.flip(0)", "{}.detach().requires_grad_()",
          "{}.tolist()", "({}, {})", "{}.reshape(-1).as_strided((2, 2), (1, 1))"]
BY_NAME = {                      # what a parameter of that name usually gets
    "dim": ["0", "1", "-1", "-2", "2", "(0, 1)", "None"], "dims": ["(0, 1)", "(1, 0)", "0", "[0]", "-1"], "keepdim": ["True", "False"], "dtype": ["lib.float64", "lib.int64", "lib.bool", "None"],
    "out": ["lib.empty(0)", "lib.empty(3)", "lib.empty(2, 3, dtype=lib.int64)", "lib.empty(2, 3, device='meta')", "lib.ones(1).expand(2, 3)"],
    "size": ["(2, 3)", "(0,)", "3", "()"], "sizes": ["2", "3", "(2, 3)"], "shape": ["(2, 3)", "(-1,)", "(3, -1)"], "p": ["0.5", "2", "inf", "0"], "device": ["'cpu'", "'meta'", "None"],
    "kernel_size": ["2", "(2, 2)", "3", "1"], "stride": ["1", "2", "(1, 2)", "None"], "padding": ["0", "1", "(1, 0)", "'same'", "'valid'"], "dilation": ["1", "2"], "groups": ["1", "2"],
    "reduction": ["'mean'", "'sum'", "'none'"], "reduce": ["'sum'", "'prod'", "'amax'", "'mean'"], "mode": ["'constant'", "'reflect'", "'bilinear'", "'nearest'"],
    "index": ["lib.tensor([0, 1])", "lib.tensor([[0, 1]])", "0", "lib.tensor([-1])"], "other": ["2", "1.5", "True"], "sections": ["2", "[1, 2]"], "k": ["1", "2", "0"], "n": ["2", "3"],
    "equation": ["'ij,jk->ik'", "'i->'", "'ii'", "'...i,i'", "'ij->kl'", "'->'"], "condition": ["lib.tensor([True, False, True])"], "mask": ["lib.tensor([True, False, True])"],
    "generator": ["None", "lib.Generator()"], "requires_grad": ["True", "False"], "inplace": ["True", "False"], "pad": ["(1, 1)", "(0, 2, 1, 0)", "(-1, -1)"],
}
TENSOR_NAMES = {"input", "self", "tensor", "mat1", "mat2", "mat", "vec", "vec1", "vec2", "batch1", "batch2", "tensor1", "tensor2", "weight", "source", "src", "target", "values", "x", "y"}
STATEFUL = {"set_num_threads", "set_num_interop_threads", "set_default_dtype", "set_default_device", "set_default_tensor_type", "manual_seed", "seed", "set_rng_state", "save", "load", "compile",
            "set_printoptions", "get_rng_state", "set_grad_enabled", "set_flush_denormal", "set_deterministic_debug_mode", "use_deterministic_algorithms", "set_warn_always", "set_float32_matmul_precision"}
# write to their arguments by contract, under a name that does not end with _
WRITERS = {"module_load", "batch_norm_update_stats", "setitem", "delitem", "batch_norm", "instance_norm", "embedding_bag", "embedding", "__setitem__", "__delitem__", "adam_step", "sgd_step", "rmsprop_step", "requires_grad", "resize", "resize_as", "map", "apply"}


@dataclass
class Call:
    """One call: the path of the function below ``lib``, and its arguments as expressions."""

    path: str
    args: list[str] = field(default_factory=list)
    kwargs: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"lib.{self.path}({', '.join([*self.args, *(f'{k}={v}' for k, v in self.kwargs.items())])})"

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def writes(self) -> bool:
        """Whether the call may change its arguments."""
        name = self.name
        inplace = name.endswith("_") and not name.endswith("__") or name.startswith("__i") and name != "__invert__" and name != "__index__"
        return inplace or name in WRITERS or name.rstrip("_") in WRITERS or "out" in self.kwargs or "inplace" in self.kwargs or name.startswith("fused")


# -- the surface ---------------------------------------------------------------------------------------


def surface(lib: Any) -> list[tuple[str, list[inspect.Parameter] | None]]:
    """Return (path, parameters) of every public function, method and operator; None where there is no signature."""
    found: dict[str, Any] = {}
    for name in sorted({*lib.ops.PUBLIC, *(n for n in dir(lib) if not n.startswith("_"))}):
        f = getattr(lib, name, None)
        if callable(f) and not inspect.isclass(f) and not inspect.ismodule(f) and name not in STATEFUL:
            found[name] = f
    for room in ("linalg", "fft", "special", "func", "autograd"):
        for name in sorted(getattr(getattr(lib, room, None), "__all__", [])):
            f = getattr(getattr(lib, room), name)
            if callable(f) and not inspect.isclass(f) and name not in STATEFUL:
                found[f"{room}.{name}"] = f
    for name in sorted(vars(lib.ops)):
        f = getattr(lib.ops, name)
        if callable(f) and not name.startswith("_") and name not in found and not inspect.isclass(f) and getattr(f, "__module__", "").startswith(f"{lib.__name__}.ops"):
            found[f"ops.{name}"] = f
    plain = ("__getitem__", "__setitem__", "__contains__", "__add__", "__radd__", "__pow__", "__rpow__", "__matmul__", "__iadd__", "__ipow__", "__ifloordiv__", "__and__", "__lshift__",
             "__mod__", "__eq__", "__lt__", "__array__", "__dlpack__", "__format__", "__len__", "__int__", "__float__", "__index__", "__bool__", "__copy__", "__deepcopy__")
    for name in sorted(dir(lib.Tensor)):
        if callable(getattr(lib.Tensor, name)) and (not name.startswith("_") or name in plain) and name not in ("backward", "share_memory_"):
            found[f"Tensor.{name}"] = getattr(lib.Tensor, name)
    return [(path, parameters(f)) for path, f in found.items()]


def parameters(f: Any) -> list[inspect.Parameter] | None:
    """Return the parameters of a function, if it tells them."""
    try:
        return list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return None


# -- drawing calls -------------------------------------------------------------------------------------


def anything(rng: random.Random) -> str:
    """Draw an argument of any kind."""
    return rng.choice(rng.choice((INTS, FLOATS, ODD, TENSORS, TENSORS)))


def argument(rng: random.Random, p: inspect.Parameter) -> str:
    """Draw an argument by the parameter's name, or of any kind."""
    if rng.random() < 0.2:
        return anything(rng)
    if p.name in BY_NAME:
        return rng.choice(BY_NAME[p.name] if rng.random() < 0.8 else INTS)
    if p.name in TENSOR_NAMES:
        return rng.choice(TENSORS)
    if isinstance(p.default, bool):
        return rng.choice(("True", "False"))
    return rng.choice(rng.choice((INTS, FLOATS, TENSORS)))


def drawn(rng: random.Random, path: str, params: list[inspect.Parameter] | None) -> Call:
    """Draw the arguments of a call by the names of its parameters."""
    call = Call(path)
    method = path.startswith("Tensor.")
    if params is None:
        call.args = [rng.choice(TENSORS)] if method else []
        call.args += [anything(rng) for _ in range(rng.randrange(0, 4))]
        return call
    for position, p in enumerate(params):
        if method and position == 0:
            call.args.append(rng.choice(TENSORS))
        elif p.kind is p.VAR_POSITIONAL:
            call.args += [argument(rng, p) for _ in range(rng.randrange(0, 4))]
        elif p.kind is p.VAR_KEYWORD:
            if rng.random() < 0.1:
                call.kwargs["size"] = anything(rng)
        elif p.default is p.empty:
            if p.kind is p.KEYWORD_ONLY:
                call.kwargs[p.name] = argument(rng, p)
            elif rng.random() < 0.97 and not call.kwargs:
                call.args.append(argument(rng, p))
        elif rng.random() < 0.35:
            call.kwargs[p.name] = argument(rng, p)
    return call


def text_of(x: Any) -> str:
    """Write an argument of a harness row as an expression."""
    if isinstance(x, np.ndarray):
        dtype = f"lib.{x.dtype.name}"
        if x.size == 0:
            return f"lib.zeros({x.shape}, dtype={dtype})"
        if x.size <= 64 or x.dtype != np.float64:
            return f"lib.tensor({x.tolist()}, dtype={dtype})"
        return f"lib.linspace(-2, 2, {x.size}, dtype={dtype}).reshape({x.shape})"
    if isinstance(x, (list, tuple)):
        inner = ", ".join(text_of(v) for v in x)
        return f"[{inner}]" if isinstance(x, list) else f"({inner}{',' if len(x) == 1 else ''})"
    return repr(x)


def spoil(rng: random.Random, x: Any) -> str:
    """Make a good argument bad, or odd."""
    if rng.random() < 0.15:
        return anything(rng)
    if isinstance(x, np.ndarray):
        t = text_of(x)
        return rng.choice(TENSORS) if rng.random() < 0.25 else rng.choice(SPOILT).replace("{}", t)
    if isinstance(x, (list, tuple)) and x:
        parts = [text_of(v) for v in x]
        at = rng.randrange(len(parts))
        how = rng.randrange(4)
        if how == 0:
            del parts[at]
        elif how == 1:
            parts.insert(at, rng.choice(INTS))
        else:
            parts[at] = spoil(rng, x[at])
        return f"[{', '.join(parts)}]"
    if isinstance(x, bool) or x is None:
        return anything(rng)
    if isinstance(x, (int, float)):
        return rng.choice(INTS if rng.random() < 0.6 else FLOATS)
    return anything(rng)


def of_row(rng: random.Random, row: Any) -> Call:
    """Take a call of a harness row and spoil one or two of its arguments."""
    plain = rng.choice(cached_calls(row))
    path = row.name if hasattr(harness_lib(), row.name.partition(".")[0]) else f"ops.{row.name}"
    args, kwargs = [text_of(a) for a in plain.args], {k: text_of(v) for k, v in plain.kwargs.items()}
    for _ in range(rng.choice((1, 1, 2))):
        keys = [*range(len(args)), *kwargs]
        if not keys:
            break
        key = rng.choice(keys)
        if isinstance(key, int):
            args[key] = spoil(rng, plain.args[key])
        else:
            kwargs[key] = spoil(rng, plain.kwargs[key])
    if rng.random() < 0.1:
        name = rng.choice(("dim", "keepdim", "dtype", "out"))
        kwargs[name] = rng.choice(BY_NAME[name])
    if row.inplace and args and rng.random() < 0.4:
        path = f"Tensor.{row.inplace}"
    elif row.method and rng.random() < 0.3:
        path = f"Tensor.{row.method}"
    return Call(path, args, kwargs)


_ROWS: dict[str, Any] = {}


def harness_lib() -> Any:
    import taeda

    return taeda


def cached_calls(row: Any) -> list[Any]:
    """Return the calls of a row, made once."""
    key = f"{row.name} {id(row)}"
    if key not in _ROWS:
        _ROWS[key] = harness.calls_of(row)
    return _ROWS[key]


class Source:
    """The calls, by number."""

    def __init__(self, lib: Any, seed: int, only: str = "") -> None:
        self.seed = seed
        self.surface = [s for s in surface(lib) if only in s[0]]
        self.rows = [r for r in harness.load_rows() if only in r.name and cached_calls(r)]

    def __getitem__(self, number: int) -> Call:
        rng = random.Random(f"{self.seed}-{number}")
        if self.rows and (number % 2 or not self.surface):
            return of_row(rng, self.rows[(number // 2) % len(self.rows)])
        path, params = self.surface[(number // 2) % len(self.surface)]
        return drawn(rng, path, params)


# -- judging -------------------------------------------------------------------------------------------


def tensors_of(x: Any, lib: Any) -> list[Any]:
    """Return the tensors inside nested containers; of a sparse one its indices and values."""
    if isinstance(x, lib.Tensor):
        return [x] if x.layout is lib.strided else [*x._places, x._held]
    if isinstance(x, dict):
        x = list(x.values())
    return [t for v in x for t in tensors_of(v, lib)] if isinstance(x, (list, tuple)) else []


def content(t: Any) -> Any:
    """Return what must not change in a tensor: its layout, and the bytes of its memory."""
    storage = t.untyped_storage()
    small = t.device.type == "cpu" and storage.nbytes() <= 1 << 20
    return tuple(t.shape), t.stride(), t.storage_offset(), t.dtype, bytes(memoryview(storage)) if small else b""


def unsound(t: Any) -> str | None:
    """Say what is wrong with a tensor's layout: it must lie inside its memory."""
    if t.numel() != math.prod(t.shape) or any(n < 0 for n in t.shape):
        return f"numel {t.numel()} of shape {tuple(t.shape)}"
    reach = t.storage_offset() + sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True)) + 1
    if t.numel() and reach * t.element_size() > t.untyped_storage().nbytes():
        return f"shape {tuple(t.shape)}, strides {t.stride()}, offset {t.storage_offset()} reach outside of {t.untyped_storage().nbytes()} bytes"
    if t.device.type == "cpu" and t.numel() <= 1000:
        try:
            t.detach().sum()                     # touch every element
        except NotImplementedError:              # a dtype without arithmetic
            pass
    return None


def judge(lib: Any, call: Call) -> str | None:
    """Make the call; return what must not have come of it, if it did."""
    import taeda

    space = {"lib": lib, "np": np, "nan": math.nan, "inf": math.inf}
    function: Any = lib
    for part in call.path.split("."):
        function = getattr(function, part)
    held = taeda.cpu.memory_stats()["allocated_bytes.current"]
    try:
        args = [eval(a, space) for a in call.args]
        kwargs = {k: eval(v, space) for k, v in call.kwargs.items()}
    except SENSIBLE:
        return None                              # the spoiling itself was refused
    inputs = tensors_of([args, kwargs], lib)
    before = [content(t) for t in inputs]
    complaint = None
    failed = False
    found = None
    try:
        found = function(*args, **kwargs)
    except SENSELESS as error:
        complaint = f"{type(error).__name__}: {error}"
    except SENSIBLE:
        failed = True
    except AssertionError as error:              # PyTorch's Python code asserts too
        failed = str(error).startswith("[")
        complaint = None if failed else f"AssertionError: {error}"
    except Exception as error:
        complaint = f"{type(error).__name__}: {error}"
    if complaint is None and not failed:
        complaint = next(filter(None, map(unsound, tensors_of(found, lib))), None)
    if complaint is None and (failed or not call.writes):
        for i, (t, b) in enumerate(zip(inputs, before, strict=True)):
            if content(t) != b and t is not kwargs.get("out"):
                complaint = f"tensor argument {i} was changed" + (" by a call that failed" if failed else "")
    del found, args, kwargs, inputs              # a sparse tensor keeps how its entries group, so it goes first
    t = None                                     # noqa: F841  (the loop's last one)
    if complaint is None and not call.writes and taeda.cpu.memory_stats()["allocated_bytes.current"] != held:
        gc.collect()
        left = taeda.cpu.memory_stats()["allocated_bytes.current"] - held
        if left > 0:
            complaint = f"{left} bytes are still held afterwards"
    return complaint


# -- running -------------------------------------------------------------------------------------------


def child(lib: Any, source: Source, first: int, last: int, progress: mmap.mmap, findings: str, visit: Callable[[Any, Call], str | None]) -> None:
    """Judge the calls [first, last) and write what is found, one JSON line each."""
    if "TAEDA_SANITIZED" not in os.environ:      # AddressSanitizer maps terabytes, and limits single blocks itself
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()                       # the parent says what crashed
    warnings.simplefilter("ignore")
    with open(findings, "a") as out:
        for number in range(first, last):
            progress[:8] = struct.pack("q", number)
            call = source[number]
            complaint = visit(lib, call)
            if complaint:
                out.write(json.dumps([number, str(call), complaint]) + "\n")
                out.flush()
        progress[:8] = struct.pack("q", last)


def run(lib: Any, source: Source, first: int, last: int, visit: Callable[[Any, Call], str | None] = judge) -> Iterator[tuple[int, str, str]]:
    """Yield (number, call, complaint) for the calls [first, last), crashes and hangs included."""
    progress = mmap.mmap(-1, 8)
    with tempfile.TemporaryDirectory() as folder:
        findings = os.path.join(folder, "findings")
        while first < last:
            progress[:8] = struct.pack("q", first)
            open(findings, "w").close()
            sys.stdout.flush()
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    os.chdir(folder)
                    null = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(null, 1)
                    child(lib, source, first, last, progress, findings, visit)
                    status = 0
                except BaseException as error:
                    print(f"the fuzzer itself failed at {struct.unpack('q', progress[:8])[0]}: {error!r}", file=sys.stderr)
                finally:
                    os._exit(status)
            at, since, ended = first, time.monotonic(), None
            while ended is None:
                done, status = os.waitpid(pid, os.WNOHANG)
                now = struct.unpack("q", progress[:8])[0]
                if now != at:
                    at, since = now, time.monotonic()
                if done:
                    ended = f"died: signal {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else f"status {os.WEXITSTATUS(status)}"
                elif time.monotonic() - since > PATIENCE:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    ended = f"hangs: longer than {PATIENCE:.0f} s"
                else:
                    time.sleep(0.005)
            with open(findings) as lines:
                for line in lines:
                    number, call, complaint = json.loads(line)
                    yield number, call, complaint
            at = struct.unpack("q", progress[:8])[0]
            if at < last:
                yield at, str(source[at]), ended or ""
            first = at + 1


def main() -> int:
    import taeda

    parser = argparse.ArgumentParser(description="Call every public function of taeda with hostile arguments.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--calls", type=int, default=20000)
    parser.add_argument("--only", default="", help="a part of the function's name")
    given = parser.parse_args()
    count = 0
    with contextlib.suppress(BrokenPipeError):
        for number, call, complaint in run(taeda, Source(taeda, given.seed, given.only), given.start, given.start + given.calls):
            count += 1
            print(f"{number}: {complaint[:300]}\n    {call[:600]}", flush=True)
        print(f"{given.calls} calls, {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
