"""Train a small image classifier: on the embedded digits, on MNIST, or on a folder of images.

    python examples/train.py
    python examples/train.py --data path/to/images --model resnet18 --epochs 30
    python examples/train.py --resume runs/digits-cnn/checkpoint.pt --epochs 40

It leaves a checkpoint, the curves of loss and accuracy, and a sheet of sample predictions in a folder, and
prints where they are.  A wrong argument gives one line that says what is wrong, and exit code 2.
"""

from __future__ import annotations

import argparse
import difflib
import math
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image

import taeda
import taeda.nn.functional as F
from taeda import Tensor, nn, optim
from taeda.data import DataLoader
from taeda.data.progress import progress
from taeda.vision import models
from train_data import Images, WrongData, load, pictures
from train_plots import draw_curves, draw_predictions

EPOCHS = {"digits": 20, "mnist": 5}
FORMAT = "taeda train.py 1"
PARTS: dict[str, type] = {
    "epoch": int,
    "epochs": int,
    "model": str,
    "model_state": dict,
    "optimizer": dict,
    "scheduler": dict,
    "rng_state": Tensor,
    "history": dict,
    "data": str,
    "classes": list,
    "shape": list,
    "settings": dict,
}


class Wrong(Exception):
    """Something the user gave is wrong; the message is all that is printed."""


# -- models -----------------------------------------------------------------------------------------------


class MLP(nn.Sequential):
    """Two hidden layers: B x C x H x W gives B x classes."""

    def __init__(self, inputs: int, classes: int, hidden: int = 256) -> None:
        super().__init__(
            nn.Flatten(),
            nn.Linear(inputs, hidden),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, classes),
        )


class Colour(nn.Module):
    """A network for colour images, given grey or small ones: channels are repeated, sides enlarged to 32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] < 32:
            x = F.interpolate(x, size=(32, 32), mode="bilinear", align_corners=False)
        return self.network(x.expand(-1, 3, -1, -1).contiguous())


MODELS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "cnn": lambda channels, size, classes: models.small_cnn(num_classes=classes, in_channels=channels),
    "lenet": lambda channels, size, classes: models.lenet(
        num_classes=classes, in_channels=channels, image_size=size
    ),
    "mlp": lambda channels, size, classes: MLP(channels * size * size, classes),
    "resnet18": lambda channels, size, classes: Colour(models.resnet18(num_classes=classes)),
}


# -- options ----------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """argparse with one line instead of two where something is wrong, and the option that a mistyped one resembles."""

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: (--[\w-]+)", message)
        near = difflib.get_close_matches(unknown[1], self._option_string_actions, n=1, cutoff=0.8) if unknown else []
        raise Wrong(message + (f"; did you mean {near[0]}?" if near else "; --help lists the options" if unknown else ""))


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None
        if value < least or (most is not None and value > most):
            bound = f"at least {least}" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"must be {bound}, got {value}")
        return value

    return parse


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from None
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"must be positive and finite, got {text}")
    return value


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; raise Wrong."""
    parser = Parser(prog="train.py", description="Train a small image classifier.", allow_abbrev=False)
    parser.add_argument(
        "--data",
        default="digits",
        metavar="digits|mnist|FOLDER",
        help="what to train on: the embedded digits, MNIST (which is downloaded), a folder with MNIST's files, or one "
        "with a sub-folder of images a class; digits by default",
    )
    parser.add_argument("--model", metavar="|".join(MODELS), help="cnn by default, or that of --resume")
    parser.add_argument(
        "--epochs", type=_whole(1), metavar="N", help="passes in all, those of a resumed run counted; 20 by default, 5 for mnist"
    )
    parser.add_argument("--batch-size", type=_whole(1), metavar="N", help="images a step; 64 by default, or that of --resume")
    parser.add_argument("--lr", type=_rate, metavar="RATE", help="AdamW's highest learning rate; 0.003 by default, or that of --resume")
    parser.add_argument("--seed", type=_whole(0, 2**63 - 1), default=0, metavar="N", help="of weights and order of images; 0 by default")
    parser.add_argument("--device", default="cpu", help="cpu by default; cuda or cuda:1 where there is a GPU")
    parser.add_argument(
        "--image-size", type=_whole(8, 1024), default=32, metavar="N", help="side that a folder's images are brought to; 32 by default"
    )
    parser.add_argument("--resume", type=Path, metavar="CHECKPOINT", help="go on from this checkpoint")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where the results go; runs/DATA-MODEL by default")
    options = parser.parse_args(arguments)
    if options.model is not None and options.model not in MODELS:
        raise Wrong(f"argument --model: there is no model {options.model!r}; choose from {', '.join(MODELS)}")
    return options


