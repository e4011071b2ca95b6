"""The families of the CPU's table: what one kernel does, at the sizes of real networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rows import ROWS, Bench, Lib, expression, layer_step, row

M16 = 16_000_000

# -- pointwise -----------------------------------------------------------------------------------------

for _name in ("exp", "tanh", "sigmoid", "sin", "erf", "relu"):
    expression("pointwise", f"{_name}, 16M", ((M16,),), lambda lib, x, f=_name: getattr(x, f)())
expression("pointwise", "gelu, 16M", ((M16,),), lambda lib, x: lib.F.gelu(x))
expression("pointwise", "a + b, 16M", ((M16,), (M16,)), lambda lib, a, b: a + b)
expression("pointwise", "a * row, 4,000 x 4,000", ((4000, 4000), (4000,)), lambda lib, a, b: a * b)
expression("pointwise", "a + column, 4,000 x 4,000", ((4000, 4000), (4000, 1)), lambda lib, a, b: a + b)
expression("pointwise", "where(a > b, a, b), 16M", ((M16,), (M16,)), lambda lib, a, b: lib.T.where(a > b, a, b))
expression("pointwise", "(x * y).tanh() * 2 + x, forward and backward, 1M", ((1_000_000,), (1_000_000,)),
           lambda lib, x, y: ((x * y).tanh() * 2 + x).sum().backward(), grad=True)
expression("pointwise", "gelu(x) * sigmoid(y), forward and backward, 1M", ((1_000_000,), (1_000_000,)),
           lambda lib, x, y: (lib.F.gelu(x) * y.sigmoid()).sum().backward(), grad=True)
expression("pointwise", "silu(x) + relu(x), forward and backward, 4M", ((4_000_000,),),
           lambda lib, x: (lib.F.silu(x) + x.relu()).mean().backward(), grad=True)
expression("pointwise", "dropout, forward and backward, 1M", ((1_000_000,),), lambda lib, x: lib.F.dropout(x, 0.5, True).sum().backward(), grad=True)


def of_dtype(name: str, dtype: str, f: Callable[..., Any], count: int = 1) -> None:
    """Register a row of a function of so many tensors of a dtype, a million numbers each."""

    def make(lib: Lib) -> Callable[[], Any]:
        xs = [(lib.T.rand(1_000_000) + 0.1).to(getattr(lib.T, dtype)) for _ in range(count)]
        return lambda: f(lib, *xs)

    ROWS.append(Bench(f"{name}, {dtype}, 1M", "pointwise", make))


for _dtype in ("float64", "bfloat16", "float16"):
    of_dtype("exp", _dtype, lambda lib, x: x.exp())
    of_dtype("tanh", _dtype, lambda lib, x: x.tanh())
    of_dtype("gelu", _dtype, lambda lib, x: lib.F.gelu(x))
    of_dtype("a + b", _dtype, lambda lib, a, b: a + b, 2)


for _dtype in ("int8", "int16"):
    of_dtype("clamp", _dtype, lambda lib, x: x.clamp(0, 1))
    of_dtype("a << b", _dtype, lambda lib, a, b: a << b, 2)
for _dtype in ("bfloat16", "float16"):
    of_dtype("lerp", _dtype, lambda lib, a, b: lib.T.lerp(a, b, 0.3), 2)
    of_dtype("a ** 2", _dtype, lambda lib, x: x**2)
    of_dtype("nextafter", _dtype, lambda lib, a, b: lib.T.nextafter(a, b), 2)
    of_dtype("batch_norm, evaluation, 64 channels", _dtype, lambda lib, x: lib.F.batch_norm(
        x.view(5, 64, -1), *(x[i * 64 : i * 64 + 64] for i in range(4))))
expression("pointwise", "add, out=, 1M", ((1_000_000,), (1_000_000,), (1_000_000,)), lambda lib, a, b, c: lib.T.add(a, b, out=c))
expression("pointwise", "a * row, 320 x 320", ((320, 320), (320,)), lambda lib, a, b: a * b)

# -- reductions, scans, order --------------------------------------------------------------------------

GROUP = "reductions, scans, order"
for _name in ("sum", "mean", "var", "amax", "argmax"):
    for _dim in (0, 1, 2):
        expression(GROUP, f"{_name}, dim {_dim} of 64 x 128 x 256", ((64, 128, 256),), lambda lib, x, f=_name, d=_dim: getattr(x, f)(d))
expression(GROUP, "sum, 16M", ((M16,),), lambda lib, x: x.sum())
expression(GROUP, "softmax, 8 x 8 x 256 x 256", ((8, 8, 256, 256),), lambda lib, x: x.softmax(-1))
expression(GROUP, "softmax over dim 1, 64 x 128 x 256", ((64, 128, 256),), lambda lib, x: x.softmax(1))
expression(GROUP, "log_softmax, 128 x 50,000", ((128, 50_000),), lambda lib, x: x.log_softmax(-1))
expression(GROUP, "softmax, forward and backward, 1000 x 1000", ((1000, 1000),), lambda lib, x: x.softmax(-1).square().sum().backward(), grad=True)
expression(GROUP, "logsumexp, 128 x 50,000", ((128, 50_000),), lambda lib, x: x.logsumexp(-1))
expression(GROUP, "cumsum, 1M", ((1_000_000,),), lambda lib, x: x.cumsum(0))
expression(GROUP, "cumsum, dim 0 of 1000 x 1000", ((1000, 1000),), lambda lib, x: x.cumsum(0))
for _name in ("sum", "prod", "cumsum", "cumprod"):
    for _dim in (0, 1):
        expression(GROUP, f"{_name} of complex64, dim {_dim} of 1000 x 500", ((1000, 1000),),
                   lambda lib, x, f=_name, d=_dim: getattr(lib.T.view_as_complex(x.view(1000, 500, 2)), f)(d))
expression(GROUP, "median of 3,000", ((3000,),), lambda lib, x: x.median())
expression(GROUP, "sort, rows of 100, 33 x 100", ((33, 100),), lambda lib, x: x.sort(1))
expression(GROUP, "sort, 1M", ((1_000_000,),), lambda lib, x: x.sort())
expression(GROUP, "sort, dim 0 of 1000 x 1000", ((1000, 1000),), lambda lib, x: x.sort(0))
expression(GROUP, "topk 10 of 1000 x 1000", ((1000, 1000),), lambda lib, x: x.topk(10))
expression(GROUP, "topk 50 of 8 x 50,000", ((8, 50_000),), lambda lib, x: x.topk(50))
expression(GROUP, "argsort, 1000 x 1000", ((1000, 1000),), lambda lib, x: x.argsort())
expression(GROUP, "var_mean, dims 0, 2, 3 of 16 x 64 x 28 x 28", ((16, 64, 28, 28),), lambda lib, x: lib.T.var_mean(x, (0, 2, 3)))


@row(GROUP, "unique of 1M integers below 1,000")
def unique(lib: Lib) -> Callable[[], Any]:
    x = lib.T.randint(0, 1000, (1_000_000,))
    return lambda: x.unique()


@row(GROUP, "unique of 1M integers with inverse and counts")
def unique_inverse(lib: Lib) -> Callable[[], Any]:
    x = lib.T.randint(0, 1_000_000, (1_000_000,))
    return lambda: lib.T.unique(x, return_inverse=True, return_counts=True)


@row(GROUP, "bincount and cumsum of 1M integers")
def bincount(lib: Lib) -> Callable[[], Any]:
    x = lib.T.randint(0, 1000, (1_000_000,))
    return lambda: x.bincount().cumsum(0)


# -- memory ----------------------------------------------------------------------------------------------

for _shape, _order in (((64, 3, 224, 224), (0, 2, 3, 1)), ((16, 128, 56, 56), (0, 2, 3, 1)), ((16, 56, 56, 128), (0, 3, 1, 2)), ((8, 128, 12, 64), (0, 2, 1, 3)),
                       ((100, 100, 100), (2, 1, 0))):
    expression("memory", f"permute {_order} copy of {' x '.join(map(str, _shape))}", (_shape,), lambda lib, x, o=_order: x.permute(o).contiguous())
expression("memory", "transpose copy, 4096 x 4096", ((4096, 4096),), lambda lib, x: x.t().contiguous())
expression("memory", "cat of two 16 x 128 x 28 x 28 over channels", ((16, 128, 28, 28),) * 2, lambda lib, *xs: lib.T.cat(xs, 1))
expression("memory", "cat of two 4096 x 256 over columns", ((4096, 256),) * 2, lambda lib, *xs: lib.T.cat(xs, 1))
expression("memory", "stack of 64 3 x 64 x 64", ((3, 64, 64),) * 64, lambda lib, *xs: lib.T.stack(xs))
expression("memory", "stack of 32 of 1,000 in dim 1", ((1000,),) * 32, lambda lib, *xs: lib.T.stack(xs, 1))
expression("memory", "split and cat, 1024 x 3072", ((1024, 3072),), lambda lib, x: lib.T.cat(x.split(1024, 1), 0))
expression("memory", "clone, 16M", ((M16,),), lambda lib, x: x.clone())
expression("memory", "x[:, ::2] copy, 4096 x 1024", ((4096, 1024),), lambda lib, x: x[:, ::2].contiguous())
expression("memory", "flip, 16 x 3 x 224 x 224", ((16, 3, 224, 224),), lambda lib, x: x.flip(3))
expression("memory", "pad by 1, 16 x 64 x 56 x 56", ((16, 64, 56, 56),), lambda lib, x: lib.F.pad(x, (1, 1, 1, 1)))
expression("memory", "pad by 1, 16 x 64 x 7 x 7", ((16, 64, 7, 7),), lambda lib, x: lib.F.pad(x, (1, 1, 1, 1)))
expression("memory", "pixel_shuffle 2, 8 x 64 x 32 x 32", ((8, 64, 32, 32),), lambda lib, x: lib.F.pixel_shuffle(x, 2))


@row("memory", "index_select 8,192 rows of 50,000 x 128")
def index_select(lib: Lib) -> Callable[[], Any]:
    x, i = lib.T.randn(50_000, 128), lib.T.randint(0, 50_000, (8192,))
    return lambda: x.index_select(0, i)


@row("memory", "gather along rows, 1000 x 1000")
def gather(lib: Lib) -> Callable[[], Any]:
    x, i = lib.T.randn(1000, 1000), lib.T.randint(0, 1000, (1000, 1000))
    return lambda: x.gather(1, i)


@row("memory", "scatter_add of 1M numbers into 10,000")
def scatter_add(lib: Lib) -> Callable[[], Any]:
    x, i, out = lib.T.randn(1_000_000), lib.T.randint(0, 10_000, (1_000_000,)), lib.T.zeros(10_000)
    return lambda: out.scatter_add_(0, i, x)


@row("memory", "index_add of 8,192 rows of 128 into 1,000")
def index_add(lib: Lib) -> Callable[[], Any]:
    x, i, out = lib.T.randn(8192, 128), lib.T.randint(0, 1000, (8192,)), lib.T.zeros(1000, 128)
    return lambda: out.index_add_(0, i, x)


@row("memory", "index_put with accumulate, 100,000 into 1000 x 1000")
def index_put(lib: Lib) -> Callable[[], Any]:
    out, i, j, v = lib.T.zeros(1000, 1000), lib.T.randint(0, 1000, (100_000,)), lib.T.randint(0, 1000, (100_000,)), lib.T.randn(100_000)
    return lambda: out.index_put_((i, j), v, accumulate=True)


@row("memory", "boolean mask, 1M")
def mask(lib: Lib) -> Callable[[], Any]:
    x = lib.T.randn(1_000_000)
    keep = x > 0
    return lambda: x[keep]


@row("memory", "gather of classes, forward and backward, 1024 x 1000")
def gather_classes(lib: Lib) -> Callable[[], Any]:
    x, i = lib.T.randn(1024, 1000).requires_grad_(), lib.T.randint(0, 1000, (1024, 1))
    return lambda: x.gather(1, i).sum().backward()


@row("memory", "embedding 50,000 x 256, 8 x 512 indices, forward and backward")
def embedding_large(lib: Lib) -> Callable[[], Any]:
    e, i = lib.nn.Embedding(50_000, 256), lib.T.randint(0, 50_000, (8, 512))
    return lambda: e(i).sum().backward()


@row("memory", "embedding 50,000 x 256, 8 x 512 indices, forward")
def embedding_forward(lib: Lib) -> Callable[[], Any]:
    e, i = lib.nn.Embedding(50_000, 256), lib.T.randint(0, 50_000, (8, 512))
    return lambda: e(i)


# -- norms and losses --------------------------------------------------------------------------------------


def layers(group: str, *listed: tuple[str, Callable[[Any], Any], tuple[int, ...]]) -> None:
    """Register rows of layers, forward and backward."""
    for name, layer, shape in listed:
        size = " x ".join(map(str, shape))
        ROWS.append(Bench(f"{name}, {size}, forward and backward", group, layer_step(layer, *shape)))


layers("norms and losses",
       ("BatchNorm2d 64", lambda nn: nn.BatchNorm2d(64), (16, 64, 56, 56)), ("BatchNorm2d 512", lambda nn: nn.BatchNorm2d(512), (16, 512, 7, 7)),
       ("BatchNorm2d 64 in eval", lambda nn: nn.BatchNorm2d(64).eval(), (16, 64, 56, 56)), ("BatchNorm1d 512", lambda nn: nn.BatchNorm1d(512), (128, 512)),
       ("BatchNorm3d 16", lambda nn: nn.BatchNorm3d(16), (4, 16, 16, 16, 16)),
       ("LayerNorm 768", lambda nn: nn.LayerNorm(768), (8, 128, 768)), ("LayerNorm 64", lambda nn: nn.LayerNorm(64), (8, 1024, 64)),
       ("RMSNorm 512", lambda nn: nn.RMSNorm(512), (8, 128, 512)),
       ("GroupNorm 32 of 256", lambda nn: nn.GroupNorm(32, 256), (8, 256, 28, 28)), ("InstanceNorm2d 64", lambda nn: nn.InstanceNorm2d(64, affine=True), (8, 64, 56, 56)))


def loss_row(name: str, shape: tuple[int, ...], target: Callable[[Lib], Any], f: Callable[..., Any]) -> None:
    """Register a row of a loss f(lib, input, target), forward and backward."""

    def make(lib: Lib) -> Callable[[], Any]:
        x, y = lib.T.rand(*shape).requires_grad_(), target(lib)
        return lambda: f(lib, x, y).backward()

    ROWS.append(Bench(f"{name}, {' x '.join(map(str, shape))}, forward and backward", "norms and losses", make))


loss_row("cross_entropy", (64, 10), lambda lib: lib.T.randint(0, 10, (64,)), lambda lib, x, y: lib.F.cross_entropy(x, y))
loss_row("cross_entropy", (2048, 10_000), lambda lib: lib.T.randint(0, 10_000, (2048,)), lambda lib, x, y: lib.F.cross_entropy(x, y))
loss_row("cross_entropy with smoothing", (1024, 1000), lambda lib: lib.T.randint(0, 1000, (1024,)), lambda lib, x, y: lib.F.cross_entropy(x, y, label_smoothing=0.1))
loss_row("cross_entropy of maps", (4, 21, 64, 64), lambda lib: lib.T.randint(0, 21, (4, 64, 64)), lambda lib, x, y: lib.F.cross_entropy(x, y))
loss_row("mse_loss", (1000, 1000), lambda lib: lib.T.rand(1000, 1000), lambda lib, x, y: lib.F.mse_loss(x, y))
loss_row("smooth_l1_loss", (1000, 1000), lambda lib: lib.T.rand(1000, 1000), lambda lib, x, y: lib.F.smooth_l1_loss(x, y))
loss_row("binary_cross_entropy_with_logits", (1000, 1000), lambda lib: lib.T.rand(1000, 1000), lambda lib, x, y: lib.F.binary_cross_entropy_with_logits(x, y))
loss_row("kl_div", (1000, 1000), lambda lib: lib.T.rand(1000, 1000), lambda lib, x, y: lib.F.kl_div(x, y, reduction="batchmean"))

# -- matmul ------------------------------------------------------------------------------------------------

for _n in (16, 64, 256, 2048):
    expression("matmul", f"{_n} x {_n}", ((_n, _n), (_n, _n)), lambda lib, a, b: a @ b)
for _m, _k, _n in ((4096, 64, 64), (64, 4096, 64), (64, 64, 4096), (1, 1024, 1024), (8, 1024, 4096), (128, 784, 512), (1000, 3, 1000), (33, 129, 65)):
    expression("matmul", f"{_m} x {_k} by {_k} x {_n}", ((_m, _k), (_k, _n)), lambda lib, a, b: a @ b)
expression("matmul", "a.t() @ b, 512", ((512, 512), (512, 512)), lambda lib, a, b: a.t() @ b)
expression("matmul", "a @ b.t(), 512", ((512, 512), (512, 512)), lambda lib, a, b: a @ b.t())
expression("matmul", "a.t() @ b.t(), 512", ((512, 512), (512, 512)), lambda lib, a, b: a.t() @ b.t())
expression("matmul", "matrix by vector, 2048", ((2048, 2048), (2048,)), lambda lib, a, b: a @ b)
expression("matmul", "bmm 64 x 256 x 64 x 256", ((64, 256, 64), (64, 64, 256)), lambda lib, a, b: a @ b)
expression("matmul", "bmm 512 x 16 x 16", ((512, 16, 16), (512, 16, 16)), lambda lib, a, b: a @ b)
expression("matmul", "3 x 10000 by 10000 x 3", ((3, 10000), (10000, 3)), lambda lib, a, b: a @ b)
expression("matmul", "bmm 10000 x 3 x 3", ((10000, 3, 3), (10000, 3, 3)), lambda lib, a, b: a @ b)
expression("matmul", "10000 matrices of 4 x 4 by vectors", ((10000, 4, 4), (10000, 4, 1)), lambda lib, a, b: a @ b)
expression("matmul", "8 x 128 x 512 by 512 x 512", ((8, 128, 512), (512, 512)), lambda lib, a, b: a @ b)
expression("matmul", "einsum bhqd,bhkd->bhqk, 4 x 8 x 128 x 64", ((4, 8, 128, 64),) * 2, lambda lib, a, b: lib.T.einsum("bhqd,bhkd->bhqk", a, b))


@row("matmul", "512 x 512 in float64")
def double(lib: Lib) -> Callable[[], Any]:
    a = lib.T.rand(512, 512, dtype=lib.T.float64)
    return lambda: a @ a


layers("matmul", ("Linear 512 -> 512", lambda nn: nn.Linear(512, 512), (32, 512)), ("Linear 256 -> 1024", lambda nn: nn.Linear(256, 1024), (8, 128, 256)),
       ("Linear 64 -> 10", lambda nn: nn.Linear(64, 10), (64, 64)))


@row("matmul", "attention 8 x 8 x 256 x 64, forward and backward", 0.9)
def attention(lib: Lib) -> Callable[[], Any]:
    q, k, v = (lib.T.randn(8, 8, 256, 64).requires_grad_() for _ in range(3))
    return lambda: lib.F.scaled_dot_product_attention(q, k, v).sum().backward()


# -- convolution -------------------------------------------------------------------------------------------

for _batch in (1, 8, 16):
    for _c, _size in ((64, 56), (128, 28), (256, 14), (512, 7)):
        layers("convolution", (f"3x3, {_c} -> {_c}", lambda nn, c=_c: nn.Conv2d(c, c, 3, padding=1, bias=False), (_batch, _c, _size, _size)))
    layers("convolution", ("7x7 stem, stride 2", lambda nn: nn.Conv2d(3, 64, 7, 2, 3, bias=False), (_batch, 3, 224, 224)))
for _c, _size in ((64, 56), (128, 28), (256, 14)):
    layers("convolution", (f"3x3 stride 2, {_c} -> {2 * _c}", lambda nn, c=_c: nn.Conv2d(c, 2 * c, 3, 2, 1, bias=False), (8, _c, _size, _size)))
for _a, _b, _s, _size in ((64, 256, 1, 56), (256, 64, 1, 56), (256, 128, 1, 28), (512, 128, 1, 28), (256, 1024, 1, 14), (2048, 512, 1, 7), (256, 512, 2, 56), (64, 128, 2, 56)):
    layers("convolution", (f"1x1 stride {_s}, {_a} -> {_b}", lambda nn, a=_a, b=_b, s=_s: nn.Conv2d(a, b, 1, s, bias=False), (8, _a, _size, _size)))
layers("convolution",
       ("5x5, 32 -> 64", lambda nn: nn.Conv2d(32, 64, 5, padding=2), (8, 32, 28, 28)), ("3x3, 3 -> 32", lambda nn: nn.Conv2d(3, 32, 3, padding=1), (16, 3, 64, 64)),
       ("3x3, 1 -> 32", lambda nn: nn.Conv2d(1, 32, 3), (64, 1, 28, 28)), ("5x5, 1 -> 6", lambda nn: nn.Conv2d(1, 6, 5, padding=2), (64, 1, 28, 28)),
       ("depthwise 3x3, 144", lambda nn: nn.Conv2d(144, 144, 3, padding=1, groups=144), (8, 144, 28, 28)),
       ("depthwise 3x3 stride 2, 96", lambda nn: nn.Conv2d(96, 96, 3, 2, 1, groups=96), (8, 96, 56, 56)),
       ("depthwise 7x7, 96", lambda nn: nn.Conv2d(96, 96, 7, padding=3, groups=96), (4, 96, 28, 28)),
       ("grouped 32, 128 -> 128", lambda nn: nn.Conv2d(128, 128, 3, padding=1, groups=32), (8, 128, 28, 28)),
       ("3x3 dilation 2, 64 -> 64", lambda nn: nn.Conv2d(64, 64, 3, padding=2, dilation=2), (8, 64, 28, 28)),
       ("3x3 dilation 24, 256 -> 64", lambda nn: nn.Conv2d(256, 64, 3, padding=24, dilation=24), (2, 256, 33, 33)),
       ("transposed 4x4 stride 2, 128 -> 64", lambda nn: nn.ConvTranspose2d(128, 64, 4, 2, 1), (8, 128, 14, 14)),
       ("4x4 stride 2, 64 -> 128", lambda nn: nn.Conv2d(64, 128, 4, 2, 1), (16, 64, 32, 32)),
       ("5x5 stride 2, 32 -> 64", lambda nn: nn.Conv2d(32, 64, 5, 2, 2), (8, 32, 32, 32)),
       ("transposed 4x4 stride 2, 512 -> 256", lambda nn: nn.ConvTranspose2d(512, 256, 4, 2, 1), (16, 512, 4, 4)),
       ("transposed 2x2 stride 2, 128 -> 64", lambda nn: nn.ConvTranspose2d(128, 64, 2, 2), (8, 128, 28, 28)),
       ("1d, kernel 5, 64 -> 128", lambda nn: nn.Conv1d(64, 128, 5, padding=2), (16, 64, 512)),
       ("1d causal, dilation 4, 32 -> 32", lambda nn: nn.Conv1d(32, 32, 3, dilation=4), (8, 32, 2048)),
       ("3d, 3x3x3, 16 -> 32", lambda nn: nn.Conv3d(16, 32, 3, padding=1), (2, 16, 16, 28, 28)))


@row("convolution", "3x3, 64 -> 64, channels last, 8 x 64 x 56 x 56, forward and backward")
def channels_last(lib: Lib) -> Callable[[], Any]:
    layer = lib.nn.Conv2d(64, 64, 3, padding=1).to(memory_format=lib.T.channels_last)
    x = lib.T.randn(8, 64, 56, 56).to(memory_format=lib.T.channels_last).requires_grad_()
    return lambda: layer(x).sum().backward()


# -- pooling and interpolation -----------------------------------------------------------------------------

layers("pooling and interpolation",
       ("MaxPool2d 3 stride 2", lambda nn: nn.MaxPool2d(3, 2, 1), (8, 64, 112, 112)), ("MaxPool2d 2", lambda nn: nn.MaxPool2d(2), (64, 32, 24, 24)),
       ("AvgPool2d 3 stride 1", lambda nn: nn.AvgPool2d(3, 1, 1), (8, 64, 28, 28)), ("AdaptiveAvgPool2d 1", lambda nn: nn.AdaptiveAvgPool2d(1), (16, 512, 7, 7)),
       ("AdaptiveAvgPool2d 6", lambda nn: nn.AdaptiveAvgPool2d(6), (8, 64, 28, 28)), ("AdaptiveMaxPool2d 4", lambda nn: nn.AdaptiveMaxPool2d(4), (8, 64, 28, 28)),
       ("AdaptiveMaxPool1d 33", lambda nn: nn.AdaptiveMaxPool1d(33), (8, 32, 1000)), ("area to 200 x 240", lambda nn: nn.Upsample((200, 240), mode="area"), (2, 3, 100, 120)),
       ("MaxPool1d 2", lambda nn: nn.MaxPool1d(2), (16, 64, 1024)), ("AvgPool2d 7", lambda nn: nn.AvgPool2d(7), (16, 512, 7, 7)),
       ("bilinear x2", lambda nn: nn.Upsample(scale_factor=2, mode="bilinear"), (4, 64, 56, 56)), ("nearest x2", lambda nn: nn.Upsample(scale_factor=2), (4, 64, 56, 56)),
       ("bilinear to 224", lambda nn: nn.Upsample((224, 224), mode="bilinear", align_corners=True), (8, 3, 300, 200)),
       ("bicubic to 224", lambda nn: nn.Upsample((224, 224), mode="bicubic"), (8, 3, 300, 200)))


@row("pooling and interpolation", "bytes 480 x 640 to 224 x 224, channels last, antialias")
def resized_bytes(lib: Lib) -> Callable[[], Any]:
    x = lib.T.randint(0, 256, (1, 3, 480, 640), dtype=lib.T.uint8).contiguous(memory_format=lib.T.channels_last)
    return lambda: lib.F.interpolate(x, (224, 224), mode="bilinear", antialias=True)


@row("memory", "EmbeddingBag 1000 x 16, 64 bags of 128")
def short_bags(lib: Lib) -> Callable[[], Any]:
    e, i = lib.nn.EmbeddingBag(1000, 16, mode="sum"), lib.T.randint(0, 1000, (64, 128))
    return lambda: e(i)


@row("memory", "EmbeddingBag 1000 x 1024, 64 bags of 128")
def long_bags(lib: Lib) -> Callable[[], Any]:
    e, i = lib.nn.EmbeddingBag(1000, 1024), lib.T.randint(0, 1000, (64, 128))
    return lambda: e(i)


# -- transforms and factorisations ---------------------------------------------------------------------

GROUP = "Fourier transforms, linear algebra"
for _shape in ((16, 1024), (64, 1000), (1, 65536), (8, 30011)):
    expression(GROUP, f"rfft, {' x '.join(map(str, _shape))}", (_shape,), lambda lib, x: lib.T.fft.rfft(x))
for _shape in ((64, 343), (64, 512), (64, 1200)):
    expression(GROUP, f"fft, {_shape[0]} x {_shape[1]} complex", ((*_shape, 2),), lambda lib, x: lib.T.fft.fft(lib.T.view_as_complex(x)))
expression(GROUP, "fft2, 4 x 3 x 224 x 224", ((4, 3, 224, 224),), lambda lib, x: lib.T.fft.fft2(x))
expression(GROUP, "irfft2 of rfft2, forward and backward, 8 x 32 x 64 x 64", ((8, 32, 64, 64),),
           lambda lib, x: lib.T.fft.irfft2(lib.T.fft.rfft2(x)).square().sum().backward(), grad=True)
expression(GROUP, "stft, 8 x 16,000, windows of 400", ((8, 16_000), (400,)), lambda lib, x, w: lib.T.stft(x, 400, 160, window=w, return_complex=True))
for _name in ("inv", "det", "qr", "svd"):
    expression(GROUP, f"{_name}, 1000 x 4 x 4", ((1000, 4, 4),), lambda lib, x, f=_name: getattr(lib.T.linalg, f)(x))
    expression(GROUP, f"{_name}, 256 x 256", ((256, 256),), lambda lib, x, f=_name: getattr(lib.T.linalg, f)(x))
for _name in ("svdvals", "pinv"):
    expression(GROUP, f"{_name}, 1000 x 4 x 4", ((1000, 4, 4),), lambda lib, x, f=_name: getattr(lib.T.linalg, f)(x))
expression(GROUP, "eigh, 1000 x 3 x 3", ((1000, 3, 3),), lambda lib, x: lib.T.linalg.eigh(x + x.mT))
expression(GROUP, "lu_factor, 512 x 512", ((512, 512),), lambda lib, x: lib.T.linalg.lu_factor(x))


def with_triangle(name: str, f: Callable[..., Any], columns: int) -> None:
    """Register a row of f(lib, L, b) with a lower triangular L of 512 x 512 and so many right-hand sides b."""

    def make(lib: Lib) -> Callable[[], Any]:
        x, b = lib.T.rand(512, 512), lib.T.rand(512, columns)
        L = lib.T.linalg.cholesky(x @ x.mT + 512 * lib.T.eye(512))
        return lambda: f(lib, L, b)

    ROWS.append(Bench(name, GROUP, make))


for _columns in (1, 16):
    with_triangle(f"solve_triangular, 512 x 512, {_columns} right-hand sides",
                  lambda lib, L, b: lib.T.linalg.solve_triangular(L, b, upper=False), _columns)
    with_triangle(f"cholesky_solve, 512 x 512, {_columns} right-hand sides", lambda lib, L, b: lib.T.cholesky_solve(b, L), _columns)
with_triangle("cholesky_inverse, 512 x 512", lambda lib, L, b: lib.T.cholesky_inverse(L), 1)


def narrow_product(m: int, k: int, n: int) -> None:
    """Register a row of a product in bfloat16, as of a linear layer."""

    def make(lib: Lib) -> Callable[[], Any]:
        a, w = lib.T.rand(m, k).bfloat16(), lib.T.rand(n, k).bfloat16()
        return lambda: a @ w.mT

    ROWS.append(Bench(f"{m} x {k} times the transpose of {n} x {k}, bfloat16", "matmul", make))


for _rows in (1, 16, 512):
    narrow_product(_rows, 1024, 1024)
