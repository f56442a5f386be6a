# SPDX-License-Identifier: Apache-2.0
"""What a network can be given as."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Mapping, Sequence
from typing import Any, Union

from bitline.errors import NetworkError, UsageError


@dataclasses.dataclass(frozen=True)
class Genotype:
    """A DARTS network by its cells: a published name, or a mapping {"normal": [[op, input], ...], "reduce": [...]}."""

    cells: Union[str, Mapping[str, Any]] = "DARTS_V2"
    layers: int = 20
    channels: int = 36
    classes: int = 10
    resolution: int = 32


@dataclasses.dataclass(frozen=True)
class Workload:
    """A generated network by name ("resnet18"; `bitline workload list` has them all)."""

    name: str
    classes: int | None = None
    resolution: int | None = None


#: A path, the bytes of an ONNX file, an onnx.ModelProto, a torch.nn.Module (with `input_shape`), a Genotype, the name or
#: the cells of one, or a Workload.
Network = Any

PUBLISHED = ("DARTS_V1", "DARTS_V2", "PC_DARTS")


def request_of(network: Network, input_shape: Sequence[int] | None = None) -> tuple[dict[str, Any], bytes | None]:
    """The keys of a request that name the network, and its bytes where it has no file."""
    if isinstance(network, Genotype):
        shape = {key: getattr(network, key) for key in ("layers", "channels", "classes", "resolution")}
        return {"genotype": cells_of(network.cells), **shape}, None
    if isinstance(network, Workload):
        shape = {key: value for key, value in dataclasses.asdict(network).items() if key != "name" and value is not None}
        return {"workload": network.name, **shape}, None
    if isinstance(network, Mapping) or hasattr(network, "_fields"):
        return {"genotype": cells_of(network)}, None
    if isinstance(network, str) and network in PUBLISHED and not os.path.exists(network):
        return {"genotype": network}, None
    if isinstance(network, (str, os.PathLike)):
        return {"network": os.path.abspath(os.fspath(network))}, None
    if isinstance(network, (bytes, bytearray, memoryview)):
        return {"network": "network"}, bytes(network)
    if hasattr(network, "SerializeToString"):
        return {"network": getattr(getattr(network, "graph", None), "name", "") or "model"}, network.SerializeToString()
    if hasattr(network, "state_dict") and callable(network):
        return {"network": type(network).__name__}, export(network, input_shape)
    raise UsageError(f"network: is a {type(network).__name__}; allowed: a path, bytes, onnx.ModelProto, torch.nn.Module, "
                     "Genotype (or its name or cells), Workload")


def cells_of(cells: Any) -> Any:
    """The cells of a genotype for JSON: a name, a mapping, or DARTS's own named tuple."""
    if hasattr(cells, "_asdict"):
        cells = cells._asdict()
    if isinstance(cells, Mapping):
        return {key: [list(edge) if isinstance(edge, (tuple, list)) else edge for edge in value]
                if isinstance(value, (tuple, list, range)) else value for key, value in cells.items()}
    return cells


def export(module: Any, input_shape: Sequence[int] | None) -> bytes:
    """A PyTorch module, in evaluation mode, as an ONNX file; `input_shape` with its batch dimension of 1. Leaves every part of it
    in the mode that it had. Raises NetworkError where PyTorch cannot."""
    if input_shape is None:
        raise UsageError("input_shape: is missing; allowed: the shape of the module's input, batch 1 included")
    import torch

    file = io.BytesIO()
    modes = [(part, part.training) for part in module.modules()]
    device = next((values.device for values in module.parameters()), torch.device("cpu"))
    module.eval()
    try:
        with torch.no_grad():
            torch.onnx.export(module, torch.zeros(*input_shape, device=device), file, opset_version=13)
    except Exception as error:  # noqa: BLE001 - of the module's own code too
        raise NetworkError(f"{type(module).__name__}: PyTorch cannot export it for inputs {tuple(input_shape)}: {error}") from error
    finally:
        for part, training in modes:
            part.training = training
    return file.getvalue()
