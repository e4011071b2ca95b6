"""The progress bar draws on terminals and is silent elsewhere."""

import io

import pytest

from taeda.data.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_nothing_is_written_where_no_terminal_is():
    file = io.StringIO()
    assert list(progress(range(3), file=file)) == [0, 1, 2]
    assert file.getvalue() == ""


def test_the_finished_bar_shows_amount_and_values(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    file = Terminal()
    bar = progress(range(4), desc="epoch 1", unit="batches", file=file)
    for _ in bar:
        bar.set(loss=0.123456, lr="high")
    last = file.getvalue().rstrip("\n").rsplit("\r", 1)[1]
    assert last.startswith("epoch 1: 100% [####################] 4/4 batches, loss 0.1235, lr high, 00:00")
    assert file.getvalue().endswith("\n")


def test_a_narrow_terminal_gets_the_values_and_no_bar(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    file = Terminal()
    bar = progress(range(4), desc="epoch 1", file=file)
    for _ in bar:
        bar.set(loss=0.5, accuracy=0.25)
    lines = file.getvalue().rstrip("\n").split("\r")
    assert lines[-1].startswith("epoch 1: 4/4 it, loss 0.5, accuracy 0.25")
    assert all(len(line) <= 50 for line in lines)


def test_without_a_length_it_counts():
    file = Terminal()
    list(progress(iter("abc"), file=file))
    assert "3 it" in file.getvalue()
    assert "%" not in file.getvalue()


def test_by_hand_in_a_with_block():
    file = Terminal()
    with progress(total=10, file=file, min_interval=0) as bar:
        bar.update(5)
        assert " 50%" in file.getvalue()
        assert len(bar) == 10
    assert file.getvalue().count("\n") == 1


def test_a_break_and_an_exception_end_the_line():
    file = Terminal()
    for _ in progress(range(4), file=file):
        break
    assert file.getvalue().endswith("\n")
    with pytest.raises(ZeroDivisionError):
        _ = [1 / i for i in progress(range(4), file=file)]
    assert file.getvalue().count("\n") == 2


def test_a_terminal_that_goes_away_does_not_stop_the_loop():
    class Gone(Terminal):
        def write(self, text):
            raise OSError("gone")

    assert list(progress(range(3), file=Gone(), min_interval=0)) == [0, 1, 2]


def test_nothing_to_iterate_over():
    with pytest.raises(TypeError, match="call update"):
        list(progress(total=3, enabled=True))
