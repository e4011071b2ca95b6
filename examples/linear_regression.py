"""Linear regression by hand: one gradient that can be checked on paper, then a fit.

Run: ``python examples/linear_regression.py``.
"""

import taeda as torch


def data():
    """Return inputs 1 to 4 and targets twice as large."""
    return torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([2.0, 4.0, 6.0, 8.0])


def gradients():
    """Take the gradient of the mean squared error at w = b = 0.5.

    The errors w x + b - y are -1, -2.5, -4, -5.5, so dL/dw = 2 · mean(error · x) = -20 and
    dL/db = 2 · mean(error) = -6.5, exactly.
    """
    x, y = data()
    w = torch.tensor(0.5, requires_grad=True)
    b = torch.tensor(0.5, requires_grad=True)
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    return loss.item(), w.grad, b.grad


def fit(steps=1000, lr=0.05):
    """Walk down the gradient until w = 2 and b = 0."""
    x, y = data()
    w = torch.tensor(0.5, requires_grad=True)
    b = torch.tensor(0.5, requires_grad=True)
    for _ in range(steps):
        loss = ((w * x + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
            w.grad.zero_()
            b.grad.zero_()
    return w.item(), b.item(), loss.item()


def main():
    """Print the gradients and the fitted line, and return them."""
    loss, w_grad, b_grad = gradients()
    print(f"loss {loss}, gradient of w: {w_grad}, gradient of b: {b_grad}")
    w, b, last = fit()
    print(f"fitted: y = {w:.4f} x + {b:.4f}, loss {last:.2e}")
    return {"loss": loss, "w.grad": w_grad.item(), "b.grad": b_grad.item(), "w": w, "b": b, "fit loss": last}


if __name__ == "__main__":
    main()
