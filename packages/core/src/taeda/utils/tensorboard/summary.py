"""Summaries: what one call of a `SummaryWriter` puts into the log, as protocol buffers of TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

from taeda.utils.tensorboard._convert import as_bytes, as_gif, as_png, as_wav, channels_last, one_number, to_array

__all__ = [
    "audio",
    "custom_scalars",
    "histogram",
    "histogram_raw",
    "hparams",
    "image",
    "image_boxes",
    "mesh",
    "pr_curve",
    "pr_curve_raw",
    "scalar",
    "tensor_proto",
    "text",
    "video",
]


def _shape(sizes: Sequence[int]) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=n) for n in sizes])


def _plugin(name: str, content: bytes = b"") -> SummaryMetadata:
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=name, content=content))


def scalar(name: str, value: Any, collections: Any = None, new_style: bool = False, double_precision: bool = False) -> Summary:
    """A number: of 32 bits, or in the new style of 64 where wanted."""
    number = one_number("add_scalar", value)
    if not new_style:
        return Summary(value=[Summary.Value(tag=name, simple_value=number)])
    tensor = TensorProto(double_val=[number], dtype="DT_DOUBLE") if double_precision else TensorProto(float_val=[number], dtype="DT_FLOAT")
    return Summary(value=[Summary.Value(tag=name, tensor=tensor, metadata=_plugin("scalars"))])


def tensor_proto(tag: str, tensor: Any) -> Summary:
    """A whole tensor."""
    array = to_array(tensor)
    fields = {
        "float32": ("DT_FLOAT", "float_val"),
        "float64": ("DT_DOUBLE", "double_val"),
        "float16": ("DT_HALF", "half_val"),
        "int8": ("DT_INT8", "int_val"),
        "int16": ("DT_INT16", "int_val"),
        "int32": ("DT_INT32", "int_val"),
        "int64": ("DT_INT64", "int64_val"),
        "uint8": ("DT_UINT8", "int_val"),
        "bool": ("DT_BOOL", "bool_val"),
        "complex64": ("DT_COMPLEX64", "scomplex_val"),
        "complex128": ("DT_COMPLEX128", "dcomplex_val"),
    }
    if array.dtype.name not in fields:
        raise ValueError(f"[add_tensor] no tensor of TensorBoard has dtype {array.dtype}")
    dtype, field = fields[array.dtype.name]
    values = array.reshape(-1)
    if field == "half_val":
        values = values.view(np.uint16)
    elif array.dtype.kind == "c":                       # real and imaginary parts in turn
        values = values.view(array.real.dtype)
    proto = TensorProto(dtype=dtype, tensor_shape=_shape(array.shape), **{field: values.tolist()})
    return Summary(value=[Summary.Value(tag=tag, tensor=proto, metadata=_plugin("tensor"))])


def histogram_raw(
    name: str, min: float, max: float, num: float, sum: float, sum_squares: float, bucket_limits: Any, bucket_counts: Any
) -> Summary:
    """A histogram that has been counted: the i-th bucket ends at bucket_limits[i]."""
    proto = HistogramProto(min=min, max=max, num=num, sum=sum, sum_squares=sum_squares, bucket_limit=bucket_limits, bucket=bucket_counts)
    return Summary(value=[Summary.Value(tag=name, histo=proto)])


def histogram(name: str, values: Any, bins: Any, max_bins: int | None = None) -> Summary:
    """Count values in bins; empty ones at both ends but one are left out, and neighbours joined where there are more than max_bins."""
    values = to_array(values).astype(float).reshape(-1)
    if values.size == 0:
        raise ValueError("[add_histogram] The input has no element.")
    counts, limits = np.histogram(values, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        join = len(counts) // max_bins
        counts = np.pad(counts, (0, -len(counts) % join)).reshape(-1, join).sum(1)
        limits = np.append(limits[:-1][::join], limits[-1])
    filled = np.flatnonzero(counts)
    if filled.size == 0:
        raise ValueError("[add_histogram] the histogram is empty: no value lies in a bin; are they all nan or inf?")
    first, last = filled[0], filled[-1] + 1
    counts = counts[first - 1 : last] if first > 0 else np.concatenate([[0], counts[:last]])
    limits = limits[first : last + 1]
    return histogram_raw(name, values.min(), values.max(), len(values), values.sum(), values @ values, limits.tolist(), counts.tolist())


def _picture(tag: str, pixels: np.ndarray[Any, Any], scale: float = 1) -> Summary:
    data, height, width = as_png(pixels, scale)
    return Summary(
        value=[
            Summary.Value(tag=tag, image=Summary.Image(height=height, width=width, colorspace=pixels.shape[2], encoded_image_string=data))
        ]
    )


def image(tag: str, tensor: Any, rescale: float = 1, dataformats: str = "NCHW") -> Summary:
    """An image, or many in a grid: bytes, or floats of 0 to 1."""
    return _picture(tag, as_bytes(channels_last(to_array(tensor), dataformats)), rescale)


def image_boxes(
    tag: str, tensor_image: Any, tensor_boxes: Any, rescale: float = 1, dataformats: str = "CHW", labels: Sequence[str] | None = None
) -> Summary:
    """An image with boxes (left, top, right, bottom) drawn on it."""
    from PIL import Image, ImageDraw

    picture = Image.fromarray(as_bytes(channels_last(to_array(tensor_image), dataformats)))
    draw = ImageDraw.Draw(picture)
    boxes = to_array(tensor_boxes).reshape(-1, 4)
    if labels is not None and len(labels) != len(boxes):
        raise ValueError(f"[add_image_with_boxes] one label for each box: {len(labels)} labels, {len(boxes)} boxes")
    for i, (left, top, right, bottom) in enumerate(boxes.tolist()):
        draw.line([(left, top), (left, bottom), (right, bottom), (right, top), (left, top)], width=2, fill="Red")
        if labels is not None:
            draw.text((left + 1, bottom - 12), labels[i], fill="White")
    return _picture(tag, np.asarray(picture), rescale)


def video(tag: str, tensor: Any, fps: float = 4) -> Summary:
    """Frames (N, T, C, H, W) as an animated GIF; videos lie side by side."""
    array = to_array(tensor)
    if array.ndim != 5:
        raise ValueError(f"[add_video] a video is (N, T, C, H, W), got {array.shape}")
    count, time, channels, height, width = array.shape
    rows = 1 << (count - 1).bit_length() // 2  # a power of two of videos is a rectangle
    columns = -(-count // rows)
    cells = np.zeros((rows * columns, *array.shape[1:]), array.dtype)
    cells[:count] = array
    frames = cells.reshape(rows, columns, time, channels, height, width).transpose(2, 0, 4, 1, 5, 3)
    frames = as_bytes(frames.reshape(time, rows * height, columns * width, channels))
    return Summary(
        value=[
            Summary.Value(
                tag=tag,
                image=Summary.Image(
                    height=frames.shape[1], width=frames.shape[2], colorspace=channels, encoded_image_string=as_gif(frames, fps)
                ),
            )
        ]
    )


def audio(tag: str, tensor: Any, sample_rate: int = 44100) -> Summary:
    """Samples of -1 to 1, one channel; those beyond are clipped."""
    samples = to_array(tensor).squeeze()
    if samples.ndim != 1:
        raise ValueError(f"[add_audio] sound has one channel, (L,) or (1, L), got {samples.shape}")
    samples = samples.clip(-1, 1)
    return Summary(
        value=[
            Summary.Value(
                tag=tag,
                audio=Summary.Audio(
                    sample_rate=sample_rate,
                    num_channels=1,
                    length_frames=len(samples),
                    content_type="audio/wav",
                    encoded_audio_string=as_wav(samples, sample_rate),
                ),
            )
        ]
    )


def custom_scalars(layout: Mapping[str, Mapping[str, Sequence[Any]]]) -> Summary:
    """Which scalars share a chart: {category: {chart: ["Multiline" or "Margin", tags]}}."""
    from tensorboard.plugins.custom_scalar import layout_pb2 as pb

    categories = []
    for category, charts in layout.items():
        made = []
        for title, (kind, tags) in charts.items():
            if kind == "Margin":
                value, lower, upper = tags
                content = pb.MarginChartContent(series=[pb.MarginChartContent.Series(value=value, lower=lower, upper=upper)])
                made.append(pb.Chart(title=title, margin=content))
            else:
                made.append(pb.Chart(title=title, multiline=pb.MultilineChartContent(tag=tags)))
        categories.append(pb.Category(title=category, chart=made))
    data = pb.Layout(category=categories).SerializeToString()
    tensor = TensorProto(dtype="DT_STRING", string_val=[data], tensor_shape=TensorShapeProto())
    return Summary(value=[Summary.Value(tag="custom_scalars__config__", tensor=tensor, metadata=_plugin("custom_scalars"))])


def text(tag: str, text: str) -> Summary:
    """A text, as Markdown."""
    from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData

    tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode("utf_8")], tensor_shape=_shape([1]))
    metadata = _plugin("text", TextPluginData(version=0).SerializeToString())
    return Summary(value=[Summary.Value(tag=f"{tag}/text_summary", metadata=metadata, tensor=tensor)])


def pr_curve_raw(
    tag: str, tp: Any, fp: Any, tn: Any, fn: Any, precision: Any, recall: Any, num_thresholds: int = 127, weights: Any = None
) -> Summary:
    """A precision-recall curve that has been counted, from the lowest threshold to the highest."""
    from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData

    data = np.stack(
        [np.asarray(a if isinstance(a, (list, tuple)) else to_array(a), np.float64) for a in (tp, fp, tn, fn, precision, recall)]
    )
    content = PrCurvePluginData(version=0, num_thresholds=min(num_thresholds, 127)).SerializeToString()
    tensor = TensorProto(dtype="DT_FLOAT", float_val=data.reshape(-1).tolist(), tensor_shape=_shape(data.shape))
    return Summary(value=[Summary.Value(tag=tag, metadata=_plugin("pr_curves", content), tensor=tensor)])


def pr_curve(tag: str, labels: Any, predictions: Any, num_thresholds: int = 127, weights: Any = None) -> Summary:
    """Precision and recall of predictions in [0, 1] for labels of 0 and 1 at evenly spaced thresholds."""
    labels, predictions = to_array(labels).reshape(-1), to_array(predictions).reshape(-1)
    if labels.shape != predictions.shape:
        raise ValueError(f"[add_pr_curve] one prediction for each label: {len(labels)} labels, {len(predictions)} predictions")
    num_thresholds = min(num_thresholds, 127)
    weights = np.ones(len(labels)) if weights is None else np.broadcast_to(to_array(weights).reshape(-1), labels.shape)
    bins = np.floor(predictions.astype(np.float64) * (num_thresholds - 1)).astype(np.int64)

    def at_least(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        counts, _ = np.histogram(bins, bins=num_thresholds, range=(0, num_thresholds - 1), weights=values)
        return np.asarray(counts[::-1].cumsum()[::-1])

    tp, fp = at_least(labels.astype(np.float64) * weights), at_least((1.0 - labels) * weights)
    precision, recall = tp / np.maximum(1e-7, tp + fp), tp / np.maximum(1e-7, tp[0])
    return pr_curve_raw(tag, tp, fp, fp[0] - fp, tp[0] - tp, precision, recall, num_thresholds)


def mesh(
    tag: str,
    vertices: Any,
    colors: Any = None,
    faces: Any = None,
    config_dict: Mapping[str, Any] | None = None,
    display_name: str | None = None,
    description: str | None = None,
) -> Summary:
    """Points (B, N, 3), their colours (B, N, 3), and triangles (B, M, 3)."""
    from tensorboard.plugins.mesh import metadata
    from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData

    kinds = [(vertices, MeshPluginData.VERTEX), (faces, MeshPluginData.FACE), (colors, MeshPluginData.COLOR)]
    there = [kind for x, kind in kinds if x is not None]
    components = metadata.get_components_bitmask(there)
    values = []
    for x, kind in kinds:
        if x is None:
            continue
        array = to_array(x)
        data = metadata.create_summary_metadata(
            tag, display_name, kind, components, array.shape, description, json_config=json.dumps(config_dict, sort_keys=True)
        )
        tensor = TensorProto(dtype="DT_FLOAT", float_val=array.reshape(-1).tolist(), tensor_shape=_shape(array.shape))
        values.append(Summary.Value(tag=metadata.get_instance_name(tag, kind), tensor=tensor, metadata=data))
    return Summary(value=values)


def _field(value: str | float) -> str:
    """Return the name of the field of a hyperparameter's message that holds the value."""
    return "string_value" if isinstance(value, str) else "number_value"


