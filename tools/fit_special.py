"""Write kernels/cpu/special_tables.h: polynomials of the special functions and Temme's series, computed with mpmath.

    python tools/fit_special.py > packages/core/src/taeda/kernels/cpu/special_tables.h

Every function is first divided by what makes it vary slowly (its leading behaviour, its zeros), then interpolated at
the nodes of a Chebyshev polynomial with 40 digits, and cut where the coefficients fall below double precision.  The sum is
written as a polynomial in u, the argument mapped to [-1, 1]: Chebyshev coefficients that fall faster than (1 + sqrt 2)^-k give
powers whose coefficients fall too, so little cancels.  Even and odd powers go apart and pairs of
terms first, as chains of multiply-adds that wait for one another are what costs.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import mpmath as mp

mp.mp.dps = 40
NODES = 64
Function = Callable[[mp.mpf], mp.mpf]


def chebyshev(f: Function, low: object, high: object) -> list[mp.mpf]:
    """Return c with f(t) = c0 + c1 T1(u) + c2 T2(u) + ..., u = t mapped from [low, high] to [-1, 1]."""
    low, high = mp.mpf(low), mp.mpf(high)
    angles = [mp.pi * (k + mp.mpf(1) / 2) / NODES for k in range(NODES)]
    values = [f((low + high) / 2 + (high - low) / 2 * mp.cos(a)) for a in angles]
    c = [2 * mp.fsum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True)) / NODES for j in range(NODES)]
    c[0] /= 2
    scale = max(abs(v) for v in c)
    last = max(j for j in range(NODES) if abs(c[j]) > scale * mp.mpf("1e-17"))
    if last > NODES - 12:
        raise ValueError(f"[fit] {last} coefficients are too many; take a narrower interval")
    return c[: last + 1]


def even(f: Function) -> Function:
    """f of x as a function of x^2."""
    return lambda t: f(mp.sqrt(t))


def inverse(f: Function) -> Function:
    """f of x as a function of 1 / x."""
    return lambda t: f(1 / t)


def inverse_square(f: Function) -> Function:
    """f of x as a function of 1 / x^2."""
    return lambda t: f(1 / mp.sqrt(t))


# -- Bessel functions: J0, J1, Y0, Y1 below 3 with their zeros divided out, from 3 on as modulus and phase

J0_ZERO = mp.besseljzero(0, 1)
Y0_ZERO = mp.besselyzero(0, 1)
Y1_ZERO = mp.besselyzero(1, 1)
AIRY_ZERO = mp.airyaizero(1)


def logarithm(order: int, zero: mp.mpf) -> Function:
    """(2 / pi) ln(x / zero) J_order(x), the part of Y_order that is not analytic at 0."""
    return lambda x: 2 / mp.pi * mp.log(x / zero) * mp.besselj(order, x)


def modulus(order: int) -> Function:
    """sqrt(pi x / 2) |J + i Y|, which tends to 1."""
    return lambda x: mp.sqrt(mp.pi * x / 2) * abs(mp.hankel1(order, x))


def phase(order: int) -> Function:
    """x (arg(J + i Y) - (x - (2 order + 1) pi / 4)), which tends to (4 order^2 - 1) / 8."""
    return lambda x: x * mp.arg(mp.hankel1(order, x) * mp.expj(-(x - (2 * order + 1) * mp.pi / 4)))


# -- Airy's function by zeta = (2/3) |x|^(3/2)


def airy_decay(zeta: mp.mpf) -> mp.mpf:
    """Ai(x) x^(1/4) e^zeta, which tends to 1 / (2 sqrt(pi))."""
    x = (mp.mpf(3) / 2 * zeta) ** (mp.mpf(2) / 3)
    return mp.airyai(x) * mp.exp(zeta) * x ** mp.mpf("0.25")


def airy_wave(zeta: mp.mpf) -> mp.mpc:
    """(Ai + i Bi)(-x) sqrt(pi) x^(1/4) e^(i (zeta - pi/4)), which tends to 1."""
    x = (mp.mpf(3) / 2 * zeta) ** (mp.mpf(2) / 3)
    return (mp.airyai(-x) + 1j * mp.airybi(-x)) * x ** mp.mpf("0.25") * mp.sqrt(mp.pi) * mp.expj(zeta - mp.pi / 4)


# -- inverse of erfc by s = sqrt(-ln q)


def erfc_inverse(s: mp.mpf) -> mp.mpf:
    """y with erfc(y) = e^(-s^2), by Newton's method on the logarithm."""
    y = s * mp.mpf("0.9") if s > 2 else s / 2
    for _ in range(200):
        step = (mp.log(mp.erfc(y)) + s * s) * mp.erfc(y) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        y += step
        if abs(step) < mp.mpf("1e-36") * abs(y):
            return y
    raise ValueError(f"[fit] no inverse of erfc at s = {s}")


