"""Models that tell how far each pixel moves between two images."""

from taeda.vision.models.optical_flow.raft import RAFT, raft_large, raft_small

__all__ = ["RAFT", "raft_large", "raft_small"]
