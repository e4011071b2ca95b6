"""The training program: it learns, goes on where it stopped, and says what is wrong with an argument."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import taeda

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.chdir(tmp_path)
    import train

    return train


def weights(path: Path) -> dict[str, Any]:
    return {name: value.tolist() for name, value in taeda.load(path)["model_state"].items()}


def test_the_main_job_learns_the_digits_and_leaves_its_files(
    program: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    results = program.train(program.parse([]))
    assert results["accuracy"] >= 0.98
    printed = capsys.readouterr().out
    folder = Path("runs") / "digits-cnn"
    for name in ("checkpoint.pt", "curves.png", "predictions.png"):
        assert (folder / name).is_file()
        assert str(folder / name) in printed
    assert printed.count("held out: loss") == 20
    for name in ("curves.png", "predictions.png"):
        with Image.open(folder / name) as image:
            assert image.width > 500
            assert len(image.convert("RGB").getcolors(1 << 24) or []) > 10


@pytest.mark.parametrize("model", ["cnn", "lenet", "mlp"])
def test_every_model_learns_something(program: Any, model: str) -> None:
    results = program.train(program.parse(["--model", model, "--epochs", "3", "--output", "out"]))
    assert results["accuracy"] > 0.5
    assert len(results["history"]["train_loss"]) == 3


def test_the_same_seed_gives_the_same_model_and_another_seed_another(program: Any) -> None:
    for output, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        program.train(program.parse(["--model", "mlp", "--epochs", "1", "--seed", seed, "--output", output]))
    assert weights(Path("a/checkpoint.pt")) == weights(Path("b/checkpoint.pt"))
    assert weights(Path("a/checkpoint.pt")) != weights(Path("c/checkpoint.pt"))


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(program: Any) -> None:
    common = ["--model", "mlp", "--epochs", "4", "--seed", "5"]
    program.train(program.parse([*common, "--output", "whole"]))

    def stop(run: Any) -> None:
        if run.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        program.train(program.parse([*common, "--output", "parts"]), after_epoch=stop)
    results = program.train(program.parse(["--resume", "parts/checkpoint.pt", "--output", "parts"]))
    assert len(results["history"]["train_loss"]) == 4
    assert weights(Path("parts/checkpoint.pt")) == weights(Path("whole/checkpoint.pt"))


def test_a_finished_run_can_be_lengthened(program: Any) -> None:
    program.train(program.parse(["--model", "mlp", "--epochs", "1", "--output", "out"]))
    results = program.train(
        program.parse(["--resume", "out/checkpoint.pt", "--epochs", "2", "--output", "out"])
    )
    assert len(results["history"]["train_loss"]) == 2


def folder_of_images(root: Path, per_class: int = 10, size: int = 20) -> Path:
    rng = np.random.default_rng(0)
    for name, colour in (("dark", 40), ("light", 200)):
        (root / name).mkdir(parents=True)
        for i in range(per_class):
            pixels = np.clip(rng.normal(colour, 10, (size, size + i, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    return root


def test_a_folder_of_images_is_trained_on(program: Any, tmp_path: Path) -> None:
    root = folder_of_images(tmp_path / "images")
    results = program.train(
        program.parse(["--data", str(root), "--epochs", "5", "--batch-size", "5", "--image-size", "16"])
    )
    assert results["accuracy"] == 1.0
    assert taeda.load(results["paths"]["checkpoint"])["classes"] == ["dark", "light"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--data", "nowhere"], "neither 'digits' nor 'mnist'"),
        (["--data", "file.txt"], "is a file"),
        (["--data", "empty"], "class folder"),
        (["--data", "few"], "at least one class needs five"),
        (["--model", "transformer"], "no model 'transformer'; choose from cnn, lenet, mlp, resnet18"),
        (["--epochs", "0"], "--epochs: must be at least 1, got 0"),
        (["--epochs", "many"], "--epochs: must be a whole number, got 'many'"),
        (["--batch-size", "0"], "--batch-size: must be at least 1, got 0"),
        (["--batch-size", "1", "--model", "resnet18"], "needs at least 2"),
        (["--lr", "-0.1"], "--lr: must be positive and finite, got -0.1"),
        (["--lr", "nan"], "--lr: must be positive"),
        (["--lr", "fast"], "--lr: must be a number, got 'fast'"),
        (["--seed", "-1"], "--seed: must be from 0"),
        (["--device", "cuda"], "--device: 'cuda' cannot be used"),
        (["--device", "toaster"], "--device: 'toaster' cannot be used"),
        (["--device", "meta"], "--device"),
        (["--resume", "missing.pt"], "there is no file 'missing.pt'"),
        (["--resume", "file.txt"], "cannot be read"),
        (["--resume", "cut.pt"], "cannot be read"),
        (["--resume", "other.pt"], "no checkpoint of this program"),
        (["--resume", "mlp/checkpoint.pt", "--model", "cnn"], "holds the model 'mlp'"),
        (["--resume", "mlp/checkpoint.pt", "--epochs", "1"], "already has 1 epochs"),
        (["--resume", "mlp/checkpoint.pt", "--epochs", "3", "--data", "images"], "was trained on 'digits'"),
        (["--output", "file.txt"], "--output: 'file.txt' cannot be made"),
        (["--colour", "red"], "unrecognized arguments: --colour red; --help lists the options"),
        (["--epoch", "3"], "unrecognized arguments: --epoch 3; did you mean --epochs?"),
    ],
)
def test_a_wrong_argument_gives_one_line_and_exit_code_2(
    program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    if "cuda" in arguments and taeda.cuda.is_available():
        pytest.skip("there is a GPU")
    (tmp_path / "file.txt").write_text("no checkpoint, no folder")
    (tmp_path / "empty").mkdir()
    if "few" in arguments:
        folder_of_images(tmp_path / "few", per_class=2)
    if "images" in arguments:
        folder_of_images(tmp_path / "images")
    if "mlp/checkpoint.pt" in arguments or "cut.pt" in arguments:
        assert program.main(["--model", "mlp", "--epochs", "1", "--output", "mlp"]) == 0
        whole = (tmp_path / "mlp" / "checkpoint.pt").read_bytes()
        (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    taeda.save({"weights": taeda.ones(2)}, tmp_path / "other.pt")
    capsys.readouterr()
    assert program.main(arguments) == 2
    captured = capsys.readouterr()
    assert text in captured.err
    assert captured.err.startswith("train.py: error: ")
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


def test_a_rate_that_blows_up_is_named(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--model", "mlp", "--lr", "1e30", "--epochs", "2"]) == 2
    assert "--lr" in capsys.readouterr().err


def test_no_bar_is_drawn_where_no_terminal_is(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--model", "mlp", "--epochs", "2"]) == 0
    captured = capsys.readouterr()
    assert "\r" not in captured.err + captured.out
    assert [line.split()[1] for line in captured.out.splitlines() if line.startswith("epoch")] == [
        "1/2",
        "2/2",
    ]


def test_the_program_finds_its_neighbours_when_run_as_a_script(tmp_path: Path) -> None:
    import subprocess

    out = subprocess.run(
        [sys.executable, str(EXAMPLES / "train.py"), "--lr", "0"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert out.returncode == 2
    assert "must be positive" in out.stderr


def test_an_interrupt_ends_with_its_own_code(
    program: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "predict", interrupt)
    assert program.main(["--model", "mlp", "--epochs", "2"]) == 130
    assert "--resume" in capsys.readouterr().err


def test_mnist_that_cannot_be_fetched_is_said(
    program: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from taeda.vision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    assert program.main(["--data", "mnist"]) == 2
    assert "MNIST cannot be used" in capsys.readouterr().err


def test_mnist_files_in_a_folder_are_trained_on(program: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "idx"
    folder.mkdir()
    for part, count in (("train", 64), ("t10k", 20)):
        labels = np.arange(count) % 10
        images = (rng.integers(0, 30, (count, 28, 28)) + 20 * labels[:, None, None]).astype(np.uint8)
        head = (0x0803).to_bytes(4, "big") + b"".join(n.to_bytes(4, "big") for n in images.shape)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        head = (0x0801).to_bytes(4, "big") + count.to_bytes(4, "big")
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(head + labels.astype(np.uint8).tobytes())
    results = program.train(program.parse(["--data", str(folder), "--model", "mlp", "--batch-size", "9"]))
    assert len(results["history"]["train_loss"]) == 5
    assert results["history"]["train_loss"][-1] < results["history"]["train_loss"][0]


def test_a_damaged_image_is_named(program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = folder_of_images(tmp_path / "images")
    bad = root / "dark" / "3.png"
    bad.write_bytes(bad.read_bytes()[:60])
    assert program.main(["--data", str(root), "--epochs", "1"]) == 1
    captured = capsys.readouterr()
    assert str(bad) in captured.err
    assert captured.err.count("\n") == 1


def test_a_checkpoint_that_cannot_be_written_is_said(
    program: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device", "checkpoint.pt")

    monkeypatch.setattr(taeda, "save", full)
    assert program.main(["--model", "mlp", "--epochs", "1"]) == 1
    assert "No space left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("epoch",), "one"),
        (("epoch",), -1),
        (("model",), "transformer"),
        (("model_state",), {}),
        (("model_state", "1.weight"), taeda.ones(2)),
        (("optimizer",), {}),
        (("optimizer", "state"), None),
        (("optimizer", "state", 0), None),
        (("optimizer", "state", 0, "exp_avg"), taeda.ones(2)),
        (("scheduler", "last_epoch"), "x"),
        (("rng_state",), taeda.ones(2)),
        (("history", "train_loss"), []),
        (("classes",), ["0"]),
        (("shape",), [1, 9]),
        (("settings",), None),
        (("settings", "lr"), "fast"),
        (("settings", "batch_size"), 0),
        (("scheduler", "_step_count"), None),
        (("shape",), []),
    ],
)
def test_a_checkpoint_with_a_wrong_part_is_refused(
    program: Any, capsys: pytest.CaptureFixture[str], path: tuple[Any, ...], value: Any
) -> None:
    assert program.main(["--model", "mlp", "--epochs", "1", "--output", "out"]) == 0
    saved = taeda.load("out/checkpoint.pt")
    part = saved
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    taeda.save(saved, "wrong.pt")
    capsys.readouterr()
    assert program.main(["--resume", "wrong.pt", "--epochs", "2"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("train.py: error: argument --resume: 'wrong.pt'")
    assert "Traceback" not in captured.err