PSI_ZERO = mp.findroot(mp.digamma, mp.mpf("1.4616321449683623"))

FITS: list[tuple[str, str, Function, object, object]] = [
    ("i0_small", "e^-x I0(x) by x in [0, 8]", lambda x: mp.exp(-x) * mp.besseli(0, x), 0, 8),
    ("i1_small", "e^-x I1(x) / x by x in [0, 8]", lambda x: mp.exp(-x) * mp.besseli(1, x) / x, 0, 8),
    ("i0_large", "sqrt(x) e^-x I0(x) by 1/x in [0, 1/8]", inverse(lambda x: mp.sqrt(x) * mp.exp(-x) * mp.besseli(0, x)), 0, 0.125),
    ("i1_large", "sqrt(x) e^-x I1(x) by 1/x in [0, 1/8]", inverse(lambda x: mp.sqrt(x) * mp.exp(-x) * mp.besseli(1, x)), 0, 0.125),
    ("k0_small", "K0(x) + ln(x/2) I0(x) by x^2 in [0, 4]", even(lambda x: mp.besselk(0, x) + mp.log(x / 2) * mp.besseli(0, x)), 0, 4),
    ("k1_small", "x (K1(x) - ln(x/2) I1(x)) by x^2 in [0, 4]",
     even(lambda x: x * (mp.besselk(1, x) - mp.log(x / 2) * mp.besseli(1, x))), 0, 4),
    ("k0_large", "sqrt(x) e^x K0(x) by 1/x in [0, 1/2]", inverse(lambda x: mp.sqrt(x) * mp.exp(x) * mp.besselk(0, x)), 0, 0.5),
    ("k1_large", "sqrt(x) e^x K1(x) by 1/x in [0, 1/2]", inverse(lambda x: mp.sqrt(x) * mp.exp(x) * mp.besselk(1, x)), 0, 0.5),
    ("j0_small", "J0(x) / (x^2 - zero^2) by x^2 in [0, 9]", even(lambda x: mp.besselj(0, x) / (x * x - J0_ZERO**2)), 0, 9),
    ("j1_small", "J1(x) / x by x^2 in [0, 9]", even(lambda x: mp.besselj(1, x) / x), 0, 9),
    ("y0_small", "(Y0(x) - (2/pi) ln(x/zero) J0(x)) / (x^2 - zero^2) by x^2 in [0, 9]",
     even(lambda x: (mp.bessely(0, x) - logarithm(0, Y0_ZERO)(x)) / (x * x - Y0_ZERO**2)), 0, 9),
    ("y1_small", "x (Y1(x) - (2/pi) ln(x/zero) J1(x)) / (x^2 - zero^2) by x^2 in [0, 9]",
     even(lambda x: x * (mp.bessely(1, x) - logarithm(1, Y1_ZERO)(x)) / (x * x - Y1_ZERO**2)), 0, 9),
    ("modulus0", "sqrt(pi x / 2) |J0 + i Y0| by 1/x^2 in [0, 1/9]", inverse_square(modulus(0)), 0, mp.mpf(1) / 9),
    ("modulus1", "the same of order 1", inverse_square(modulus(1)), 0, mp.mpf(1) / 9),
    ("phase0", "x (arg(J0 + i Y0) - x + pi/4) by 1/x^2 in [0, 1/9]", inverse_square(phase(0)), 0, mp.mpf(1) / 9),
    ("phase1", "x (arg(J1 + i Y1) - x + 3 pi/4) by 1/x^2 in [0, 1/9]", inverse_square(phase(1)), 0, mp.mpf(1) / 9),
    ("airy_middle", "Ai(x) / (x - zero) by x in [-3, 2]", lambda x: mp.airyai(x) / (x - AIRY_ZERO), -3, 2),
    ("airy_decay", "x^(1/4) e^zeta Ai(x) by 1/zeta in [0, 0.54]", inverse(airy_decay), 0, 0.54),
    ("airy_modulus", "sqrt(pi) x^(1/4) |Ai + i Bi|(-x) by 1/zeta^2 in [0, 1/12]",
     inverse_square(lambda z: abs(airy_wave(z))), 0, mp.mpf(1) / 12),
    ("airy_phase", "zeta (arg(Ai + i Bi)(-x) + zeta - pi/4) by 1/zeta^2 in [0, 1/12]",
     inverse_square(lambda z: z * mp.arg(airy_wave(z))), 0, mp.mpf(1) / 12),
    ("digamma", "psi(x) / (x - zero) by x in [1, 2]", lambda x: mp.digamma(x) / (x - PSI_ZERO), 1, 2),
    ("lgamma1p", "ln Gamma(1 + x) / x by x in [-1/2, 1/2]", lambda x: mp.loggamma(1 + x) / x, -0.5, 0.5),
    ("lgamma2", "ln Gamma(2 + x) / (x (1 + x)) by x in [-1/2, 1/2]", lambda x: mp.loggamma(2 + x) / (x * (1 + x)), -0.5, 0.5),
    ("erfinv", "erfinv(x) / x by x^2 in [0, 1/4]", even(lambda x: mp.erfinv(x) / x), 0, 0.25),
    ("erfcinv0", "erfcinv(e^(-s^2)) by s in [0.8, 2]", erfc_inverse, 0.8, 2),
    ("erfcinv1", "the same by s in [2, 6]", erfc_inverse, 2, 6),
    ("erfcinv2", "the same over s by 1/s in [1/28, 1/6]", inverse(lambda s: erfc_inverse(s) / s), mp.mpf(1) / 28, mp.mpf(1) / 6),
]


