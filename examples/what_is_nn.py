"""What nn really is: one classifier in bare tensors, then with one more part of the library at a time.

The images are the embedded handwritten digits, made to look like MNIST's: enlarged to 20 x 20, with a margin
of 4, and flattened to 784 values, so every line works on MNIST as well.  Each stage returns its loss on the
validation images.

Run: ``python examples/what_is_nn.py``.
"""

import math

import numpy as np

import taeda as torch
import taeda.nn.functional as F
from taeda import nn, optim
from taeda.data import DataLoader, TensorDataset
from taeda.vision.datasets import Digits

BATCH = 64
RATE = 0.5
EPOCHS = 4
dev = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def load():
    """Return x_train, y_train, x_valid, y_valid: N x 784 with values 0 to 1, and N digits."""
    parts = []
    for train in (True, False):
        digits = Digits(train=train)
        images = digits.data.reshape(-1, 1, 8, 8).float() / digits.data.max().item()
        large = F.interpolate(images, size=(20, 20), mode="bilinear", align_corners=False)
        parts += [F.pad(large, (4, 4, 4, 4)).reshape(-1, 784), digits.targets]
    return parts


def accuracy(out, yb):
    """Return the share of rows whose largest value stands at the target."""
    return (torch.argmax(out, dim=1) == yb).float().mean()


def batches(x, y):
    """Cut the rows into batches by hand."""
    for i in range((len(x) - 1) // BATCH + 1):
        yield x[i * BATCH : (i + 1) * BATCH], y[i * BATCH : (i + 1) * BATCH]


# -- 1: tensors and autograd alone ------------------------------------------------------------------------


def log_softmax(x):
    """Return x minus the logarithm of the sum of exponentials of each row."""
    return x - x.exp().sum(-1).log().unsqueeze(-1)


def nll(input, target):
    """Return minus the mean of what stands at the targets."""
    return -input[range(target.shape[0]), target].mean()


def bare_tensors(x_train, y_train, x_valid, y_valid):
    """Train weights and a bias by hand; also show the first predictions and their gradient function."""
    weights = torch.randn(784, 10) / math.sqrt(784)
    weights.requires_grad_()
    bias = torch.zeros(10, requires_grad=True)

    def model(xb):
        return log_softmax(xb @ weights + bias)

    preds = model(x_train[:BATCH])
    first = {
        "preds": preds,
        "loss": nll(preds, y_train[:BATCH]),
        "accuracy": accuracy(preds, y_train[:BATCH]),
    }
    for _ in range(EPOCHS):
        for xb, yb in batches(x_train, y_train):
            loss = nll(model(xb), yb)
            loss.backward()
            with torch.no_grad():
                weights -= weights.grad * RATE
                bias -= bias.grad * RATE
                weights.grad.zero_()
                bias.grad.zero_()
    with torch.no_grad():
        by_hand = nll(model(x_valid), y_valid)
        # 2: one function of nn.functional does both, log_softmax and nll
        by_function = F.cross_entropy(x_valid @ weights + bias, y_valid)
        share = accuracy(model(x_valid), y_valid)
    return first, by_hand.item(), by_function.item(), share.item()


# -- 3 and 4: Module and Parameter, then Linear -----------------------------------------------------------


class Logistic(nn.Module):
    """A linear layer whose parameters are made by hand."""

    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(784, 10) / math.sqrt(784))
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, xb):
        return xb @ self.weights + self.bias


class LinearLogistic(nn.Module):
    """The same from nn.Linear."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(784, 10)

    def forward(self, xb):
        return self.lin(xb)


def modules(cls, x_train, y_train, x_valid, y_valid):
    """Train by walking over model.parameters()."""
    model = cls()
    for _ in range(EPOCHS):
        for xb, yb in batches(x_train, y_train):
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= p.grad * RATE
                model.zero_grad()
    with torch.no_grad():
        return F.cross_entropy(model(x_valid), y_valid).item()


# -- 5: optim, 6: Dataset, 7: DataLoader ------------------------------------------------------------------


def get_model():
    """Return a fresh model and its optimizer."""
    model = LinearLogistic()
    return model, optim.SGD(model.parameters(), lr=RATE)


def with_optimizer(x_train, y_train, x_valid, y_valid):
    """Let the optimizer walk over the parameters, and a TensorDataset cut the rows."""
    model, opt = get_model()
    train_ds = TensorDataset(x_train, y_train)
    for _ in range(EPOCHS):
        for i in range((len(train_ds) - 1) // BATCH + 1):
            xb, yb = train_ds[i * BATCH : i * BATCH + BATCH]
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            opt.step()
            opt.zero_grad()
    with torch.no_grad():
        return F.cross_entropy(model(x_valid), y_valid).item()


def get_data(train_ds, valid_ds, bs):
    """Return loaders; the validation images need no gradients, so twice as many fit in a batch."""
    return DataLoader(train_ds, batch_size=bs, shuffle=True), DataLoader(valid_ds, batch_size=bs * 2)


# -- 8: validation, loss_batch and fit --------------------------------------------------------------------


def loss_batch(model, loss_func, xb, yb, opt=None):
    """Return a batch's loss and size; with an optimizer, also make a step."""
    loss = loss_func(model(xb), yb)
    if opt is not None:
        loss.backward()
        opt.step()
        opt.zero_grad()
    return loss.item(), len(xb)


