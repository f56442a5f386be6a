# SPDX-License-Identifier: Apache-2.0
"""Bitline: what a neural network costs on a ReRAM crossbar accelerator.

>>> import bitline
>>> oracle = bitline.CostOracle("configs/isaac-8bit.yaml")
>>> cost = oracle.evaluate(bitline.Genotype("DARTS_V2", layers=8, channels=16))
>>> cost.latency_s, cost.energy_j, cost.area_mm2
"""

from bitline._core import version as __version__
from bitline.cost import Cost
from bitline.errors import (BitlineError, ConfigError, MappingError, NetworkError, Problem, SimulationError, TimeoutError,
                            UsageError)
from bitline.networks import Genotype, Network, Workload
from bitline.oracle import CostOracle
from bitline.pages import report
from bitline.papers import Run, compare, comparison_frame, csv_tables, figures, latex
from bitline.sweeps import read_sweep, sweep, to_parquet
from bitline.tables import CostTable, lut
from bitline.trees import layers_frame, map, simulate, slices

__all__ = ["BitlineError", "ConfigError", "Cost", "CostOracle", "CostTable", "Genotype", "MappingError", "Network",
           "NetworkError", "Problem", "Run", "SimulationError", "TimeoutError", "UsageError", "Workload", "__version__",
           "compare", "comparison_frame", "csv_tables", "figures", "latex", "layers_frame", "lut",
           "map", "read_sweep", "report", "simulate", "slices", "sweep", "to_parquet"]
