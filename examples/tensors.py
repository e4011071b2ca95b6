"""Tensors: making them, indexing, arithmetic, matrices, devices and gradients.

Run: ``python examples/tensors.py``.  Only the import differs from a PyTorch program.
"""

import numpy as np

import taeda as torch


def create():
    """Make tensors from lists, from NumPy, filled, and drawn at random."""
    torch.manual_seed(0)
    array = np.array([[5, 6], [7, 8]])
    return {
        "vector": torch.tensor([1, 2, 3]),
        "matrix": torch.tensor([[1, 2], [3, 4]]),
        "from_numpy": torch.tensor(array),
        "shared": torch.from_numpy(array),
        "zeros": torch.zeros((3, 3)),
        "ones": torch.ones((2, 4)),
        "randn": torch.randn((5, 5)),
        "steps": torch.arange(0, 1, 0.25),
    }


def arithmetic():
    """Add, multiply by elements and as matrices, transpose, and take a dot product."""
    a = torch.tensor([[1, 2], [3, 4]])
    b = torch.tensor([[5, 6], [7, 8]])
    v = torch.tensor([1, 2, 3])
    w = torch.tensor([4, 5, 6])
    return {
        "sum": a + b,
        "product": a * b,
        "quotient": b / a,
        "matrix product": torch.mm(a, b),
        "operator": a @ b,
        "dot": torch.dot(v, w),
        "transposed": a.T,
        "mean": a.float().mean(),
    }


def index():
    """Read and write parts; a slice is a view of the same memory."""
    x = torch.arange(12).reshape(3, 4)
    row, column = x[1], x[:, 2]
    even = x[x % 2 == 0]
    column[0] = 100
    x[2, :2] = -1
    return {"x": x, "row": row, "column": column, "even": even, "last": x[-1, -1].item()}


def storage():
    """Two tensors over one block of memory: what one writes, the other reads."""
    x = torch.zeros(2, 3)
    y = x.view(6)
    y[4] = 7.0
    return {"x": x, "same": x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()}


def devices():
    """Compute where there is a GPU, and on the CPU otherwise."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x = torch.ones((100, 100)).to(device)
    return {"device": device, "product": torch.mm(x, x)[0, 0].item()}


def gradient():
    """Let autograd follow a few operations back: y = Σ x³, so dy/dx = 3 x²."""
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = (x**3).sum()
    y.backward()
    return {"y": y.item(), "grad": x.grad}


def main():
    """Run all parts, print what they made, and return it."""
    results = {f.__name__: f() for f in (create, arithmetic, index, storage, devices, gradient)}
    for part, values in results.items():
        print(f"-- {part}")
        for name, value in values.items():
            print(f"{name}: {value}")
    return results


if __name__ == "__main__":
    main()
