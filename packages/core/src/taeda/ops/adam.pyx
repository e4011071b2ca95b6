# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Steps of Adam and its kin.

One call updates all parameters, in one pass over their memory; see multi_tensor.pyx for what the steps share.
``taeda.optim`` gathers the lists and owns the state.
"""
from libc.math cimport pow, sqrt
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op, define
from taeda.kernels.cpu.abi cimport Param
from taeda.ops.multi_tensor cimport HEAD, Constants, advance, check_numbers, checked, number_at, run, set_number

__all__ = ["fused_adam_", "fused_adamax_", "fused_nadam_", "fused_radam_"]
PUBLIC = ()
METHODS = {}

cdef Op ADAM = define("fused_adam", NULL)
cdef Op ADAMAX = define("fused_adamax", NULL)
cdef Op NADAM = define("fused_nadam", NULL)
cdef Op RADAM = define("fused_radam", NULL)


cdef list moments(str op, list params, list first, list second, str name, list grads):
    return checked(op, [params, first, second, grads], ("params", "exp_avgs", name, "grads"))


cdef int launch(Op op, list roles, int flags, double lr, double beta1, double beta2, double eps, double weight_decay,
                Constants own, int per) except -1:
    cdef Param head[HEAD]
    head[1].i = flags
    head[2].f = lr
    head[3].f = beta1
    head[4].f = beta2
    head[5].f = eps
    head[6].f = weight_decay
    return run(op, roles, head, 7, own, per)


def fused_adam_(list params not None, list grads not None, list exp_avgs not None, list exp_avg_sqs not None,
                list max_exp_avg_sqs, list steps not None, *, double lr, double beta1, double beta2, double eps,
                double weight_decay=0.0, bint amsgrad=False, bint maximize=False, bint decoupled=False):
    """Step all parameters by Adam, or AdamW where decoupled, in place; every step count grows by one.

    d = ±g (+ weight_decay p, or p *= 1 - lr weight_decay where decoupled);  m += (1 - beta1) (d - m);
    v = beta2 v + (1 - beta2) d²;  p -= lr m / (1 - beta1^t) / (sqrt(v) / sqrt(1 - beta2^t) + eps);
    with amsgrad the largest v so far stands in place of v.

    Args:
        params, grads, exp_avgs, exp_avg_sqs: lists of n tensors alike in shape, dtype and device.
        max_exp_avg_sqs: the same with amsgrad, else an empty list or None.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Sources: Kingma and Ba, 2015; Loshchilov and Hutter, 2019 (decoupled); Reddi et al., 2018 (amsgrad).

    >>> import taeda
    >>> p, g, m, v, t = taeda.ones(1), taeda.ones(1), taeda.zeros(1), taeda.zeros(1), taeda.zeros(())
    >>> taeda.ops.fused_adam_([p], [g], [m], [v], [], [t], lr=0.25, beta1=0.9, beta2=0.999, eps=0.0)
    >>> p, t
    (tensor([0.7500]), tensor(1.))
    """
    cdef int64_t i
    cdef double step
    cdef list roles
    if amsgrad:
        roles = checked("fused_adam_", [params, exp_avgs, exp_avg_sqs, [] if max_exp_avg_sqs is None else max_exp_avg_sqs, grads],
                        ("params", "exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs", "grads"))
    else:
        roles = moments("fused_adam_", params, exp_avgs, exp_avg_sqs, "exp_avg_sqs", grads)
    check_numbers("fused_adam_", "steps", steps, len(params))
    cdef Constants own = Constants(2 * len(params))
    for i in range(len(params)):
        step = number_at(steps, i) + 1
        own.p[2 * i].f = -lr / (1 - pow(beta1, step))
        own.p[2 * i + 1].f = sqrt(1 - pow(beta2, step))
    launch(ADAM, roles, maximize | decoupled << 1 | amsgrad << 2, lr, beta1, beta2, eps, weight_decay, own, 2)
    advance(steps)


def fused_adamax_(list params not None, list grads not None, list exp_avgs not None, list exp_infs not None,
                  list steps not None, *, double lr, double beta1, double beta2, double eps, double weight_decay=0.0,
                  bint maximize=False):
    """Step all parameters by Adamax, in place; every step count grows by one.

    d = ±g + weight_decay p;  m += (1 - beta1) (d - m);  u = max(beta2 u, |d| + eps);
    p -= lr / (1 - beta1^t) m / u.

    Args:
        params, grads, exp_avgs, exp_infs: lists of n tensors alike in shape, dtype and device.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Source: Kingma and Ba, "Adam", 2015, section 7.1.

    >>> import taeda
    >>> p, g, m, u, t = taeda.ones(1), taeda.ones(1), taeda.zeros(1), taeda.zeros(1), taeda.zeros(())
    >>> taeda.ops.fused_adamax_([p], [g], [m], [u], [t], lr=0.25, beta1=0.9, beta2=0.999, eps=0.0)
    >>> p, t
    (tensor([0.7500]), tensor(1.))
    """
    cdef int64_t i
    cdef list roles = moments("fused_adamax_", params, exp_avgs, exp_infs, "exp_infs", grads)
    check_numbers("fused_adamax_", "steps", steps, len(params))
    cdef Constants own = Constants(len(params))
    for i in range(len(params)):
        own.p[i].f = -lr / (1 - pow(beta1, number_at(steps, i) + 1))
    launch(ADAMAX, roles, maximize, lr, beta1, beta2, eps, weight_decay, own, 1)
    advance(steps)


def fused_nadam_(list params not None, list grads not None, list exp_avgs not None, list exp_avg_sqs not None,
                 list mu_products not None, list steps not None, *, double lr, double beta1, double beta2, double eps,
                 double momentum_decay, double weight_decay=0.0, bint maximize=False, bint decoupled=False):
    """Step all parameters by NAdam, in place; every step count grows by one.

    d, m and v as in Adam;  mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2), M(t) the product of mu(1) to mu(t);
    r = sqrt(v / (1 - beta2^t)) + eps;
    p -= lr (1 - mu(t)) / (1 - M(t)) d / r + lr mu(t + 1) / (1 - M(t + 1)) m / r.

    Args:
        params, grads, exp_avgs, exp_avg_sqs: lists of n tensors alike in shape, dtype and device.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.
        mu_products: n such numbers: M of the steps done so far, 1 before the first.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016.

    >>> import taeda
    >>> p, g, m, v = taeda.ones(1), taeda.ones(1), taeda.zeros(1), taeda.zeros(1)
    >>> mu, t = taeda.ones(()), taeda.zeros(())
    >>> taeda.ops.fused_nadam_([p], [g], [m], [v], [mu], [t], lr=0.5, beta1=0.5, beta2=0.5, eps=0.0, momentum_decay=0.0)
    >>> p, mu
    (tensor([0.4333]), tensor(0.2500))
    """
    cdef int64_t i
    cdef double step, mu, mu_next, product
    cdef list roles = moments("fused_nadam_", params, exp_avgs, exp_avg_sqs, "exp_avg_sqs", grads)
    check_numbers("fused_nadam_", "steps", steps, len(params))
    check_numbers("fused_nadam_", "mu_products", mu_products, len(params))
    cdef Constants own = Constants(3 * len(params))
    for i in range(len(params)):
        step = number_at(steps, i) + 1
        mu = beta1 * (1 - 0.5 * pow(0.96, step * momentum_decay))
        mu_next = beta1 * (1 - 0.5 * pow(0.96, (step + 1) * momentum_decay))
        set_number(mu_products, i, number_at(mu_products, i) * mu)
        product = number_at(mu_products, i)                      # as its own dtype holds it
        own.p[3 * i].f = 1 - pow(beta2, step)
        own.p[3 * i + 1].f = -lr * (1 - mu) / (1 - product)
        own.p[3 * i + 2].f = -lr * mu_next / (1 - product * mu_next)
    launch(NADAM, roles, maximize | decoupled << 1, lr, beta1, beta2, eps, weight_decay, own, 3)
    advance(steps)


def fused_radam_(list params not None, list grads not None, list exp_avgs not None, list exp_avg_sqs not None,
                 list steps not None, *, double lr, double beta1, double beta2, double eps, double weight_decay=0.0,
                 bint maximize=False, bint decoupled=False):
    """Step all parameters by RAdam, in place; every step count grows by one.

    d, m and v as in Adam;  rho = R - 2 t beta2^t / (1 - beta2^t) with R = 2 / (1 - beta2) - 1;
    p -= lr m / (1 - beta1^t) l, where l = sqrt(1 - beta2^t) / (sqrt(v) + eps)
    sqrt((rho - 4) (rho - 2) R / ((R - 4) (R - 2) rho)) if rho > 5, else 1.

    Args:
        params, grads, exp_avgs, exp_avg_sqs: lists of n tensors alike in shape, dtype and device.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Source: Liu et al., "On the variance of the adaptive learning rate and beyond", 2020.

    >>> import taeda
    >>> p, g, m, v, t = taeda.ones(1), taeda.ones(1), taeda.zeros(1), taeda.zeros(1), taeda.zeros(())
    >>> taeda.ops.fused_radam_([p], [g], [m], [v], [t], lr=0.25, beta1=0.9, beta2=0.999, eps=0.0)
    >>> p
    tensor([0.7500])
    """
    cdef int64_t i
    cdef double step, power, most, rho
    cdef list roles = moments("fused_radam_", params, exp_avgs, exp_avg_sqs, "exp_avg_sqs", grads)
    check_numbers("fused_radam_", "steps", steps, len(params))
    cdef Constants own = Constants(3 * len(params))
    most = 2 / (1 - beta2) - 1
    for i in range(len(params)):
        step = number_at(steps, i) + 1
        power = pow(beta2, step)
        rho = most - 2 * step * power / (1 - power)
        own.p[3 * i].f = 1 - pow(beta1, step)
        own.p[3 * i + 1].f = sqrt(1 - power)
        own.p[3 * i + 2].f = sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho)) if rho > 5 else -1
    launch(RADAM, roles, maximize | decoupled << 1, lr, beta1, beta2, eps, weight_decay, own, 3)
    advance(steps)
