"""What the peers' workers share: read a file of messages, and time one pass over it per line of standard input.

The caller decides when a pass runs, so that it can be interleaved with others. Runs in the peers' environment.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def serve(name: str, version: str, run: Callable[[list[str]], int]) -> None:
    """Time `run` over the messages of the file named on the command line; print one line of JSON per line read.

    Time is the processor time of this process, as for our own passes: on a shared machine the clock on the wall measures the others.
    """
    messages = Path(sys.argv[1]).read_text().splitlines()
    gc.collect()
    gc.freeze()
    for _ in sys.stdin:
        started = time.process_time()
        events = run(messages)
        seconds = time.process_time() - started
        said = {"peer": name, "version": version, "frames": len(messages), "events": events, "frames_per_second": len(messages) / seconds}
        print(json.dumps(said), flush=True)