# -- Temme's uniform expansion of the incomplete gamma functions

TERMS, ORDERS = 16, 9      # of eta and of 1/a
LENGTH = TERMS + 2 * ORDERS + 4


def reciprocal(a: list[Fraction]) -> list[Fraction]:
    """Return the first LENGTH coefficients of the reciprocal of a power series."""
    out = [1 / a[0]]
    for i in range(1, LENGTH):
        out.append(-sum((a[j] * out[i - j] for j in range(1, i + 1)), Fraction(0)) / a[0])
    return out


def temme() -> list[list[Fraction]]:
    """Coefficients d[k][n] of C_k(eta) = sum_n d[k][n] eta^n (Temme 1979; DLMF 8.12.7 to 8.12.12).

    With mu = lambda - 1 and eta^2 / 2 = mu - ln(1 + mu): C_0 = 1/mu - 1/eta, C_k = C_(k-1)' / eta + (-1)^k g_k / mu, where
    g_k are Stirling's coefficients of Gamma; mu mu' = eta (1 + mu) gives the series of mu.
    """
    # mu / eta = m_0 + m_1 eta + ...
    m = [Fraction(1)]
    for n in range(1, LENGTH):
        # coefficient of eta^(n+1) in mu mu' - eta mu = eta, with mu = sum m_i eta^(i+1)
        known = sum((m[i] * m[n - i] * (n - i + 1) for i in range(1, n)), Fraction(0))
        m.append((m[n - 1] - known) / (n + 2))
    r = reciprocal(m)                                   # eta / mu
    stirling = [Fraction(1)]
    bernoulli = [Fraction(0)] * (ORDERS + 3)
    for n in range(2, ORDERS + 3):
        p, q = mp.bernfrac(n)
        bernoulli[n] = Fraction(p, q)
    for k in range(1, ORDERS + 1):                      # exp of sum B_2j / (2j (2j-1)) a^(1-2j), by differentiation
        total = Fraction(0)
        for j in range(1, k + 1):
            if j % 2:
                total += j * bernoulli[j + 1] / ((j + 1) * j) * stirling[k - j]
        stirling.append(total / k)
    c = [r[n + 1] for n in range(LENGTH - 1)]           # 1/mu - 1/eta
    rows = [c]
    for k in range(1, ORDERS):
        g = (-1) ** k * stirling[k]
        derivative = [(n + 1) * c[n + 1] for n in range(len(c) - 1)]
        whole = [d + g * r[n] for n, d in enumerate(derivative)]      # eta C_k; the constant vanishes
        assert whole[0] == 0
        c = whole[1:]
        rows.append(c)
    return [row[:TERMS] for row in rows]


