"""Event times of a Hawkes process with exponential kernel, drawn as clusters."""

import numpy as np
from numpy.typing import NDArray


def hawkes_times(mu: float, n: float, beta: float, duration: float, rng: np.random.Generator, lead: float = 0.0) -> NDArray[np.float64]:
    """Draw ascending times in [0, duration) seconds: outside events at rate `mu`, each with Poisson(`n`) children after Exp(`beta`).

    `lead` seconds before 0 are drawn too and cut, so that the process can have settled; 0 starts it empty, as a likelihood assumes.
    """
    generation = rng.uniform(-lead, duration, rng.poisson(mu * (duration + lead)))
    found = [generation]
    while len(generation):
        parents = np.repeat(generation, rng.poisson(n, len(generation)))
        generation = parents + rng.exponential(1 / beta, len(parents))
        generation = generation[generation < duration]
        found.append(generation)
    times = np.sort(np.concatenate(found))
    return times[times >= 0]
