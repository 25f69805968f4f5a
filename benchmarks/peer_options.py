"""One pass of vollib or lets_be_rational, as installed and in pure Python, over options: the implied volatility of each.

    peers.py runs it:  .peers/bin/python peer_options.py FILE     (one object of JSON; a pass per line of standard input)

Each is called once per option, the only way it offers. Numbers are made ready beforehand and are not timed.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    asked = json.loads(Path(sys.argv[1]).read_text())
    rows = list(zip(asked["price"], asked["forward"], asked["strike"], asked["years"], asked["is_call"], strict=True))
    one_pass: Callable[[], list[float]]
    if asked["peer"] == "vollib":
        black = import_module("vollib.black.implied_volatility").implied_volatility
        flagged = [(p, f, k, 0.0, t, "c" if call else "p") for p, f, k, t, call in rows]

        def one_pass() -> list[float]:
            return [black(*row) for row in flagged]

    else:
        jaeckel = import_module("lets_be_rational").implied_volatility_from_a_transformed_rational_guess
        signed = [(p, f, k, t, 1.0 if call else -1.0) for p, f, k, t, call in rows]

        def one_pass() -> list[float]:
            return [jaeckel(*row) for row in signed]

    gc.collect()
    gc.freeze()
    for _ in sys.stdin:
        started = time.process_time()
        found = one_pass()
        seconds = time.process_time() - started
        worst = max(abs(iv / sigma - 1) for iv, sigma in zip(found, asked["volatility"], strict=True))
        print(json.dumps({"version": version(asked["peer"]), "seconds": seconds, "worst": worst}), flush=True)


if __name__ == "__main__":
    main()