def fit(epochs, model, loss_func, opt, train_dl, valid_dl):
    """Train, and return the validation loss after each epoch."""
    history = []
    for _ in range(epochs):
        model.train()
        for xb, yb in train_dl:
            loss_batch(model, loss_func, xb, yb, opt)
        model.eval()
        with torch.no_grad():
            losses, nums = zip(*[loss_batch(model, loss_func, xb, yb) for xb, yb in valid_dl], strict=True)
        history.append(float(np.sum(np.multiply(losses, nums)) / np.sum(nums)))
    return history


# -- 9: a convolutional net, 10: Sequential, 11: a wrapped loader and adaptive pooling, 12: a device -------


class CNN(nn.Module):
    """Three convolutions of stride 2, and the mean of what is left of the image."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(16, 16, kernel_size=3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(16, 10, kernel_size=3, stride=2, padding=1)

    def forward(self, xb):
        xb = xb.view(-1, 1, 28, 28)
        xb = F.relu(self.conv1(xb))
        xb = F.relu(self.conv2(xb))
        xb = F.relu(self.conv3(xb))
        xb = F.avg_pool2d(xb, 4)
        return xb.view(-1, xb.size(1))


class Lambda(nn.Module):
    """A layer made of any function."""

    def __init__(self, func):
        super().__init__()
        self.func = func

    def forward(self, x):
        return self.func(x)


def preprocess(x):
    """Turn rows into images."""
    return x.view(-1, 1, 28, 28)


def to_device(x, y):
    """Turn rows into images, and move the batch to where the model is."""
    return x.view(-1, 1, 28, 28).to(dev), y.to(dev)


class WrappedDataLoader:
    """A loader that calls a function on every batch."""

    def __init__(self, dl, func):
        self.dl = dl
        self.func = func

    def __len__(self):
        return len(self.dl)

    def __iter__(self):
        for b in self.dl:
            yield self.func(*b)


def sequential():
    """Return the convolutional net as a Sequential that begins with the reshaping layer."""
    return nn.Sequential(
        Lambda(preprocess),
        nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 10, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(4),
        Lambda(lambda x: x.view(x.size(0), -1)),
    )


def any_size():
    """Return a net for images of any size: reshaping happens in the loader, pooling adapts."""
    return nn.Sequential(
        nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 10, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        Lambda(lambda x: x.view(x.size(0), -1)),
    )


def main(epochs=25):
    """Walk the whole road; print each stage's validation loss when it is there, and return all of them."""
    torch.manual_seed(0)
    data = load()
    x_train, y_train, x_valid, y_valid = data
    train_ds, valid_ds = TensorDataset(x_train, y_train), TensorDataset(x_valid, y_valid)
    first, by_hand, by_function, share = bare_tensors(*data)
    print(f"first predictions: {first['preds'][0]}")
    print("loss on the validation images:")
    results = {"first": first, "accuracy": share}

    def keep(stage, loss):
        """Note a stage's loss, or its losses epoch by epoch, and print it."""
        results[stage] = loss
        print(f"{stage:>12}: " + (f"{loss[0]:.4f} -> {loss[-1]:.4f}" if isinstance(loss, list) else f"{loss:.4f}"), flush=True)

    keep("tensors", by_hand)
    keep("functional", by_function)
    keep("Module", modules(Logistic, *data))
    keep("Linear", modules(LinearLogistic, *data))
    keep("optim", with_optimizer(*data))
    train_dl, valid_dl = get_data(train_ds, valid_ds, BATCH)
    model, opt = get_model()
    keep("fit", fit(EPOCHS, model, F.cross_entropy, opt, train_dl, valid_dl))
    for name, make in (("CNN", CNN), ("Sequential", sequential)):
        model = make()
        opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        keep(name, fit(epochs, model, F.cross_entropy, opt, train_dl, valid_dl))
    wrapped = [WrappedDataLoader(dl, to_device) for dl in (train_dl, valid_dl)]
    model = any_size()
    model.to(dev)
    opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    keep("any size", fit(epochs, model, F.cross_entropy, opt, *wrapped))
    print(f"share of validation images that bare tensors get right: {share:.3f}")
    return results


if __name__ == "__main__":
    main()