def powers(c: list[mp.mpf]) -> list[mp.mpf]:
    """Return the coefficients of 1, u, u^2, ... of sum c_k T_k(u)."""
    before, now = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    out = [mp.mpf(0)] * len(c)
    for k, factor in enumerate(c):
        if k > 1:
            following = [mp.mpf(0), *(2 * a for a in now)]
            for i, a in enumerate(before):
                following[i] -= a
            before, now = now, following
        for i, a in enumerate(before if k == 0 else now):
            out[i] += factor * a
    return out


def term(a: float) -> str:
    """Return a summand with its sign."""
    return f"{'-' if a < 0 else '+'} {abs(a)!r}"


def chain(name: str, coefficients: list[mp.mpf]) -> list[str]:
    """Horner's rule in w = v^2 over pairs of terms, a line each step."""
    c = [float(a) for a in coefficients]
    pairs = [f"{c[k]!r}" if k + 1 == len(c) else f"v * {c[k + 1]!r} {term(c[k])}" for k in range(0, len(c), 2)]
    first, *rest = reversed(pairs)
    return [f"    double {name} = {first};", *(f"    {name} = {name} * w + ({pair});" for pair in rest)]


def polynomial(name: str, what: str, f: Function, low: object, high: object) -> str:
    """Return the C function fit_NAME(t) for t in [low, high]."""
    c = powers(chebyshev(f, low, high))
    low, high = mp.mpf(low), mp.mpf(high)
    scale, shift = float(2 / (high - low)), float((high + low) / (high - low))
    lines = [
        f"/* {what} */", f"INLINE double fit_{name}(double t) {{",
        f"    const double u = t * {scale!r} - {shift!r}, v = u * u, w = v * v;",
    ]
    return "\n".join([*lines, *chain("p", c[0::2]), *chain("q", c[1::2]), "    return q * u + p;", "}"])


def table(name: str, what: str, values: list[str]) -> str:
    """Return the C array of the values, with a comment that says what they are."""
    lines, line = [], "   "
    for v in values:
        if len(line) + len(v) + 2 > 118:
            lines.append(line)
            line = "   "
        line += f" {v},"
    return "\n".join([f"/* {what} */", f"static const double {name}[{len(values)}] = {{", *lines, line, "};"])


def split(x: mp.mpf) -> tuple[str, str]:
    """x as the double next to it and the rest."""
    high = float(x)
    return repr(high), repr(float(x - mp.mpf(high)))


def main() -> None:
    print("/* Made by tools/fit_special.py: polynomials and other tables of the special functions. */")
    print("#ifndef TAEDA_SPECIAL_TABLES_H\n#define TAEDA_SPECIAL_TABLES_H\n#include \"formulas.h\"\n")
    for name, zero in (("J0_ZERO", J0_ZERO), ("Y0_ZERO", Y0_ZERO), ("Y1_ZERO", Y1_ZERO), ("AIRY_ZERO", AIRY_ZERO), ("PSI_ZERO", PSI_ZERO)):
        high, low = split(zero)
        print(f"#define {name}_HI {high}\n#define {name}_LO {low}")
    for name, zero in (("Y0_ZERO", Y0_ZERO), ("Y1_ZERO", Y1_ZERO)):
        print(f"#define {name}_LOG {float(mp.log(zero))!r}")
    for name, what, f, low, high in FITS:
        print("\n" + polynomial(name, what, f, low, high))
    rows = temme()
    print(f"\n#define TEMME_ORDERS {ORDERS}\n#define TEMME_TERMS {TERMS}")
    print("\n" + table("TEMME", "C_k(eta) of Temme's expansion, row by row", [repr(float(v)) for row in rows for v in row]))
    terms = [mp.bernoulli(2 * j) / mp.factorial(2 * j) for j in range(1, 13)]
    print("\n" + table("EULER_MACLAURIN", "B_2j / (2j)! for j = 1 to 12", [repr(float(v)) for v in terms]))
    print("\n#endif")


if __name__ == "__main__":
    main()
