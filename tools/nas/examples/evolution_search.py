# SPDX-License-Identifier: Apache-2.0
"""Regularised evolution (Real et al., AAAI 2019) of DARTS cells for accuracy and energy-delay product.

    python3 tools/nas/examples/evolution_search.py --networks 60 --population 12

Of a few random members of the population the fittest has a child with one choice changed; the oldest member dies. Fitness is the
accuracy less --weight for each factor of ten in energy-delay product. One call of the oracle costs the whole first population.
"""

from __future__ import annotations

import collections
import copy
import math
import random

import bitline
from proxy import OPERATIONS, PAIRS, arguments, genotype_of, proxy_of, random_choices, report


def mutated(choices, chance: random.Random):
    """With another pair of states, or another operation, at one node."""
    child = copy.deepcopy(choices)
    kind, node = chance.choice(("normal", "reduce")), chance.randrange(len(PAIRS))
    what = chance.randrange(3)
    options = PAIRS[node] if what == 0 else OPERATIONS
    others = [option for option in options if option != child[kind][node][what]]
    if others:
        changed = list(child[kind][node])
        changed[what] = chance.choice(others)
        child[kind][node] = tuple(changed)
    return child


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=40, help="that are trained")
    parser.add_argument("--population", type=int, default=10)
    parser.add_argument("--tournament", type=int, default=4)
    parser.add_argument("--weight", type=float, default=0.05, help="accuracy that a factor of ten in energy-delay product is worth")
    options = parser.parse_args()
    proxy, oracle, chance = proxy_of(options), bitline.CostOracle(options.arch), random.Random(options.seed)

    def row(choices, cost):
        genotype = genotype_of(choices)
        accuracy = proxy.accuracy(genotype)
        return {"choices": choices, "genotype": genotype.as_dict(), "accuracy": accuracy, "energy_j": cost.energy_j,
                "latency_s": cost.latency_s, "fitness": accuracy - options.weight * math.log10(cost.edp_js)}

    first = [random_choices(chance) for _ in range(options.population)]
    costs = oracle.evaluate_many([proxy.network(genotype_of(choices)) for choices in first])
    history = [row(choices, cost) for choices, cost in zip(first, costs)]
    population = collections.deque(history)
    while len(history) < options.networks:
        parent = max(chance.sample(list(population), min(options.tournament, len(population))), key=lambda member: member["fitness"])
        child = mutated(parent["choices"], chance)
        history.append(row(child, oracle.evaluate(proxy.network(genotype_of(child)))))
        population.append(history[-1])
        population.popleft()
    best = sorted(history, key=lambda member: -member["fitness"])[:5]
    report([{key: value for key, value in member.items() if key != "choices"} for member in best], options.out)


if __name__ == "__main__":
    main()
