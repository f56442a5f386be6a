# SPDX-License-Identifier: Apache-2.0
"""Accuracy against energy over DARTS genotypes with Optuna: the cost oracle is a plain function of the objective.

    python3 tools/nas/examples/optuna_search.py --trials 60 --storage sqlite:///nas.db

NSGA-II looks for cells that no other beats in both. With --storage a search that was stopped goes on, and any number of these
processes may work on it at once.
"""

from __future__ import annotations

import optuna

import bitline
from proxy import OPERATIONS, PAIRS, arguments, genotype_of, proxy_of, report


def suggest(trial: optuna.Trial):
    """A genotype from 24 choices: of each node the pair of states that it reads, and two operations."""
    def node(kind: str, index: int):
        name = f"{kind}.{index + 2}"
        states = trial.suggest_categorical(f"{name}.reads", [f"{a} {b}" for a, b in PAIRS[index]])
        a, b = map(int, states.split())
        return (a, b), *(trial.suggest_categorical(f"{name}.{which}", OPERATIONS) for which in ("first", "second"))

    return genotype_of({kind: [node(kind, index) for index in range(len(PAIRS))] for kind in ("normal", "reduce")})


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--population", type=int, default=10)
    parser.add_argument("--storage", help="an Optuna storage, as sqlite:///nas.db")
    options = parser.parse_args()
    proxy, oracle = proxy_of(options), bitline.CostOracle(options.arch)

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        genotype = suggest(trial)
        cost = oracle.evaluate(proxy.network(genotype))
        trial.set_user_attr("genotype", genotype.as_dict())
        trial.set_user_attr("latency_s", cost.latency_s)
        return proxy.accuracy(genotype), cost.energy_j

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name="accuracy and energy", directions=["maximize", "minimize"], storage=options.storage,
                                load_if_exists=True,
                                sampler=optuna.samplers.NSGAIISampler(population_size=options.population, seed=options.seed))
    study.optimize(objective, n_trials=options.trials)
    report([{"accuracy": trial.values[0], "energy_j": trial.values[1], **trial.user_attrs} for trial in study.best_trials], options.out)


if __name__ == "__main__":
    main()