def open_device(name: str) -> Any:
    """Return the device, once something could be made on it."""
    try:
        device = taeda.device(name)
        if device.type == "meta":
            raise Wrong("argument --device: nothing can be trained on 'meta', which holds no values")
        taeda.zeros(1, device=device)
    except (RuntimeError, TypeError, AssertionError, NotImplementedError) as error:
        raise Wrong(f"argument --device: {name!r} cannot be used: {error}") from error
    return device


# -- checkpoints ------------------------------------------------------------------------------------------


def is_checkpoint(saved: Any) -> bool:
    """Is this what `Run.save` writes, as far as can be told before the model is built?"""

    def counts(*values: Any) -> bool:
        return all(type(v) is int and v > 0 for v in values)

    if not isinstance(saved, dict) or saved.get("format") != FORMAT:
        return False
    if any(not isinstance(saved.get(key), kind) for key, kind in PARTS.items()):
        return False
    settings, lr = saved["settings"], saved["settings"].get("lr")
    return (
        counts(saved["epoch"], saved["epochs"], settings.get("batch_size"), saved["scheduler"].get("_step_count"))
        and all(type(name) is str for name in saved["classes"])
        and len(saved["shape"]) == 2
        and counts(*saved["shape"])
        and type(lr) is float
        and 0 < lr < math.inf
    )


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of this program; raise Wrong where it is missing, damaged or another program's."""
    if not path.is_file():
        raise Wrong(f"argument --resume: there is no file {str(path)!r}")
    try:
        saved = taeda.load(path)
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file leads to
        raise Wrong(f"argument --resume: {str(path)!r} cannot be read: {error}") from error
    if not is_checkpoint(saved):
        raise Wrong(f"argument --resume: {str(path)!r} is no checkpoint of this program")
    return saved