def _hyperparameter(name: str, value: str | float, domain: Sequence[Any] | None) -> Any:
    """Tell a hyperparameter's name and type, and where it is known the values that it may have."""
    from google.protobuf import struct_pb2
    from tensorboard.plugins.hparams.api_pb2 import DataType, HParamInfo

    text = isinstance(value, str)
    info = HParamInfo(name=name, type=DataType.DATA_TYPE_STRING if text else DataType.DATA_TYPE_FLOAT64)
    if domain is not None:
        if not all(isinstance(v, str if text else (int, float)) for v in domain):
            raise TypeError(
                f"[add_hparams] hparam_domain_discrete[{name!r}] must hold values of the hyperparameter's type, got {domain!r}"
            )
        info.domain_discrete.CopyFrom(struct_pb2.ListValue(values=[struct_pb2.Value(**{_field(value): v}) for v in domain]))
    return info


def hparams(
    hparam_dict: Mapping[str, Any] | None = None,
    metric_dict: Mapping[str, Any] | None = None,
    hparam_domain_discrete: Mapping[str, Sequence[Any]] | None = None,
) -> tuple[Summary, Summary, Summary]:
    """Hyperparameters and the names of the metrics of a run: the experiment's, the session's start, its end."""
    from tensorboard.plugins.hparams.api_pb2 import Experiment, MetricInfo, MetricName, Status
    from tensorboard.plugins.hparams.metadata import (
        EXPERIMENT_TAG,
        PLUGIN_DATA_VERSION,
        PLUGIN_NAME,
        SESSION_END_INFO_TAG,
        SESSION_START_INFO_TAG,
    )
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo

    for what, given in (("hparam_dict", hparam_dict), ("metric_dict", metric_dict)):
        if not isinstance(given, Mapping):
            raise TypeError(f"[add_hparams] {what} must be a dict, got {type(given).__name__}")
    assert hparam_dict is not None and metric_dict is not None
    domains = hparam_domain_discrete or {}
    start, infos = SessionStartInfo(), []
    for name, value in hparam_dict.items():
        if value is None:
            continue
        if not isinstance(value, (str, int, float)):  # what is true counts as 1
            try:
                value = one_number("add_hparams", value)
            except NotImplementedError:
                raise ValueError(
                    f"[add_hparams] value should be one of int, float, str, bool, or a tensor of one element, but {name} is "
                    f"{type(value).__name__}; str() makes text of it"
                ) from None
        setattr(start.hparams[name], _field(value), value)
        infos.append(_hyperparameter(name, value, domains.get(name)))

    def wrapped(tag: str, **content: Any) -> Summary:
        data = HParamsPluginData(version=PLUGIN_DATA_VERSION, **content).SerializeToString()
        return Summary(value=[Summary.Value(tag=tag, metadata=_plugin(PLUGIN_NAME, data))])

    metrics = [MetricInfo(name=MetricName(tag=name)) for name in metric_dict]
    return (
        wrapped(EXPERIMENT_TAG, experiment=Experiment(hparam_infos=infos, metric_infos=metrics)),
        wrapped(SESSION_START_INFO_TAG, session_start_info=start),
        wrapped(SESSION_END_INFO_TAG, session_end_info=SessionEndInfo(status=Status.Value("STATUS_SUCCESS"))),
    )
