"""taeda.monitor: when a window closes, what it gives, and who is told."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

from taeda import monitor


@pytest.fixture
def events() -> Any:
    seen: list[monitor.Event] = []
    handle = monitor.register_event_handler(seen.append)
    yield seen
    monitor.unregister_event_handler(handle)


def test_a_window_closes_after_its_samples_or_its_time(events: Any) -> None:
    stat = monitor.Stat("s", list(monitor.Aggregation), datetime.timedelta(hours=1), 2)
    assert set(stat.get().values()) == {0.0}
    stat.add(3)
    assert stat.count == 1 and not events
    stat.add(5.5)
    wanted = {"VALUE": 5.5, "MEAN": 4.25, "COUNT": 2.0, "SUM": 8.5, "MAX": 5.5, "MIN": 3.0}
    assert stat.count == 0 and {a.name: v for a, v in stat.get().items()} == wanted
    assert events[0].name == "torch.monitor.Stat" and events[0].data == {f"s.{k.lower()}": v for k, v in wanted.items()}
    stat.add(7)
    assert stat.count == 0 and len(events) == 1
    short = monitor.Stat("t", [monitor.Aggregation.SUM], datetime.timedelta(seconds=0.02))
    short.add(1)
    time.sleep(0.05)
    short.add(2)
    assert (short.count, short.get()) == (1, {monitor.Aggregation.SUM: 1.0}) and events[-1].data == {"t.sum": 1.0}
    del short
    assert events[-1].data == {"t.sum": 2.0}


def test_events_hold_texts_and_numbers_and_end_with_their_handler(events: Any) -> None:
    event = monitor.Event("x", datetime.datetime.now(), {"a": 1, "b": "s", "c": True})
    monitor.log_event(event)
    assert events == [event] and event.data == {"a": 1, "b": "s", "c": 1.0}
    for bad in (
        lambda: monitor.Event("x", 1.0, {}),
        lambda: monitor.Event("x", datetime.datetime.now(), {"a": [1]}),
        lambda: monitor.Stat("a", [], 1),
        lambda: monitor.Stat("a", [], datetime.timedelta(1)).add("a"),
        lambda: monitor.log_event(3),
    ):
        with pytest.raises(TypeError, match=r"^\["):
            bad()


def test_the_handler_for_a_summary_writer(events: Any) -> None:
    class Writer:
        def __init__(self) -> None:
            self.rows: list[Any] = []

        def add_scalar(self, tag: str, value: float, walltime: float) -> None:
            self.rows.append((tag, value, walltime))

    writer = Writer()
    handle = monitor.register_event_handler(monitor.TensorboardEventHandler(writer))
    monitor.Stat("loss", [monitor.Aggregation.MEAN], datetime.timedelta(hours=1), 1).add(2)
    monitor.log_event(monitor.Event("other", datetime.datetime.now(), {"a": 1}))
    for _ in range(2):
        monitor.unregister_event_handler(handle)
    assert [row[:2] for row in writer.rows] == [("loss.mean", 2.0)] and writer.rows[0][2] == events[0].timestamp.timestamp()
