"""Special functions against values of 17 digits (computed with mpmath), at their poles and ends, and what surrounds them.

Every argument is a float32 number, so one table serves both dtypes: 1e-12 relative in float64, 1e-6 in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

inf, nan = math.inf, math.nan
DTYPES = [(taeda.float32, 1e-6), (taeda.float64, 1e-12)]

# fmt: off
ONE = {
    "lgamma": {
        9.094947017729282e-13: 27.725887222397287, 0.5: 0.57236494292470009, 1.0009765625: -0.00056290317999120463,
        2.125: 0.057759851530343872, 50.0: 144.56574394634489, 1000000.0: 12815504.569147612, -0.5: 1.2655121234846454,
        -2.453125: 0.0059844275577701969,
    },
    "digamma": {
        9.094947017729282e-13: -1099511627776.5772, 0.25: -4.2274535333762654, 1.4609375: -0.0006724023902428804,
        1.5: 0.036489973978576521, 9.75: 2.225109535044576, 1000000.0: 13.815510057964191, -0.5: 0.036489973978576521,
        -3.25: 4.46627587235028, -100.125: 12.195880442483346,
    },
    "erfinv": {
        9.094947017729282e-13: 8.0601869326779526e-13, 0.25: 0.2253120550121781, 0.5: 0.47693627620446987, -0.75: -0.81341984759761854,
        0.9375: 1.3171503349861307, 0.9999990463256836: 3.4655050258033307,
    },
    "erfcx": {
        -5.0: 144009798674.66104, -0.5: 1.9523604891825571, 9.5367431640625e-07: 0.99999892389467867, 1.5: 0.3215854164543175,
        10.0: 0.056140992743822586, 24.5: 0.023009011874778182, 30.0: 0.018795888861416751, 1048576.0: 5.3805311541318867e-7,
    },
    "ndtr": {
        -30.0: 4.9067139271481871e-198, -12.5: 3.7325642988777134e-36, -5.25: 7.6049605164887143e-8, -1.0: 0.15865525393145705,
        0.5: 0.6914624612740131, 3.0: 0.99865010196836991,
    },
    "log_ndtr": {
        -100.0: -5005.5242086942051, -12.5: -81.575967870743883, -1.0: -1.8410216450092635, -0.75: -1.4844482299196563,
        0.5: -0.36894641528865639, 5.0: -2.8665161296376359e-7,
    },
    "ndtri": {
        7.888609052210118e-31: -11.484540434973038, 0.0009765625: -3.0972690781987845, 0.125: -1.1503493803760082,
        0.4375: -0.1573106846101707, 0.53125: 0.078412412733112199, 0.8125: 0.88714655901887606, 0.9999990463256836: 4.763001034267814,
    },
    "entr": {
        9.313225746154785e-10: 1.9366308503596447e-8, 0.25: 0.34657359027997265, 1.0078125: -0.0078429384142585032,
        30.0: -102.03592144986466,
    },
    "logit": {
        9.313225746154785e-10: -20.794415415867037, 0.2421875: -1.1407237740182366, 0.5000009536743164: 3.8146972656296259e-6,
        0.7421875: 1.0573693301340606, 0.875: 1.9459101490553133,
    },
    "sinc": {
        9.5367431640625e-07: 0.99999999999850394, 0.25: 0.90031631615710607, 0.75: 0.30010543871903536, 1.5: -0.21220659078919378,
        3.0009765625: -0.00032541439351427483, -1000.5: 0.00031815081077840147,
    },
    "i0": {
        0.125: 1.0039100663533545, -1.0: 1.2660658777520083, 5.0: 27.239871823604447, 8.0: 427.56411572180479, 8.5: 683.16192699011561,
        80.0: 2.4751784043341705e+33,
    },
    "i0e": {
        0.125: 0.88594752403033098, -1.0: 0.46575960759364044, 8.0: 0.14343178185685031, 100.0: 0.039944379299096683,
        1000000.0: 0.00039894233026924578,
    },
    "i1": {
        9.313225746154785e-10: 4.6566128730773926e-10, -1.0: -0.56515910399248503, 5.0: 24.335642142450527, 8.0: 399.8731367825601,
        8.5: 641.61990254006676, 80.0: 2.4596595795675409e+33,
    },
    "i1e": {
        9.313225746154785e-10: 4.6566128687405839e-10, -1.0: -0.20791041534970845, 8.0: 0.13414249329269818, 100.0: 0.039744153025130253,
        1000000.0: 0.00039894213079803078,
    },
    "bessel_j0": {
        0.125: 0.9960975630419852, 2.40625: -0.00073927648221700193, -2.75: -0.16414142780851366, 3.0: -0.26005195490193344,
        8.65625: -0.00068452586908633652, 100.0: 0.019985850304223122, 12345.5: -0.0012413659758697552,
        1073741824.0: 2.9163461595510616e-6,
    },
    "bessel_j1": {
        9.313225746154785e-10: 4.6566128730773926e-10, 1.0: 0.44005058574493352, -2.75: -0.42597230295790234, 3.0: 0.33905895852593646,
        3.828125: 0.0014429408890753682, 100.0: -0.077145352014112158, 12345.5: -0.007072953487339537,
        1073741824.0: -2.4174227815268658e-5,
    },
    "bessel_y0": {
        9.313225746154785e-10: -13.311940304267783, 0.890625: -0.0026003142722933488, 0.25: -0.93157302493005869,
        2.75: 0.44865872156913186, 3.0: 0.37685001001279038, 3.953125: 0.0018339944760871722, 100.0: -0.077244313365083152,
        12345.5: -0.0070729032054877611, 1073741824.0: -2.4174227816626687e-5,
    },
    "bessel_y1": {
        9.313225746154785e-10: -683565275.5764316, 0.25: -2.7041052293152824, 2.1875: -0.0050320587288746005, 2.75: 0.24601900149738395,
        3.0: 0.32467442479179998, 5.4375: -0.002658992651161238, 100.0: -0.020372312002759793, 12345.5: 0.0012410795201548849,
        1073741824.0: -2.9163461708080637e-6,
    },
    "modified_bessel_k0": {
        9.313225746154785e-10: 20.910346932456772, 0.5: 0.92441907122766586, 1.875: 0.13290483903459229, 2.125: 0.097764257654025403,
        20.0: 5.7412378153365243e-10, 80.0: 2.5251198425054718e-36,
    },
    "modified_bessel_k1": {
        9.313225746154785e-10: 1073741824.0, 0.5: 1.6564411200033009, 1.875: 0.16508225585016485, 2.125: 0.11883536174242291,
        20.0: 5.8830579695570382e-10, 80.0: 2.54085312752117e-36,
    },
    "scaled_modified_bessel_k0": {
        0.5: 1.5241093857739095, 2.125: 0.818570107340016, 100.0: 0.12517562165912658, 1000000.0: 0.0012533139806513212,
    },
    "scaled_modified_bessel_k1": {
        0.5: 2.7310097082117857, 2.125: 0.9949963018338276, 100.0: 0.12579995047957853, 1000000.0: 0.0012533146073081549,
    },
    "airy_ai": {
        -1000.25: -0.086066526553207331, -30.0: -0.087968188456842163, -4.0859375: -0.0016158107514586039, -3.0: -0.37881429367765807,
        -2.34375: -0.0039565957042589349, 0.0: 0.35502805388781724, 1.5: 0.07174949700810541, 2.25: 0.023654658557747446,
        20.0: 1.6916728686705403e-27,
    },
    "spherical_bessel_j0": {
        9.5367431640625e-07: 0.99999999999984842, 0.25: 0.98961583701809172, 3.140625: 0.00030810855762221834,
        -100.0: -0.0050636564110975879,
    },
}

TWO = {
    "polygamma": {
        (1, 0.25): 17.197329154507111, (1, 9.5): 0.11099728846909903, (1, -0.75): 18.975106932284889, (1, -0.0009765625): 1048577.6472849347, (1, -9.5): 9.7696874450302319,
        (1, -2.0009765625): 1048578.895090705, (2, 1.5): -0.82879664423432,
        (2, -2.25): 123.89694977406017, (5, -0.25): 492198.75334287458, (10, 0.5): -7431824508.858769, (3, 1000.0): 2.003001999999e-9,
    },
    "mvlgamma": {
        (1, 0.25): 1.2880225246980775, (2, 1.25): 0.6773740579341823, (5, 3.0): 6.5806972426446201, (5, 50.0): 709.11904150550104,
    },
    "igamma": {
        (0.125, 9.313225746154785e-10): 0.078923303246036209, (0.5, 0.5): 0.6826894921370859, (5.0, 1.5): 0.018575936222140674,
        (5.0, 9.0): 0.9450363585048951, (19.5, 25.0): 0.88848373163706888, (20.0, 16.0): 0.18775147166316217,
        (25.0, 20.0): 0.15677262182623773, (100.0, 104.0): 0.6656815159034444, (150.0, 90.0): 4.7953023275883495e-9,
        (4096.0, 4000.0): 0.065948528222021541, (1048576.0, 1048576.0): 0.50012986402425622,
        (1073741824.0, 1073774592.0): 0.84134474610610093,
    },
    "igammac": {
        (9.5367431640625e-07, 1.25): 1.3963083171031154e-7, (0.125, 9.313225746154785e-10): 0.92107669675396379,
        (0.5, 0.5): 0.3173105078629141, (0.25, 1.0625): 0.061911185954510402, (5.0, 1.5): 0.98142406377785933,
        (5.0, 30.0): 3.624300952061488e-9, (19.5, 25.0): 0.11151626836293112, (25.0, 31.0): 0.1187950143455251,
        (100.0, 104.0): 0.3343184840965556, (150.0, 200.0): 9.6786219949335771e-5, (4096.0, 4200.0): 0.052977536481072871,
        (1048576.0, 1048576.0): 0.49987013597574378,
    },
    "zeta": {
        (1.0009765625, 0.5): 1025.9648322260852, (1.5, 2.0): 1.6123753486854883, (2.0, 1.0): 1.6449340668482264,
        (2.0, 1000.0): 0.0010005001666666333, (3.5, 0.125): 1448.9224454756914, (20.0, 3.0): 2.8771746654611315e-10,
        (30.0, 12.5): 1.3776953629193722e-33, (3.0, -0.25): -61.34868339183118, (4.0, -7.5): 32.469050987940765,
    },
    "xlog1py": {
        (2.0, 9.094947017729282e-13): 1.8189894035450293e-12, (-1.5, -0.875): 3.1191623125197539, (3.0, 7.0): 6.2383246250395078,
    },
    "chebyshev_polynomial_t": {
        (0.25, 7.0): -0.98046875, (-0.75, 40.0): -0.80505032362952988, (0.9375, 100.0): -0.55319556304422488, (1.25, 33.0): 4294967296.0,
        (-1.0625, 50.0): 21719527.998535849,
    },
    "chebyshev_polynomial_u": {
        (0.25, 7.0): -0.9296875, (-0.75, 40.0): -1.4776832937886866, (0.9375, 100.0): -2.7975023425121844,
        (1.25, 33.0): 11453246122.666667, (-1.0625, 50.0): 85994564.880173372,
    },
    "chebyshev_polynomial_v": {
        (0.25, 7.0): -1.1328125, (-0.75, 40.0): -2.3745272540008955, (0.9375, 100.0): -0.40357511107969424,
        (1.25, 33.0): 5726623061.3333333, (-1.0625, 50.0): 146488717.23936163,
    },
    "chebyshev_polynomial_w": {
        (0.25, 7.0): -0.7265625, (-0.75, 40.0): -0.58083933357647766, (0.9375, 100.0): -5.1914295739446746, (1.25, 33.0): 17179869184.0,
        (-1.0625, 50.0): 25500412.520985115,
    },
    "shifted_chebyshev_polynomial_t": {
        (0.375, 40.0): -0.77604104163719967, (1.125, 33.0): 4294967296.0,
    },
    "hermite_polynomial_h": {
        (0.25, 6.0): -76.859375, (-1.5, 21.0): 4296955615317.0, (3.0, 12.0): 5517504.0,
    },
    "hermite_polynomial_he": {
        (0.25, 6.0): -12.245849609375, (-1.5, 21.0): -3138848489.3972983, (3.0, 12.0): -67608.0,
    },
    "laguerre_polynomial_l": {
        (0.25, 6.0): -0.080940416124131944, (7.5, 30.0): -4.0268745448924364, (-1.5, 12.0): 389.17473666240643,
    },
    "legendre_polynomial_p": {
        (0.25, 7.0): -0.27991867065429688, (-0.75, 40.0): -0.15083847325553882, (0.9375, 100.0): -0.12560858790273726,
        (1.25, 20.0): 152460.14934601081,
    },
}

# at the ends of the line: PyTorch's values (its trigamma has 6.6e32 at the pole -1, not inf)
ENDS = {
    "lgamma": {0.0: inf, 1.0: 0.0, 2.0: 0.0, -1.0: inf, inf: inf, -inf: inf, nan: nan},
    "digamma": {0.0: -inf, -1.0: nan, inf: inf, -inf: nan, nan: nan},
    "erfinv": {0.0: 0.0, 1.0: inf, -1.0: -inf, 1.5: nan, inf: nan, nan: nan},
    "erfcx": {0.0: 1.0, inf: 0.0, -inf: inf, -30.0: inf, nan: nan},
    "ndtr": {0.0: 0.5, inf: 1.0, -inf: 0.0, -1e30: 0.0, nan: nan},
    "log_ndtr": {inf: -0.0, -inf: -inf, 1e30: -0.0, nan: nan},
    "ndtri": {0.0: -inf, 0.5: 0.0, 1.0: inf, -0.5: nan, 2.0: nan, inf: nan, nan: nan},
    "entr": {0.0: 0.0, 1.0: -0.0, -1.0: -inf, inf: -inf, -inf: -inf, nan: nan},
    "logit": {0.0: -inf, 0.5: 0.0, 1.0: inf, -1.0: nan, 2.0: nan, inf: nan, nan: nan},
    "sinc": {0.0: 1.0, 1.0: 0.0, 1e20: 0.0, inf: nan, nan: nan},
    "i0": {0.0: 1.0, 800.0: inf, inf: nan, -inf: nan, nan: nan},
    "i0e": {0.0: 1.0, inf: 0.0, -inf: 0.0, nan: nan},
    "i1": {0.0: 0.0, 800.0: inf, -800.0: -inf, inf: nan, nan: nan},
    "i1e": {0.0: 0.0, inf: 0.0, -inf: -0.0, nan: nan},
    "bessel_j0": {0.0: 1.0, inf: nan, -inf: nan, nan: nan},
    "bessel_j1": {0.0: 0.0, inf: nan, -inf: nan, nan: nan},
    "bessel_y0": {0.0: -inf, -1.0: nan, inf: nan, nan: nan},
    "bessel_y1": {0.0: -inf, -1.0: nan, inf: nan, nan: nan},
    "modified_bessel_k0": {0.0: inf, -1.0: nan, 1e4: 0.0, inf: 0.0, nan: nan},
    "modified_bessel_k1": {0.0: inf, -1.0: nan, 1e4: 0.0, inf: 0.0, nan: nan},
    "scaled_modified_bessel_k0": {0.0: inf, -1.0: nan, inf: 0.0, nan: nan},
    "scaled_modified_bessel_k1": {0.0: inf, -1.0: nan, inf: 0.0, nan: nan},
    "airy_ai": {1e4: 0.0, inf: nan, -inf: nan, nan: nan},
    "spherical_bessel_j0": {0.0: 1.0, inf: 0.0, -inf: 0.0, nan: nan},
}
ENDS_OF_TWO = {
    "polygamma": {(1, 0.0): inf, (1, -1.0): inf, (1, inf): 0.0, (2, 0.0): -inf, (2, -3.0): -inf, (3, -3.0): inf, (2, inf): nan, (1, -inf): nan,
                  (200, 0.5): -inf, (2**40, 0.5): -inf},
    "mvlgamma": {(2, 0.5): inf, (3, inf): inf, (2, nan): nan},
    "igamma": {(0.0, 0.0): nan, (0.0, 1.0): 1.0, (1.0, 0.0): 0.0, (-1.0, 1.0): nan, (1.0, -1.0): nan, (inf, 1.0): 0.0, (1.0, inf): 1.0,
               (inf, inf): nan, (nan, 0.0): 0.0, (nan, 1.0): nan, (1.0, nan): nan, (inf, nan): 0.0, (nan, inf): 1.0, (2.0, 1e30): 1.0,
               (1e30, 2.0): 0.0, (1e30, 1e30): 0.5},
    "igammac": {(0.0, 0.0): nan, (0.0, 1.0): 0.0, (1.0, 0.0): 1.0, (-1.0, 1.0): nan, (1.0, -1.0): nan, (inf, 1.0): 1.0, (1.0, inf): 0.0,
                (inf, inf): nan, (nan, 0.0): 1.0, (nan, 1.0): nan, (1.0, nan): nan, (2.0, 1e30): 0.0, (1e30, 2.0): 1.0, (1e30, 1e30): 0.5},
    "zeta": {(1.0, 2.0): inf, (2.0, -inf): inf, (0.5, 2.0): nan, (2.0, 0.0): inf, (2.0, -3.0): inf, (2.0, -(2.0**-40)): 2.0**80, (1.5, -0.5): nan, (inf, 0.5): inf, (inf, 1.0): 1.0,
             (nan, 1.0): nan, (2.0, nan): nan},
    "xlog1py": {(0.0, -1.0): 0.0, (0.0, inf): 0.0, (0.0, nan): nan, (1.0, -1.0): -inf, (1.0, -2.0): nan, (inf, 0.0): nan},
    "chebyshev_polynomial_t": {(0.5, -1.0): 0.0, (0.5, nan): 0.0, (0.5, inf): 0.0, (1.0, 1e15): 1.0, (-1.0, 7.0): -1.0, (nan, 1e15): nan, (nan, 0.0): 1.0,
                               (inf, 1e15): nan, (2.0, 1e6): inf},
    "chebyshev_polynomial_u": {(1.0, 64.0): 65.0, (-1.0, 64.0): 65.0, (-1.0, 33.0): -34.0, (0.5, -1.0): 0.0},
    "chebyshev_polynomial_v": {(1.0, 64.0): 1.0, (-1.0, 64.0): 129.0, (-1.0, 33.0): -67.0, (0.5, -1.0): 0.0},
    "chebyshev_polynomial_w": {(1.0, 64.0): 129.0, (-1.0, 64.0): 1.0, (-1.0, 33.0): -1.0, (0.5, -1.0): 0.0},
    "hermite_polynomial_h": {(0.5, 0.0): 1.0, (0.5, -1.0): 0.0, (0.0, 513.0): nan},
    "hermite_polynomial_he": {(0.5, 0.0): 1.0, (0.5, -1.0): 0.0, (0.0, 513.0): nan},
    "laguerre_polynomial_l": {(0.0, 1e15): 1.0, (0.5, 0.0): 1.0, (0.5, -1.0): 0.0, (0.5, 1e15): nan},
    "legendre_polynomial_p": {(1.0, 1e15): 1.0, (-1.0, 3.0): -1.0, (0.5, 0.0): 1.0, (0.5, -1.0): 0.0, (0.5, 1e15): nan},
}
# fmt: on


def function(name: str) -> Callable[..., Any]:
    return getattr(taeda.special, name, None) or getattr(taeda, name)


def of_two(name: str, table: dict[tuple[float, float], float], dtype: Any) -> np.ndarray:
    """The function at each pair; polygamma and mvlgamma take the first as a number."""
    if name in ("polygamma", "mvlgamma"):
        ordered = [(n, taeda.tensor([x], dtype=dtype)) for n, x in table]
        calls = [taeda.polygamma(n, x) if name == "polygamma" else taeda.mvlgamma(x, n) for n, x in ordered]
        return np.concatenate([y.numpy() for y in calls])
    first, second = (taeda.tensor([pair[i] for pair in table], dtype=dtype) for i in (0, 1))
    return np.asarray(function(name)(first, second).numpy())


def clipped(values: Any, dtype: Any) -> np.ndarray:
    """The values in the dtype's range: beyond float32's they become infinite or subnormal."""
    with np.errstate(all="ignore"):
        return np.asarray(list(values)).astype("float32" if dtype == taeda.float32 else "float64")


@pytest.mark.parametrize(("dtype", "rtol"), DTYPES)
@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_argument_have_their_digits(name: str, dtype: Any, rtol: float) -> None:
    found = function(name)(taeda.tensor(list(ONE[name]), dtype=dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(found.numpy(), clipped(ONE[name].values(), dtype), rtol=rtol, atol=1e-40)


@pytest.mark.parametrize(("dtype", "rtol"), DTYPES)
@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_arguments_have_their_digits(name: str, dtype: Any, rtol: float) -> None:
    np.testing.assert_allclose(of_two(name, TWO[name], dtype), clipped(TWO[name].values(), dtype), rtol=rtol, atol=1e-40)


@pytest.mark.parametrize("dtype", [d for d, _ in DTYPES])
@pytest.mark.parametrize("name", ENDS)
def test_poles_and_infinities_of_one_argument(name: str, dtype: Any) -> None:
    found, wanted = function(name)(taeda.tensor(list(ENDS[name]), dtype=dtype)).numpy(), np.array(list(ENDS[name].values()))
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(np.signbit(found)[wanted == 0], np.signbit(wanted)[wanted == 0], err_msg="sign of zero")


@pytest.mark.parametrize("dtype", [d for d, _ in DTYPES])
@pytest.mark.parametrize("name", ENDS_OF_TWO)
def test_poles_and_infinities_of_two_arguments(name: str, dtype: Any) -> None:
    np.testing.assert_allclose(of_two(name, ENDS_OF_TWO[name], dtype), list(ENDS_OF_TWO[name].values()), rtol=1e-15)


def test_zero_has_a_sign() -> None:
    minus = taeda.tensor([-0.0], dtype=taeda.float64)
    assert taeda.digamma(minus).item() == taeda.lgamma(minus).item() == inf
    assert taeda.sinc(minus).item() == 1
    for name in ("erfinv", "bessel_j1"):
        assert math.copysign(1, function(name)(minus).item()) == -1


def test_the_smallest_numbers_keep_their_digits() -> None:
    tiny = taeda.tensor([5e-324, 1e-310], dtype=taeda.float64)
    np.testing.assert_allclose(taeda.special.ndtri(tiny).numpy(), [-38.467405617144344, -37.66306033194952], rtol=1e-12)
    np.testing.assert_allclose(taeda.special.bessel_y0(tiny).numpy(), 2 / math.pi * (np.log(tiny.numpy()) - math.log(2) + np.euler_gamma), rtol=1e-12)
    np.testing.assert_array_equal(taeda.erfinv(tiny[1:]).numpy(), [8.8622692545276e-311])


@pytest.mark.parametrize("zero", ["j0", "j1", "y0", "y1"])
def test_bessel_functions_keep_their_sign_and_size_next_to_a_zero(zero: str) -> None:
    """f(z + h) = f'(z) h (1 + O(h)): the quotient is the slope, which the other order gives."""
    first = {"j0": 5.520078110286311, "j1": 7.015586669815619, "y0": 7.086051060301773, "y1": 8.596005868331169}[zero]
    rest = {"j0": -3.6e-16, "j1": -3.2e-16, "y0": -6.5e-17, "y1": -2.5e-16}[zero]
    h = 1e-9
    x = taeda.tensor([first], dtype=taeda.float64) + taeda.tensor([-h, h], dtype=taeda.float64)
    value = getattr(taeda.special, f"bessel_{zero}")(x).numpy()
    base = taeda.tensor([first], dtype=taeda.float64)
    other = {"j0": ("bessel_j1", -1), "j1": ("bessel_j0", 1), "y0": ("bessel_y1", -1), "y1": ("bessel_y0", 1)}[zero]
    slope = other[1] * getattr(taeda.special, other[0])(base).item()
    np.testing.assert_allclose(value / (x.numpy() - first - rest), slope, rtol=2e-6)


