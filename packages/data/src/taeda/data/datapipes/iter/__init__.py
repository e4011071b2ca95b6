"""The ready-made pipe that libraries look for: the one that shuffles."""

from taeda.data.datapipes.iter.combinatorics import ShufflerIterDataPipe as Shuffler

__all__ = ["Shuffler"]