class Run:
    """All that changes in training, so that it can be saved and gone on with."""

    def __init__(self, options: argparse.Namespace, images: Images, device: Any) -> None:
        self.options = options
        self.images = images
        self.device = device
        self.epoch = 0
        self.history: dict[str, list[float]] = {
            f"{part}_{what}": [] for part in ("train", "held_out") for what in ("loss", "accuracy")
        }
        self.model = MODELS[options.model](images.channels, images.size, len(images.classes)).to(device)
        self.optimizer = optim.AdamW(self.model.parameters(), lr=options.lr, weight_decay=1e-2)
        warm = max(1, options.epochs // 10)

        def rate(epoch: int) -> float:
            """Rise for a tenth of the epochs, then fall along a cosine."""
            if epoch < warm:
                return (epoch + 1) / (warm + 1)
            return 0.5 * (1 + math.cos(math.pi * (epoch - warm) / max(1, options.epochs - warm)))

        self.rate = rate
        self.scheduler = optim.lr_scheduler.LambdaLR(self.optimizer, rate)

    def save(self, path: Path) -> None:
        """Write the checkpoint; the file is replaced only when the new one is whole."""
        taeda.save(
            {
                "format": FORMAT,
                "epoch": self.epoch,
                "epochs": self.options.epochs,
                "model": self.options.model,
                "model_state": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scheduler": self.scheduler.state_dict(),
                "rng_state": taeda.get_rng_state(),
                "history": self.history,
                "data": self.images.name,
                "classes": self.images.classes,
                "shape": [self.images.channels, self.images.size],
                "settings": {
                    "batch_size": self.options.batch_size,
                    "lr": self.options.lr,
                    "seed": self.options.seed,
                },
            },
            path,
        )

    def restore(self, saved: dict[str, Any], path: Path) -> None:
        """Go on from a checkpoint; raise Wrong where it does not fit."""
        if saved["classes"] != self.images.classes or saved["shape"] != [
            self.images.channels,
            self.images.size,
        ]:
            raise Wrong(
                f"argument --resume: {str(path)!r} was trained on {saved['data']!r} with "
                f"{len(saved['classes'])} classes and images of {_shape(saved['shape'])}; --data has "
                f"{len(self.images.classes)} classes and images of "
                f"{_shape([self.images.channels, self.images.size])}"
            )
        if saved["epoch"] >= self.options.epochs:
            raise Wrong(
                f"argument --resume: {str(path)!r} already has {saved['epoch']} epochs; ask for more with "
                f"--epochs"
            )
        try:
            self.model.load_state_dict(saved["model_state"])
            # The options of the groups are this program's own; only what was learned comes from the file.
            groups = self.optimizer.state_dict()["param_groups"]
            self.optimizer.load_state_dict({"state": saved["optimizer"]["state"], "param_groups": groups})
            self.scheduler.load_state_dict(saved["scheduler"])
            taeda.set_rng_state(saved["rng_state"])
            self.history = {key: [float(v) for v in saved["history"][key]] for key in self.history}
            counts = {self.scheduler.last_epoch, *(len(values) for values in self.history.values())}
            if counts != {saved["epoch"]}:
                raise ValueError(f"it tells of {saved['epoch']} epochs, but holds {sorted(counts)}")
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Wrong(f"argument --resume: {str(path)!r} does not fit: {error}") from error
        self.epoch = saved["epoch"]
        # --lr and --epochs may have been given anew, so the rate follows them and not the checkpoint.
        self.scheduler.base_lrs = [self.options.lr for _ in self.optimizer.param_groups]
        for group in self.optimizer.param_groups:
            group["initial_lr"] = self.options.lr
            group["lr"] = self.options.lr * self.rate(self.epoch)


def _shape(shape: list[int]) -> str:
    return f"{shape[0]} x {shape[1]} x {shape[1]}"


# -- training ---------------------------------------------------------------------------------------------


def shifted(x: Tensor) -> Tensor:
    """Move a batch by at most one pixel each way, at random: a digit stays what it is."""
    down, right = taeda.randint(0, 3, (2,)).tolist()
    return F.pad(x, (1, 1, 1, 1))[:, :, down : down + x.shape[2], right : right + x.shape[3]]


def train_epoch(run: Run, loader: DataLoader) -> tuple[float, float]:
    """Make one pass over the training images; return mean loss and accuracy."""
    run.model.train()
    total, right, count = 0.0, 0, 0
    bar = progress(loader, desc=f"epoch {run.epoch + 1}/{run.options.epochs}", unit="batches", keep=False)
    for x, y in bar:
        x, y = x.to(run.device), y.to(run.device)
        run.optimizer.zero_grad()
        scores = run.model(shifted(x))
        loss = F.cross_entropy(scores, y)
        loss.backward()
        run.optimizer.step()
        total += loss.item() * len(y)
        right += int((scores.argmax(1) == y).sum().item())
        count += len(y)
        bar.set(loss=total / count, accuracy=right / count)
        if not math.isfinite(total):
            raise Wrong(
                f"the loss is no longer a finite number in epoch {run.epoch + 1}; a smaller --lr than "
                f"{run.options.lr:g} may help"
            )
    return total / count, right / count


def predict(run: Run, loader: DataLoader) -> tuple[float, float, list[int], list[int]]:
    """Return loss and accuracy on a part, the predicted classes and the true ones."""
    run.model.eval()
    total = 0.0
    predicted: list[int] = []
    actual: list[int] = []
    with taeda.no_grad():
        for x, y in loader:
            x, y = x.to(run.device), y.to(run.device)
            scores = run.model(x)
            total += F.cross_entropy(scores, y, reduction="sum").item()
            predicted += scores.argmax(1).tolist()
            actual += y.tolist()
    right = sum(p == a for p, a in zip(predicted, actual, strict=True))
    return total / len(actual), right / len(actual), predicted, actual


def sample_sheet(run: Run, predicted: list[int], actual: list[int], most: int = 48) -> Image.Image:
    """Draw held-out images with their predictions; up to a third of the sheet shows wrong ones."""
    wrong = [i for i, (p, a) in enumerate(zip(predicted, actual, strict=True)) if p != a][: most // 3]
    every = max(1, len(actual) // most)
    right = [i for i in range(0, len(actual), every) if predicted[i] == actual[i]]
    chosen = sorted(wrong + right[: most - len(wrong)])
    values = (pictures(run.images.held_out, chosen) * 255).round().to(taeda.uint8)
    sheet = [
        Image.fromarray(v[0].numpy() if len(v) == 1 else v.permute(1, 2, 0).contiguous().numpy())
        for v in values
    ]
    names = run.images.classes
    mistakes = sum(p != a for p, a in zip(predicted, actual, strict=True))
    return draw_predictions(
        sheet,
        [names[predicted[i]] for i in chosen],
        [names[actual[i]] for i in chosen],
        f"{run.images.name}: {len(actual) - mistakes} of {len(actual)} held-out images right",
    )


def complete(options: argparse.Namespace, saved: dict[str, Any] | None, data: str) -> None:
    """Fill in what was not given: from the checkpoint where there is one, by default otherwise; raise Wrong."""
    settings = saved["settings"] if saved else {}
    options.epochs = options.epochs or (saved["epochs"] if saved else EPOCHS.get(data, 20))
    options.batch_size = options.batch_size or settings.get("batch_size", 64)
    options.lr = options.lr or settings.get("lr", 3e-3)
    if options.model == "resnet18" and options.batch_size == 1:
        raise Wrong("argument --batch-size: resnet18 normalises over the batch and needs at least 2")


def choose_model(options: argparse.Namespace, saved: dict[str, Any] | None) -> str:
    """Return the name of the model, given or resumed; raise Wrong where the two differ."""
    if saved is None:
        return options.model or "cnn"
    if options.model not in (None, saved["model"]):
        raise Wrong(
            f"argument --resume: {str(options.resume)!r} holds the model {saved['model']!r}, but --model is "
            f"{options.model!r}"
        )
    if saved["model"] not in MODELS:
        raise Wrong(f"argument --resume: {str(options.resume)!r} holds the unknown model {saved['model']!r}")
    return saved["model"]


def make_folder(folder: Path) -> dict[str, Path]:
    """Make the output folder; return the paths of what will be written there; raise Wrong."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Wrong(f"argument --output: {str(folder)!r} cannot be made: {error}") from error
    files = {"checkpoint": "checkpoint.pt", "curves": "curves.png", "predictions": "predictions.png"}
    return {name: folder / file for name, file in files.items()}


def loaders(images: Images, batch_size: int) -> tuple[DataLoader, DataLoader]:
    """Return the batches to train on and those that are held out."""
    # A last batch of one image cannot be normalised; it is left out of that epoch.
    lonely = len(images.train) % batch_size == 1 and len(images.train) > batch_size > 1
    return (
        DataLoader(images.train, batch_size=batch_size, shuffle=True, drop_last=lonely),
        DataLoader(images.held_out, batch_size=max(batch_size, 256)),
    )


def train(options: argparse.Namespace, after_epoch: Callable[[Run], None] | None = None) -> dict[str, Any]:
    """Train as the options say; return the history, the last accuracy and the paths of what was written.

    Args:
        options: what `parse` returns.
        after_epoch: called after every epoch, once it is saved.

    Raises Wrong where an option does not lead anywhere.
    """
    saved = read_checkpoint(options.resume) if options.resume else None
    options.model = choose_model(options, saved)
    device = open_device(options.device)
    try:
        images = load(options.data, options.image_size)
    except WrongData as error:
        raise Wrong(str(error)) from error
    complete(options, saved, images.name)
    taeda.manual_seed(options.seed)
    run = Run(options, images, device)
    if saved is not None:
        run.restore(saved, options.resume)
    paths = make_folder(options.output or Path("runs") / f"{images.name}-{options.model}")
    loader, held_out = loaders(images, options.batch_size)
    print(
        f"{options.model} with {sum(p.numel() for p in run.model.parameters()):,} parameters on {device}; "
        f"{images.name}: {len(images.train):,} images to train on, {len(images.held_out):,} held out, "
        f"{len(images.classes)} classes"
    )
    start = time.perf_counter()
    predicted: list[int] = []
    actual: list[int] = []
    while run.epoch < options.epochs:
        began = time.perf_counter()
        rate = run.optimizer.param_groups[0]["lr"]
        loss, accuracy = train_epoch(run, loader)
        run.scheduler.step()
        test_loss, test_accuracy, predicted, actual = predict(run, held_out)
        run.epoch += 1
        for key, value in zip(run.history, (loss, accuracy, test_loss, test_accuracy), strict=True):
            run.history[key].append(value)
        run.save(paths["checkpoint"])
        print(
            f"epoch {run.epoch:>{len(str(options.epochs))}}/{options.epochs}  loss {loss:.4f}  "
            f"accuracy {accuracy:6.2%}  held out: loss {test_loss:.4f}  accuracy {test_accuracy:6.2%}  "
            f"lr {rate:.2g}  {time.perf_counter() - began:.1f} s",
            flush=True,
        )
        if after_epoch is not None:
            after_epoch(run)
    seconds = time.perf_counter() - start
    final = run.history["held_out_accuracy"][-1]
    title = f"{options.model} on {images.name}: {final:.2%} of held-out images right"
    draw_curves(run.history, title).save(paths["curves"])
    sample_sheet(run, predicted, actual).save(paths["predictions"])
    print(f"held-out accuracy {final:.2%} after {run.epoch} epochs, {seconds:.1f} s")
    for name, path in paths.items():
        print(f"{name}: {path}")
    return {"accuracy": final, "history": run.history, "seconds": seconds, "paths": paths, "run": run}


def main(arguments: list[str] | None = None) -> int:
    """Run the program; return 0, 2 for a wrong argument, 1 for a failure, 130 when interrupted."""
    try:
        options = parse(arguments)
        train(options)
    except Wrong as error:
        print(f"train.py: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\ntrain.py: interrupted; whole epochs are in the checkpoint of the output folder, for --resume", file=sys.stderr
        )
        return 130
    except OSError as error:
        print(f"train.py: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