def derivatives(f: Callable[..., Any], *points: float) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of f at the points."""
    x = taeda.tensor(points, dtype=taeda.float64, requires_grad=True)
    (first,) = taeda.autograd.grad(f(x).sum(), x, create_graph=True)
    (second,) = taeda.autograd.grad(first.sum(), x)
    return first.detach().numpy(), second.numpy()


def test_sinc_is_smooth_through_zero() -> None:
    first, second = derivatives(taeda.sinc, 0.0, 1e-9, 1e-4)
    np.testing.assert_allclose(first, [0, -math.pi**2 / 3 * 1e-9, -math.pi**2 / 3 * 1e-4], rtol=1e-7)
    np.testing.assert_allclose(second, -math.pi**2 / 3, rtol=1e-7)


def test_incomplete_gamma_functions_and_zeta_have_a_derivative_in_the_second_argument_alone() -> None:
    a = taeda.tensor([0.5, 2.0, 30.0], dtype=taeda.float64)
    x = taeda.tensor([0.75, 1.5, 28.0], dtype=taeda.float64, requires_grad=True)
    for f in (taeda.igamma, taeda.igammac, lambda s, q: taeda.special.zeta(s + 1, q / 8)):
        assert taeda.autograd.gradcheck(lambda q, f=f: f(a, q), (x,))
        assert taeda.autograd.gradgradcheck(lambda q, f=f: f(a, q), (x,))
    for f, text in ((taeda.igamma, "igamma: input"), (taeda.igammac, "igammac: input"), (taeda.special.zeta, "zeta: self")):
        leaf = (a + 1).requires_grad_()
        y = f(leaf, x.detach())
        with pytest.raises(NotImplementedError, match=f"the derivative for '{text}' is not implemented"):
            y.sum().backward()


def test_derivative_of_logit_is_nan_outside_its_domain_and_0_where_it_is_clamped() -> None:
    x = taeda.tensor([-0.5, 0.25, 1.5], dtype=taeda.float64, requires_grad=True)
    np.testing.assert_allclose(taeda.autograd.grad(taeda.logit(x).sum(), x)[0].numpy(), [nan, 16 / 3, nan])
    np.testing.assert_allclose(taeda.autograd.grad(taeda.logit(x, 0.125).sum(), x)[0].numpy(), [0, 16 / 3, 0])


def test_derivatives_at_zero_are_the_limits() -> None:
    i1, i1e, entr = taeda.special.i1, taeda.special.i1e, taeda.special.entr
    assert derivatives(i1, 0.0) == (0.5, 0.0)
    assert derivatives(i1e, 0.0)[0] == 0.5
    assert derivatives(entr, 0.0)[0] == inf


def test_what_pytorch_does_not_differentiate_is_a_constant() -> None:
    x = taeda.tensor([0.5], requires_grad=True)
    names = ["airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0", "modified_bessel_k1", "spherical_bessel_j0"]
    assert not any(function(name)(x).requires_grad for name in names)
    assert not taeda.special.legendre_polynomial_p(x, 3).requires_grad


def test_integers_become_the_default_dtype() -> None:
    x = taeda.tensor([1, 2])
    assert taeda.digamma(x).dtype == taeda.special.zeta(x + 1, x).dtype == taeda.float32
    taeda.set_default_dtype(taeda.float64)
    assert taeda.digamma(x).dtype == taeda.special.i1e(x).dtype == taeda.float64


@pytest.mark.parametrize("name", ["digamma_", "erfinv_", "i0_", "lgamma_", "logit_", "sinc_", "polygamma_", "mvlgamma_"])
def test_in_place_forms_refuse_integers(name: str) -> None:
    x = taeda.tensor([1, 2])
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        getattr(x, name)(*((1,) if name in ("polygamma_", "mvlgamma_") else ()))
    assert x.tolist() == [1, 2]


def test_in_place_forms_write_and_record() -> None:
    x = taeda.tensor([2.5, 3.5], dtype=taeda.float64, requires_grad=True)
    y = x * 1
    assert y.polygamma_(1) is y
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), taeda.polygamma(2, x).detach().numpy())
    a = taeda.tensor([0.5, 2.0], dtype=taeda.float64)
    assert a.clone().igamma_(x.detach()).tolist() == taeda.igamma(a, x.detach()).tolist()
    assert a.clone().igammac_(x.detach()).tolist() == taeda.igammac(a, x.detach()).tolist()
    assert x.detach().clone().mvlgamma_(2).tolist() == taeda.mvlgamma(x.detach(), 2).tolist()


def test_half_precision_is_computed_in_float32_and_rounded() -> None:
    x = taeda.tensor([0.25, 0.5, 2.5])
    for dtype in (taeda.float16, taeda.bfloat16):
        assert taeda.digamma(x.to(dtype)).tolist() == taeda.digamma(x).to(dtype).tolist()
        assert taeda.special.xlog1py(x.to(dtype), x.to(dtype)).dtype == dtype


def test_complex_numbers_have_sinc_and_nothing_else() -> None:
    z = taeda.tensor([0j, 0.5 + 1j], dtype=taeda.complex128)
    np.testing.assert_allclose(taeda.sinc(z).numpy(), np.sinc(z.numpy()), rtol=1e-12)
    assert z.clone().sinc_().tolist() == taeda.sinc(z).tolist()
    for name in ("digamma", "erfinv", "i0", "entr", "logit"):
        with pytest.raises(NotImplementedError, match=rf"\[{name}\] not implemented for 'ComplexDouble'"):
            function(name)(z)


def test_the_room_has_pytorchs_names_for_ops_of_other_rooms() -> None:
    s = taeda.special
    assert (s.expit, s.psi, s.gammaln, s.gammainc, s.gammaincc, s.multigammaln) == (
        taeda.sigmoid, taeda.digamma, taeda.lgamma, taeda.igamma, taeda.igammac, taeda.mvlgamma)  # fmt: skip
    assert all(callable(getattr(s, name)) for name in s.__all__) and len(s.__all__) == 56
    x = taeda.tensor([[1.0, 2.0], [3.0, 5.0]])
    np.testing.assert_allclose(s.softmax(x, 1, dtype=taeda.float64).sum(1).numpy(), [1, 1])
    np.testing.assert_allclose(s.logsumexp(x, 0, keepdim=True).numpy(), np.log(np.exp(x.numpy()).sum(0, keepdims=True)), rtol=1e-6)
    assert s.round(x / 8, decimals=1).dtype == taeda.float32


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    x = taeda.linspace(-5, 30, 70_001, dtype=taeda.float64)
    assert_same_for_any_threads(lambda: (taeda.digamma(x), taeda.special.bessel_j1(x)))


def test_the_multivariate_gamma_function_of_a_high_dimension_ends() -> None:
    x = taeda.tensor([5.3, 6000.0], dtype=taeda.float64, requires_grad=True)
    y = taeda.special.multigammaln(x, 10000)
    (g,) = taeda.autograd.grad(y.sum(), x)
    j = np.arange(10000)
    np.testing.assert_allclose(g[1].item(), taeda.digamma(taeda.from_numpy(6000.0 - j / 2)).sum().item(), rtol=1e-12)
    with pytest.raises(RuntimeError, match="p=1000000000000 makes sums of p terms for each of 2 elements"):
        taeda.mvlgamma(x, 10**12)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma_functions_do_not_depend_on_their_neighbours(name: str) -> None:
    """Elements are computed eight of a kind together: any count of any kind gives what one alone gives."""
    rng = np.random.default_rng(3)
    a, x = np.exp(rng.uniform(-3, 5, 300)), np.exp(rng.uniform(-3, 5, 300))
    a[::37], x[::41] = 0, np.inf
    f = getattr(taeda, name)
    together = f(taeda.from_numpy(a), taeda.from_numpy(x)).numpy()
    alone = np.array([f(taeda.tensor(p, dtype=taeda.float64), taeda.tensor(q, dtype=taeda.float64)).item() for p, q in zip(a, x, strict=True)])
    np.testing.assert_allclose(together, alone, rtol=1e-14, atol=0)
    one = taeda.igamma(taeda.from_numpy(a), taeda.from_numpy(x)) + taeda.igammac(taeda.from_numpy(a), taeda.from_numpy(x))
    finite = ~np.isnan(together)
    np.testing.assert_allclose(one.numpy()[finite], 1, rtol=1e-14)


@pytest.mark.parametrize("name", ["i0", "i0e", "i1", "i1e", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "ndtri", "log_ndtr", "erfcx", "airy_ai"])
@pytest.mark.parametrize("size", [1, 3, 255, 256, 257, 700])
def test_blocks_of_mixed_ranges_give_what_single_elements_give(name: str, size: int) -> None:
    rng = np.random.default_rng(size)
    x = rng.uniform(0, 1, size) if name == "ndtri" else rng.uniform(-9, 12, size)
    x[:: max(size // 5, 1)] = [9e5, np.nan, np.inf, -np.inf, 0.0, 1e-300][: len(x[:: max(size // 5, 1)])]
    t = taeda.from_numpy(x)
    together = function(name)(t).numpy()
    alone = np.array([function(name)(t[i]).item() for i in range(size)])
    np.testing.assert_allclose(together, alone, rtol=1e-15 if name[0] != "a" else 1e-13, atol=1e-300)
    strided = taeda.zeros(2 * size, dtype=taeda.float64)[::2].copy_(t)
    np.testing.assert_array_equal(function(name)(strided).numpy(), together)


def test_lgamma_keeps_its_digits_next_to_its_zeros() -> None:
    zero = -2.457024738220801
    slope = taeda.digamma(taeda.tensor(zero, dtype=taeda.float64)).item()
    x = taeda.tensor([zero - 1e-9, zero + 1e-9, 1 + 1e-12, 2 - 1e-12, 1 - 1e-9], dtype=taeda.float64)
    y = taeda.lgamma(x).numpy()
    steps = x.numpy() - [zero, zero, 1, 2, 1]
    np.testing.assert_allclose(y[2:], steps[2:] * [-np.euler_gamma, 1 - np.euler_gamma, -np.euler_gamma], rtol=1e-8)
    np.testing.assert_allclose(np.diff(y[:2]), slope * np.diff(x.numpy()[:2]), rtol=1e-6)
    assert abs(y[0] + y[1]) < 1e-14


def test_lgamma_steps_from_every_integer_and_reflects() -> None:
    x = np.concatenate([np.arange(1, 30) / 2, np.linspace(0.01, 12, 977), [1e-300, 1e-20, 1e10, 1e300]])
    np.testing.assert_allclose(taeda.lgamma(taeda.from_numpy(x)).numpy(), [math.lgamma(v) for v in x], rtol=1e-13, atol=1e-15)
    x = -np.concatenate([np.linspace(0.013, 29.9, 977), [1e-300, 1e-20, 1000.5]])
    np.testing.assert_allclose(taeda.lgamma(taeda.from_numpy(x)).numpy(), [math.lgamma(v) for v in x], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("p", [0.01, 0.5, 0.99, 1.5])
def test_distances_of_equal_entries_have_no_nan_in_their_derivative(p: float) -> None:
    a, b = taeda.tensor([[1.0, 2.0], [0.0, 2.0]], requires_grad=True), taeda.tensor([[2.0, 2.0]], requires_grad=True)
    taeda.cdist(a, b, p).sum().backward()
    assert a.grad.flatten().tolist() == pytest.approx([-1, 0, -1, 0], abs=1e-5) and b.grad.tolist() == [[pytest.approx(2, abs=1e-5), 0]]
    a.grad = None
    taeda.pdist(a, p).sum().backward()
    assert a.grad.flatten().tolist() == pytest.approx([1, 0, -1, 0], abs=1e-5)


def test_clamp_between_two_tensors_promotes_all_three_at_once() -> None:
    x, zero, one = taeda.arange(3), taeda.tensor(1.5, dtype=taeda.float64), taeda.ones(3)
    assert taeda.clamp(x, zero, one).dtype is taeda.clamp(x, one, zero).dtype is taeda.float32
    assert taeda.clamp(x, taeda.tensor(1.5), zero).dtype is taeda.clamp(x, zero, taeda.tensor(2.0)).dtype is taeda.float64
    assert taeda.clamp(x, 1.5, taeda.tensor(2)).tolist() == [1.5, 1.5, 2.0]                # a 0-d tensor beside a number is one


def test_tolerances_are_numbers_or_tensors_of_one_without_a_graph() -> None:
    x = taeda.ones(2)
    assert taeda.isclose(x, x + 1, taeda.tensor(0.5), taeda.tensor(1)).all()
    for tolerance in (taeda.tensor(1.0, requires_grad=True), taeda.ones(2)):
        with pytest.raises(TypeError, match="argument 'atol' must be float"):
            taeda.isclose(x, x, 0.0, tolerance)


@pytest.mark.parametrize("n", [2, 3, 5, 15, 16, 17, 18, 40, 70])
@pytest.mark.parametrize("m", [1, 7, 64, 65, 300])
@pytest.mark.parametrize("p", [0.5, 1, 3, np.inf])
def test_distances_of_any_number_of_rows_and_entries(n: int, m: int, p: float) -> None:
    rng = np.random.default_rng(n * m)
    a, b = (rng.standard_normal((rows, m)).astype(np.float32).astype(np.float64) for rows in (n, 6))       # float32's too

    def by_hand(d: Any) -> Any:
        return np.abs(d).max(-1) if p == np.inf else (np.abs(d) ** p).sum(-1) ** (1 / p)

    x, y = taeda.from_numpy(a), taeda.from_numpy(b)
    first, second = np.triu_indices(n, 1)
    np.testing.assert_allclose(taeda.pdist(x, p).numpy(), by_hand(a[first] - a[second]), rtol=1e-11)
    np.testing.assert_allclose(taeda.cdist(x, y, p).numpy(), by_hand(a[:, None] - b), rtol=1e-11)
    np.testing.assert_allclose(taeda.pdist(x.float(), p).numpy(), by_hand(a[first] - a[second]), rtol=3e-5)
    np.testing.assert_allclose(taeda.cdist(y.float(), x.float(), p).numpy(), by_hand(b[:, None] - a), rtol=3e-5)


UNUSUAL = [nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 1e-40, -1e-40, 1e30, -1e30, 9.5, -9.5, 1.5]


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
@pytest.mark.parametrize("name", ["exp", "log", "log2", "log10", "sigmoid", "sin", "cos", "tan", "erfc", "erfinv", "logit", "special.ndtr",
                                  "special.ndtri", "special.entr"])
def test_a_number_between_usual_ones_and_unusual_ones_has_the_same_result(name: str, dtype: taeda.dtype) -> None:
    function = taeda
    for part in name.split("."):
        function = getattr(function, part)
    usual = taeda.linspace(0.01, 0.99, 3001, dtype=dtype)
    if name in ("log", "log2", "log10"):
        usual = taeda.cat([usual, taeda.logspace(-30, 30, 60000, dtype=dtype)])
    alone = function(usual)
    for value in UNUSUAL:
        mixed = usual.clone()
        mixed[5::97] = value
        found = function(mixed)
        kept = mixed == usual
        assert taeda.equal(found[kept], alone[kept])
        assert taeda.equal(found[5], function(mixed[5])) or (found[5].isnan() and function(mixed[5]).isnan())


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
@pytest.mark.parametrize("name", ["sin", "tan", "asin", "erf", "erfinv"])
def test_odd_functions_keep_the_sign_of_0(name: str, dtype: taeda.dtype) -> None:
    y = getattr(taeda, name)(taeda.tensor([-0.0, 0.0] * 9, dtype=dtype))
    assert (y == 0).all() and y.signbit().tolist() == [True, False] * 9


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
def test_log_ndtr_has_its_second_derivative_from_tail_to_tail(dtype: taeda.dtype) -> None:
    x = taeda.tensor([-30.0, -3.0, -0.0, 0.0, 1.0, 5.0, 15.0, 50.0, 1e4], dtype=dtype, requires_grad=True)
    (g,) = taeda.autograd.grad(taeda.special.log_ndtr(x).sum(), x, create_graph=True)
    plain = taeda.autograd.grad(taeda.special.log_ndtr(x).sum(), x)[0]
    assert taeda.allclose(g, plain, rtol=3e-6, atol=0 if dtype is taeda.float64 else 1e-37)
    (h,) = taeda.autograd.grad(g.sum(), x)
    wide = x.detach().double()
    slope = (2 / math.pi) ** 0.5 / taeda.special.erfcx(-wide / 2**0.5)
    assert taeda.allclose(h.double(), -slope * (wide + slope), rtol=1e-3 if dtype is taeda.float32 else 1e-10, atol=1e-37)
