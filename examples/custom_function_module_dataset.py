"""A Function, a Module and a Dataset of one's own, and a training loop over all three.

Run: ``python examples/custom_function_module_dataset.py``.
"""

import math

import taeda as torch
from taeda import nn, optim
from taeda.autograd import Function, gradcheck
from taeda.data import DataLoader, Dataset


class Bump(Function):
    """y = exp(-x²), with a derivative written by hand: dy/dx = -2 x y."""

    @staticmethod
    def forward(ctx, x):
        y = torch.exp(-x * x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        x, y = ctx.saved_tensors
        return -2 * x * y * grad_output


class Dense(nn.Module):
    """x W' + b with its own parameters; the weights are drawn uniformly in ±1 / sqrt(inputs)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight.t() + self.bias

    def extra_repr(self):
        return f"inputs={self.weight.shape[1]}, outputs={self.weight.shape[0]}"


class BumpNet(nn.Module):
    """Two dense layers with the bump between them."""

    def __init__(self, hidden=24):
        super().__init__()
        self.first = Dense(1, hidden)
        self.second = Dense(hidden, 1)

    def forward(self, x):
        return self.second(Bump.apply(4 * self.first(x)))


class Waves(Dataset):
    """Points of y = sin(3 x) on [-2, 2]."""

    def __init__(self, points=256):
        self.x = torch.linspace(-2, 2, points).unsqueeze(1)
        self.y = torch.sin(3 * self.x)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def main(epochs=150):
    """Check the derivative, fit the waves, print the loss, and return what was found."""
    torch.manual_seed(0)
    x = torch.linspace(-1.5, 1.5, 7, dtype=torch.float64, requires_grad=True)
    checked = gradcheck(Bump.apply, (x,))
    loader = DataLoader(Waves(), batch_size=32, shuffle=True)
    model = BumpNet()
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    loss_func = nn.MSELoss()
    losses = []
    for _ in range(epochs):
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = loss_func(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        scheduler.step()
        losses.append(total / len(loader.dataset))
    print(model)
    print(f"derivative checked: {checked}; loss {losses[0]:.4f} -> {losses[-1]:.6f}")
    return {"checked": checked, "losses": losses, "model": model}


if __name__ == "__main__":
    main()
