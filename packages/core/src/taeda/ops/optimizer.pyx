# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Steps of SGD and the optimizers that are not of Adam's kin.

One call updates all parameters, in one pass over their memory; see multi_tensor.pyx for what the steps share.
``taeda.optim`` gathers the lists and owns the state.
"""
from libc.math cimport pow, sqrt
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op, begin_inplace, define
from taeda.kernels.cpu.abi cimport F32, F64, Param
from taeda.ops.multi_tensor cimport HEAD, Constants, advance, check_numbers, checked, number_at, run, set_number
from taeda.tensor_base cimport TensorBase

__all__ = ["fused_adadelta_", "fused_adafactor_", "fused_adagrad_", "fused_asgd_", "fused_rmsprop_", "fused_rprop_", "fused_sgd_"]
PUBLIC = ()
METHODS = {}

cdef Op SGD = define("fused_sgd", NULL)
cdef Op RMSPROP = define("fused_rmsprop", NULL)
cdef Op ADAGRAD = define("fused_adagrad", NULL)
cdef Op ADADELTA = define("fused_adadelta", NULL)
cdef Op RPROP = define("fused_rprop", NULL)
cdef Op ASGD = define("fused_asgd", NULL)
cdef Op ADAFACTOR = define("fused_adafactor", NULL)


def fused_sgd_(list params not None, list grads not None, list momentum_buffers, *, double lr,
               double momentum=0.0, double dampening=0.0, double weight_decay=0.0, bint nesterov=False,
               bint maximize=False, bint first_step=False):
    """Step all parameters by stochastic gradient descent, in place.

    d = ±g + weight_decay p;  b = d on the first step, else momentum b + (1 - dampening) d;
    p -= lr (d + momentum b with nesterov, else b).

    Args:
        params, grads: lists of n tensors; a gradient has the shape, dtype and device of its parameter.
        momentum_buffers: n tensors like the parameters, or an empty list or None where momentum is 0.
        first_step: the buffers hold nothing yet and take d.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    >>> import taeda
    >>> p, g = taeda.ones(2), taeda.tensor([1.0, 2.0])
    >>> taeda.ops.fused_sgd_([p], [g], [], lr=0.5)
    >>> p
    tensor([0.5000, 0.0000])
    """
    cdef Param head[HEAD]
    cdef list roles
    if momentum == 0:
        roles = checked("fused_sgd_", [params, grads], ("params", "grads"))
    else:
        roles = checked("fused_sgd_", [params, [] if momentum_buffers is None else momentum_buffers, grads],
                        ("params", "momentum_buffers", "grads"))
    head[1].i = maximize | nesterov << 1 | first_step << 2
    head[2].f = lr
    head[3].f = momentum
    head[4].f = dampening
    head[5].f = weight_decay
    run(SGD, roles, head, 6, None, 0)


def fused_rmsprop_(list params not None, list grads not None, list square_avgs not None, list grad_avgs,
                   list momentum_buffers, list steps not None, *, double lr, double alpha, double eps,
                   double weight_decay=0.0, double momentum=0.0, bint centered=False, bint maximize=False):
    """Step all parameters by RMSprop, in place; every step count grows by one.

    d = ±g + weight_decay p;  s = alpha s + (1 - alpha) d²;  r = sqrt(s) + eps, or sqrt(s - a²) + eps where
    centered, a the mean of d;  p -= lr d / r, or b = momentum b + d / r and p -= lr b.

    Args:
        params, grads, square_avgs: lists of n tensors alike in shape, dtype and device.
        grad_avgs: the same where centered, momentum_buffers: where momentum > 0; else empty or None.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Sources: Hinton's lecture 6e, 2012; Graves, "Generating sequences", 2013 (centered).

    >>> import taeda
    >>> p, g, s, t = taeda.ones(1), taeda.ones(1), taeda.zeros(1), taeda.zeros(())
    >>> taeda.ops.fused_rmsprop_([p], [g], [s], [], [], [t], lr=0.25, alpha=0.75, eps=0.0)
    >>> p
    tensor([0.5000])
    """
    cdef Param head[HEAD]
    cdef list roles = [params, square_avgs], names = ["params", "square_avgs"]
    if momentum > 0:
        roles.append([] if momentum_buffers is None else momentum_buffers)
        names.append("momentum_buffers")
    if centered:
        roles.append([] if grad_avgs is None else grad_avgs)
        names.append("grad_avgs")
    roles.append(grads)
    names.append("grads")
    roles = checked("fused_rmsprop_", roles, tuple(names))
    check_numbers("fused_rmsprop_", "steps", steps, len(params))
    head[1].i = maximize | centered << 1
    head[2].f = lr
    head[3].f = alpha
    head[4].f = eps
    head[5].f = weight_decay
    head[6].f = momentum
    run(RMSPROP, roles, head, 7, None, 0)
    advance(steps)


def fused_adagrad_(list params not None, list grads not None, list sums not None, list steps not None, *, double lr,
                   double eps, double lr_decay=0.0, double weight_decay=0.0, bint maximize=False):
    """Step all parameters by Adagrad, in place; every step count grows by one.

    d = ±g + weight_decay p;  s += d²;  p -= lr / (1 + (t - 1) lr_decay) d / (sqrt(s) + eps).

    Args:
        params, grads, sums: lists of n tensors alike in shape, dtype and device.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Source: Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization", 2011.

    >>> import taeda
    >>> p, g, s, t = taeda.ones(1), taeda.full((1,), 2.0), taeda.zeros(1), taeda.zeros(())
    >>> taeda.ops.fused_adagrad_([p], [g], [s], [t], lr=0.25, eps=0.0)
    >>> p, s
    (tensor([0.7500]), tensor([4.]))
    """
    cdef Param head[HEAD]
    cdef int64_t i
    cdef list roles = checked("fused_adagrad_", [params, sums, grads], ("params", "sums", "grads"))
    check_numbers("fused_adagrad_", "steps", steps, len(params))
    cdef Constants own = Constants(len(params))
    for i in range(len(params)):
        own.p[i].f = -lr / (1 + number_at(steps, i) * lr_decay)
    head[1].i = maximize
    head[2].f = eps
    head[3].f = weight_decay
    run(ADAGRAD, roles, head, 4, own, 1)
    advance(steps)


def fused_adadelta_(list params not None, list grads not None, list square_avgs not None, list acc_deltas not None,
                    list steps not None, *, double lr, double rho, double eps, double weight_decay=0.0, bint maximize=False):
    """Step all parameters by Adadelta, in place; every step count grows by one.

    d = ±g + weight_decay p;  v = rho v + (1 - rho) d²;  x = sqrt(u + eps) / sqrt(v + eps) d;
    u = rho u + (1 - rho) x²;  p -= lr x.

    Args:
        params, grads, square_avgs, acc_deltas: lists of n tensors alike in shape, dtype and device.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    >>> import taeda
    >>> p, g, v, u, t = taeda.ones(1), taeda.ones(1), taeda.zeros(1), taeda.ones(1), taeda.zeros(())
    >>> taeda.ops.fused_adadelta_([p], [g], [v], [u], [t], lr=0.25, rho=0.75, eps=0.0)
    >>> p, u
    (tensor([0.5000]), tensor([1.7500]))
    """
    cdef Param head[HEAD]
    cdef list roles = checked("fused_adadelta_", [params, square_avgs, acc_deltas, grads],
                              ("params", "square_avgs", "acc_deltas", "grads"))
    check_numbers("fused_adadelta_", "steps", steps, len(params))
    head[1].i = maximize
    head[2].f = lr
    head[3].f = rho
    head[4].f = eps
    head[5].f = weight_decay
    run(ADADELTA, roles, head, 6, None, 0)
    advance(steps)


def fused_rprop_(list params not None, list grads not None, list prevs not None, list step_sizes not None,
                 list steps not None, *, double etaminus, double etaplus, double step_size_min, double step_size_max,
                 bint maximize=False):
    """Step all parameters by resilient backpropagation, in place; every step count grows by one.

    An element's step size is multiplied by etaplus where its gradient kept the sign, by etaminus where the sign turned
    (it then waits a step), and held between the bounds;  p -= size sign(±g).

    Args:
        params, grads, prevs, step_sizes: lists of n tensors alike in shape, dtype and device.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Source: Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning", 1993.

    >>> import taeda
    >>> p, g, prev, size, t = taeda.ones(1), taeda.ones(1), taeda.ones(1), taeda.full((1,), 0.25), taeda.zeros(())
    >>> bounds = {"step_size_min": 1e-6, "step_size_max": 50.0}
    >>> taeda.ops.fused_rprop_([p], [g], [prev], [size], [t], etaminus=0.5, etaplus=2.0, **bounds)
    >>> p, size
    (tensor([0.5000]), tensor([0.5000]))
    """
    cdef Param head[HEAD]
    cdef list roles = checked("fused_rprop_", [params, prevs, step_sizes, grads], ("params", "prevs", "step_sizes", "grads"))
    check_numbers("fused_rprop_", "steps", steps, len(params))
    head[1].i = maximize
    head[2].f = etaminus
    head[3].f = etaplus
    head[4].f = step_size_min
    head[5].f = step_size_max
    run(RPROP, roles, head, 6, None, 0)
    advance(steps)


def fused_asgd_(list params not None, list grads not None, list axs not None, list mus not None, list etas not None,
                list steps not None, *, double lr, double lambd, double alpha, double t0, double weight_decay=0.0,
                bint maximize=False):
    """Step all parameters by averaged stochastic gradient descent, in place; every step count grows by one.

    d = ±g + weight_decay p;  p = (1 - lambd eta) p - eta d;  x += mu (p - x);  then
    eta = lr / (1 + lambd lr t)^alpha and mu = 1 / max(1, t - t0).

    Args:
        params, grads, axs: lists of n tensors alike in shape, dtype and device.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.
        mus, etas: n such numbers each: the weight of the next parameter in the average, and the next rate.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    >>> import taeda
    >>> p, g, x, t = taeda.ones(1), taeda.ones(1), taeda.zeros(1), taeda.zeros(())
    >>> mu, eta = taeda.ones(()), taeda.tensor(0.5)
    >>> taeda.ops.fused_asgd_([p], [g], [x], [mu], [eta], [t], lr=0.5, lambd=0.0, alpha=0.75, t0=0.0)
    >>> p, x
    (tensor([0.5000]), tensor([0.5000]))
    """
    cdef Param head[HEAD]
    cdef int64_t i
    cdef double eta, step
    cdef list roles = checked("fused_asgd_", [params, axs, grads], ("params", "axs", "grads"))
    check_numbers("fused_asgd_", "mus", mus, len(params))
    check_numbers("fused_asgd_", "etas", etas, len(params))
    check_numbers("fused_asgd_", "steps", steps, len(params))
    cdef Constants own = Constants(3 * len(params))
    for i in range(len(params)):
        eta = number_at(etas, i)
        own.p[3 * i].f = eta
        own.p[3 * i + 1].f = 1 - lambd * eta
        own.p[3 * i + 2].f = number_at(mus, i)
    head[1].i = maximize
    head[2].f = weight_decay
    run(ASGD, roles, head, 3, own, 3)
    advance(steps)
    for i in range(len(params)):
        step = number_at(steps, i)
        set_number(etas, i, lr / pow(1 + lambd * lr * step, alpha))
        set_number(mus, i, 1 / max(1.0, step - t0))


def fused_adafactor_(list params not None, list grads not None, list row_vars not None, list col_vars, list steps not None,
                     *, double lr, double beta2_decay, double eps1, double eps2, double d=1.0, double weight_decay=0.0,
                     bint maximize=False):
    """Step all parameters by Adafactor, in place; every step count grows by one.

    w = t^beta2_decay;  a = max(eps2, rms(p)) min(lr, 1 / sqrt(t));  p *= 1 - lr weight_decay;
    R += w (mean of g² over columns - R), C += w (mean over rows - C), V = R C / max(mean R, eps1) for matrices (the
    last two dimensions), V += w (g² - V) for vectors;  u = ±g / max(sqrt(V), eps1);  p -= a u / max(1, rms(u) / d).

    Args:
        params, grads: lists of n row-major float32 or float64 tensors, all of them of two or more dimensions, or of fewer.
        row_vars, col_vars: R of shape (..., rows, 1) and C of shape (..., 1, columns); for vectors V, and None.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for tensors that do not fit, and where autograd would have to record.
    Source: Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018.

    >>> import taeda
    >>> p, g, v, t = taeda.ones(2), taeda.ones(2), taeda.zeros(2), taeda.zeros(())
    >>> taeda.ops.fused_adafactor_([p], [g], [v], None, [t], lr=0.5, beta2_decay=-0.8, eps1=1e-7, eps2=1e-3)
    >>> p
    tensor([0.5000, 0.5000])
    """
    cdef Param head[HEAD]
    cdef int64_t i
    cdef int j
    cdef double step
    cdef TensorBase p, x
    cdef bint factored = col_vars is not None
    cdef list factors = [row_vars, col_vars] if factored else [row_vars]
    checked("fused_adafactor_", [params, grads], ("params", "grads"))
    check_numbers("fused_adafactor_", "steps", steps, len(params))
    for j in range(<int>len(factors)):
        if len(<list>factors[j]) != len(params):
            raise ValueError(f"[fused_adafactor_] all lists must be of one length, got {len(params)} params and "
                             f"{len(<list>factors[j])} {'col_vars' if j else 'row_vars'}")
    for i in range(len(params)):
        p = <TensorBase>params[i]
        if (p.view.ndim > 1) != factored or (p.view.dtype != F32 and p.view.dtype != F64):
            raise RuntimeError(f"[fused_adafactor_] params[{i}] must be a float32 or float64 {'matrix' if factored else 'vector'}, "
                               f"got shape {p.shape_tuple()}")
        for x in (p, <TensorBase>grads[i]):
            if not x.view.contiguous:
                raise RuntimeError(f"[fused_adafactor_] params[{i}] and its gradient must be contiguous, got strides "
                                   f"{x.stride_tuple()}")
        for j in range(<int>len(factors)):
            x = <TensorBase?>(<list>factors[j])[i]
            wanted = list(p.shape_tuple())
            if factored:
                wanted[p.view.ndim - 1 - j] = 1
            if x.shape_tuple() != tuple(wanted) or x.view.dtype != p.view.dtype or not x.view.contiguous:
                raise RuntimeError(f"[fused_adafactor_] {'col_vars' if j else 'row_vars'}[{i}] must be contiguous, of shape "
                                   f"{tuple(wanted)} and of its parameter's dtype, got {x.shape_tuple()}")
            begin_inplace("fused_adafactor_", x)
    cdef Constants own = Constants(2 * len(params))
    for i in range(len(params)):
        step = number_at(steps, i) + 1
        own.p[2 * i].f = min(lr, 1 / sqrt(step))
        own.p[2 * i + 1].f = pow(step, beta2_decay)
    head[1].i = maximize | factored << 1
    head[2].f = lr
    head[3].f = d
    head[4].f = eps1
    head[5].f = eps2
    head[6].f = weight_decay
    run(ADAFACTOR, [params, *factors, grads], head, 7, own, 2)
    advance(steps)
