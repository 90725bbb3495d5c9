"""Load a graph on ONNX Runtime's CPU provider: one thread, and nothing reported to its maker."""

from __future__ import annotations

from typing import Any

from ..errors import RunError


def load_graph(data: bytes, name: str) -> Any:
    """Return the session of the graph in `data`, called `name`; RunError where it cannot be loaded.

    Each call keeps to the thread that made it: the graphs' operations are too small to be shared
    out.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    onnxruntime.disable_telemetry_events()  # on Windows it reads no variable
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
    except (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented) as error:
        raise RunError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load {name}.",
            "Install a newer onnxruntime.",
        ) from error
