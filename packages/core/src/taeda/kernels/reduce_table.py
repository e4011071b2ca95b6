"""The table of reductions: names that the template of their kernels (cpu/reduce.pyx.in) uses; the build gives them.

One row a simple reduction.  T: element; L: lane of the vector accumulators; A: accumulator kept between blocks; O: output.
``init``, then how an element v becomes an A (``map``) or an L (``lane``; a whole vector: ``vmap``), how two combine (``comb``,
``vcomb``), how a lane becomes an A (``back``), and the result (``end``).  A block whose total t is not ``safe`` in lanes is done again
in A: squares of float32 neither overflow nor vanish.  Of a ``long`` row the compiler makes vectors of ``map`` itself, some elements at
a time.  What may take an element in ``twice`` reads the last ones of a line again, to fill a vector.
"""

from __future__ import annotations

from typing import Any

FLOATS = [("f32", "float"), ("f64", "double")]
TYPES = [*FLOATS, ("i64", "int64_t"), ("i32", "int32_t"), ("u8", "uint8_t")]      # bool is u8
SHORT = [("i8", "int8_t"), ("i16", "int16_t")]      # sums and extremes; elsewhere copies in int32 do
LOW = {"f32": "-INFINITY", "f64": "-INFINITY", "i64": "INT64_MIN", "i32": "INT32_MIN", "u8": "0", "i8": "INT8_MIN", "i16": "INT16_MIN"}
HIGH = {"f32": "INFINITY", "f64": "INFINITY", "i64": "INT64_MAX", "i32": "INT32_MAX", "u8": "255", "i8": "INT8_MAX", "i16": "INT16_MAX"}
SIZE = {"float": 4, "double": 8, "int64_t": 8, "uint64_t": 8, "int32_t": 4, "uint32_t": 4, "int16_t": 2, "uint16_t": 2,
        "uint8_t": 1, "int8_t": 1}
INT = {1: "int8_t", 2: "int16_t", 4: "int32_t", 8: "int64_t"}
SUM = {"u8": "uint16_t", "i8": "int16_t", "i16": "int32_t"}      # lanes that hold 64 elements
HALVES = ("sum", "mean")                           # read as they are


def row(
    name: str, s: str, T: str, L: str, A: str, O: str, init: str, comb: str, end: str = "a", *, vcomb: str | None = None,
    map: str = "v", lane: str | None = None, vmap: str = "VCONV(v)", back: str = "l", safe: str | None = None, pick: str | None = None,
    choose: str | None = None, long: bool = False,
) -> dict[str, Any]:
    """Return a row with its types of vectors; VL and VI in braces and VCONV(v) stand for these in its expressions."""
    W = 32 // max(SIZE[T], SIZE[L])
    VT, VL, VI = f"V_{T}{W}", f"V_{L}{W}", f"V_{INT[SIZE[L]]}{W}"

    def typed(expression: str) -> str:
        expression = expression.replace("VCONV(v)", "v" if T == L else "__builtin_convertvector(v, {VL})")
        return expression.replace("{VL}", VL).replace("{VI}", VI)

    return {
        "k": f"{name}_{s}", "s": s, "T": T, "L": L, "A": A, "O": O, "W": W, "init": init, "comb": comb, "end": end, "map": map,
        "lane": lane or map, "vmap": typed(vmap), "vcomb": typed(vcomb or comb), "back": back, "safe": safe, "pick": pick, "choose": choose,
        "long": long, "twice": name in ("amax", "amin", "any", "all"), "VT": VT, "VL": VL, "VI": VI,
    }  # fmt: skip


def extreme(name: str, s: str, T: str, init: str, op: str) -> dict[str, Any]:
    """Return the row of the largest (op >) or the smallest (<); one nan is the result."""
    pick, floats = f"(b {op} a ? b : a)", s in dict(FLOATS)
    return row(name, s, T, T, T, T, init, f"b != b ? b : {pick}" if floats else pick, vcomb=f"SELECT({{VI}}, {{VL}}, (b {op} a), b, a)",
               pick=op if floats else None, choose=op if SIZE[T] < 8 and not floats else None)


def of_any_number(s: str, T: str) -> list[dict[str, Any]]:
    """Return the rows of a dtype, besides those that floats alone have."""
    floats = s in dict(FLOATS)
    U, M = "double" if floats else "uint64_t", INT[SIZE[T]]
    rows = [
        row("sum", s, T, T if floats else SUM.get(s, U), U, T if floats else "int64_t", "0", "a + b"),
        extreme("amax", s, T, LOW[s], ">"),
        extreme("amin", s, T, HIGH[s], "<"),
    ]
    if (s, T) in SHORT:
        return rows
    H = "int8_t" if s == "u8" else "int32_t"
    return [
        *rows,
        row("prod", s, T, T if floats else U, U, T if floats else "int64_t", "1", "a * b"),
        row("any", s, T, M, H, "uint8_t", "0", "a | b", "a != 0", map="-(v != 0)", vmap="v != 0"),
        row("all", s, T, M, H, "uint8_t", "-1", "a & b", "a != 0", map="-(v != 0)", vmap="v != 0"),
        row("count_nonzero", s, T, M, "int64_t", "int64_t", "0", "a + b", map="v != 0", lane="-(v != 0)", vmap="v != 0",
            back="-(int64_t)l"),
    ]


