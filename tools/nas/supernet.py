# SPDX-License-Identifier: Apache-2.0
"""The network that holds all operations at once: mixed operations weighted by architecture weights (DARTS, PC-DARTS)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bitline.nas.genotype import EDGES, NODES, PRIMITIVES, Genotype, discretise
from bitline.nas.space import CellNetwork, FactorizedReduce, Shape, operation, relu_conv_bn

KINDS = ("normal", "reduce")


def _candidate(name: str, channels: int, stride: int) -> nn.Module:
    """An operation during search: normalisation does not scale, and pools are normalised, so that none wins by its size."""
    made = operation(name, channels, stride)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.affine, module.weight, module.bias = False, None, None
    return nn.Sequential(made, nn.BatchNorm2d(channels, affine=False)) if "pool" in name else made


class MixedOp(nn.Module):
    """The sum of all primitives on an edge, each times its weight.

    `partial` = K > 1 (PC-DARTS): only the first 1/K of the channels pass the operations; the others pass by (pooled at stride 2),
    and channels are shuffled.
    """

    def __init__(self, channels: int, stride: int, partial: int) -> None:
        super().__init__()
        self.partial, self.stride, self.chosen = partial, stride, channels // partial
        self._ops = nn.ModuleList(_candidate(name, self.chosen, stride) for name in PRIMITIVES)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """x [N,C,H,W], weights [8] of the primitives."""
        passed = x[:, :self.chosen] if self.partial > 1 else x
        # `none` adds nothing whatever its weight.
        mixed = sum(weights[p] * self._ops[p](passed) for p in range(1, len(PRIMITIVES)))
        if self.partial == 1:
            return mixed
        rest = x[:, self.chosen:]
        if self.stride == 2:
            rest = functional.max_pool2d(rest, 2, 2)
        return _shuffle(torch.cat([mixed, rest], dim=1), self.partial)


def _shuffle(x: Tensor, groups: int) -> Tensor:
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class SearchCell(nn.Module):
    """A cell with a mixed operation on each of its 14 edges."""

    def __init__(self, inputs: tuple[int, int], channels: int, reduction: bool, halved: bool, partial: int) -> None:
        super().__init__()
        self.reduction = reduction
        self.preprocess0 = FactorizedReduce(inputs[0], channels) if halved else relu_conv_bn(inputs[0], channels)
        self.preprocess1 = relu_conv_bn(inputs[1], channels)
        self._ops = nn.ModuleList(MixedOp(channels, 2 if reduction and source < 2 else 1, partial) for _, source in EDGES)

    def forward(self, before_last: Tensor, last: Tensor, weights: Tensor, edge_weights: Tensor) -> Tensor:
        """weights [14,8] of operations, edge_weights [14] of edges."""
        states = [self.preprocess0(before_last), self.preprocess1(last)]
        edge = 0
        for node in range(NODES):
            terms = []
            for source in range(2 + node):
                terms.append(edge_weights[edge] * self._ops[edge](states[source], weights[edge]))
                edge += 1
            states.append(sum(terms[1:], terms[0]))
        return torch.cat(states[2:], dim=1)


class Supernet(CellNetwork):
    """Images [N,C,H,W] to logits [N,classes]. `partial` = K: PC-DARTS with 1/K of the channels and weights of edges.

    Architecture weights are the parameters `arch.*`; all others are weights of the network.
    """

    def __init__(self, shape: Shape, partial: int = 1) -> None:
        if partial < 1 or shape.channels % (2 * partial):
            raise ValueError(f"partial channels 1/{partial} of {shape.channels}; allowed: 1/K with an even number of channels left")
        super().__init__(shape, lambda inputs, channels, reduction, halved: SearchCell(inputs, channels, reduction, halved, partial))
        self.partial = partial
        # All equal but for noise, as in the authors' code.
        self.arch = nn.ParameterDict({f"alpha_{kind}": nn.Parameter(1e-3 * torch.randn(len(EDGES), len(PRIMITIVES))) for kind in KINDS})
        if partial > 1:
            self.arch.update({f"beta_{kind}": nn.Parameter(1e-3 * torch.randn(len(EDGES))) for kind in KINDS})

    def forward(self, x: Tensor) -> Tensor:
        mixes = {kind: (self.operation_weights(kind), self.edge_weights(kind)) for kind in KINDS}
        before_last = last = self.stem(x)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last, *mixes[KINDS[cell.reduction]])
        return self.classify(last)

    def operation_weights(self, kind: str) -> Tensor:
        """[14,8]: softmax over the primitives of each edge."""
        return torch.softmax(self.arch[f"alpha_{kind}"], dim=1)

    def edge_weights(self, kind: str) -> Tensor:
        """[14]: softmax over the inputs of each node (PC-DARTS), else ones."""
        if self.partial == 1:
            return torch.ones(len(EDGES), device=self.arch[f"alpha_{kind}"].device)
        betas, first = self.arch[f"beta_{kind}"], 0
        parts = []
        for node in range(NODES):
            parts.append(torch.softmax(betas[first:first + 2 + node], dim=0))
            first += 2 + node
        return torch.cat(parts)

    def architecture(self) -> list[nn.Parameter]:
        return list(self.arch.parameters())

    def weights(self) -> list[nn.Parameter]:
        """Everything that is trained but the architecture weights."""
        own = {id(p) for p in self.arch.parameters()}
        return [p for p in self.parameters() if id(p) not in own]

    @torch.no_grad()
    def genotype(self) -> Genotype:
        """The strongest two edges of each node with their strongest operations."""
        return discretise({kind: (self.operation_weights(kind) * self.edge_weights(kind)[:, None]).tolist() for kind in KINDS})
