"""Points for TensorBoard's projector: plain files beside the log, and a list of them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from taeda.utils.tensorboard._convert import as_bytes, as_png, to_array


def write_table(path: str, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows of words with tabs between them."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines("\t".join(str(x) for x in row) + "\n" for row in rows)


def sprite(images: Any) -> bytes:
    """Return images (N, C, H, W) in one square, row by row, as PNG."""
    images = to_array(images)
    count, _, height, width = images.shape
    side = int(np.ceil(count**0.5))
    cells = np.zeros((side * side, *images.shape[1:]), images.dtype)
    cells[:count] = images
    canvas = cells.reshape(side, side, -1, height, width).transpose(0, 3, 1, 4, 2).reshape(side * height, side * width, -1)
    return as_png(as_bytes(canvas))[0]


def one_folder(tag: str) -> str:
    """Return a tag as the name of one folder: what would lead elsewhere is written as codes."""
    return re.sub(r"[/\\]|^\.+$", lambda found: "".join(f"%{ord(c):02x}" for c in found[0]), tag)


def write_points(
    folder: str, mat: Any, metadata: Sequence[Any] | None, label_img: Any, step: Any, tag: str, header: Sequence[str] | None
) -> None:
    """Write one set of points into a folder of its own, and add it to the list."""
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo, ProjectorConfig

    points = to_array(mat)
    if points.ndim != 2:
        raise AssertionError(f"[add_embedding] mat should be 2D, where mat.size(0) is the number of data points, got {points.shape}")
    name = f"{0 if step is None else int(step):05d}"
    place = f"{name}/{one_folder(tag)}"
    os.makedirs(os.path.join(folder, place), exist_ok=True)
    info = EmbeddingInfo(tensor_name=f"{tag}:{name}", tensor_path=f"{place}/tensors.tsv")
    if metadata is not None:
        if len(metadata) != len(points):
            raise AssertionError(f"[add_embedding] #labels should equal with #data points: {len(metadata)} and {len(points)}")
        rows = [row if header else [row] for row in metadata]
        write_table(os.path.join(folder, place, "metadata.tsv"), [header, *rows] if header else rows)
        info.metadata_path = f"{place}/metadata.tsv"
    if label_img is not None:
        if len(label_img) != len(points):
            raise AssertionError(f"[add_embedding] #images should equal with #data points: {len(label_img)} and {len(points)}")
        with open(os.path.join(folder, place, "sprite.png"), "wb") as file:
            file.write(sprite(label_img))
        info.sprite.image_path = f"{place}/sprite.png"
        info.sprite.single_image_dim.extend([label_img.shape[3], label_img.shape[2]])
    write_table(os.path.join(folder, place, "tensors.tsv"), points.tolist())
    path, config = os.path.join(folder, "projector_config.pbtxt"), ProjectorConfig()
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            text_format.Parse(file.read(), config)
    others = [e for e in config.embeddings if e.tensor_name != info.tensor_name]
    with open(path, "w", encoding="utf-8") as file:
        file.write(text_format.MessageToString(ProjectorConfig(embeddings=[*others, info])))