def of_floats(s: str, T: str) -> list[dict[str, Any]]:
    """Return the rows that floats alone have: means and norms."""
    M, U = INT[SIZE[T]], "double"
    a = "fabsf(v)" if s == "f32" else "fabs(v)"
    wide = "({VL})(({VI})VCONV(v) & INT64_MAX)"             # |v| as float64
    rows = [
        row("mean", s, T, T, U, T, "0", "a + b", "a / (double)count"),
        row("nansum", s, T, T, U, T, "0", "a + b", map="v != v ? 0 : v", vmap="({VL})(({VI})v & (v == v))"),
        row("norm_zero", s, T, M, U, T, "0", "a + b", map="v != 0", lane="-(v != 0)", vmap="v != 0", back="-(double)l"),
        row("norm_one", s, T, U, U, T, "0", "a + b", map=a, vmap=wide),
        row("norm_two", s, T, T, U, T, "0", "a + b", "sqrt(a)", map="(double)v * v", lane="v * v", vmap="v * v",
            safe="t > 1e-20 && t < 1e37" if s == "f32" else None),
        row("norm_three", s, T, U, U, T, "0", "a + b", "cbrt(a)", map="fabs((double)v * v * v)",
            vmap=f"({{ const {{VL}} w = {wide}; w * w * w; }})"),
        row("norm_four", s, T, U, U, T, "0", "a + b", "sqrt(sqrt(a))", map="((double)v * v) * ((double)v * v)",
            vmap="({ const {VL} w = VCONV(v); (w * w) * (w * w); })"),
    ]
    for name, init, op in (("norm_max", "0", ">"), ("norm_min", "INFINITY", "<")):
        rows.append(row(name, s, T, T, T, T, init, f"b != b ? b : (b {op} a ? b : a)", map=a,
                        vmap=f"({{VL}})(({{VI}})VCONV(v) & INT{8 * SIZE[T]}_MAX)", pick=op))
    rows.append(row("norm_p", s, T, U, U, T, "0", "a + b", "pow(a, 1.0 / p[0].f)", long=True, vmap="",
                    map=f"({{ const double u = {a}, r = t_pow_size_f64(u, p[0].f); u == u ? r : u; }})"))
    return rows


def of_halves(s: str) -> list[dict[str, Any]]:
    """Return the rows of a half that is read as it lies, in lanes of float32."""
    return [
        row(name, s, "uint16_t", "float", "double", "uint16_t", "0", "a + b", f"f32_to_{s}({end})", map=f"{s}_to_f32(v)",
            vmap=f"wide_{s}(v)")
        for name, end in zip(HALVES, ("(float)a", "(float)(a / (double)count)"), strict=True)
    ]


def exits(end: str) -> list[tuple[str, str]]:
    """How results are made and when: a quotient by a power of two is the product by its inverse, which takes a tenth."""
    if "/ (double)count" not in end:
        return [(end, "")]
    return [(end.replace("/ (double)count", "* (1 / (double)count)"), "if (!(count & (count - 1)))"), (end, "")]


SIMPLE = [
    *(r for s, T in TYPES + SHORT for r in of_any_number(s, T) + (of_floats(s, T) if (s, T) in FLOATS else [])),
    *(r for s in ("f16", "bf16") for r in of_halves(s)),
]
CHOSEN = {r["k"]: r for r in SIMPLE if r["choose"]}
OUTPUTS = {"var_mean": 2, "aminmax": 2, "max_dim": 2, "min_dim": 2}
# kernel -> how many outputs it has
NAMES = [
    *((r["k"], 1) for r in SIMPLE),
    *((f"{name}_{s}", 1) for s in ("c64", "c128") for name in ("sum", "mean", "prod")),
    *((f"{name}_{s}", OUTPUTS.get(name, 1)) for name in ("var", "var_mean", "logsumexp") for s, _ in FLOATS),
    *((f"aminmax_{s}", 2) for s, _ in TYPES + SHORT),
    *((f"{name}_{s}", OUTPUTS.get(name, 1)) for name in ("max_dim", "min_dim", "argmax", "argmin") for s, _ in TYPES),
]
