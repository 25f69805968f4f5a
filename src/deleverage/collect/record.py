"""`deleverage record`: collect into the journal, without tables or page, until asked to stop."""

import asyncio
import signal
import threading
from pathlib import Path

from deleverage import config
from deleverage.collect.collector import Collector
from deleverage.errors import BadInput, StoreError
from deleverage.log import configure, log
from deleverage.store.folder import Folder
from deleverage.venues import VENUES


def record(data: Path | None) -> None:
    """Collect until SIGINT or SIGTERM; what was received by then is in the journal.

    Raises BadInput when no venue is enabled, StoreError when a server collects into the directory, JournalError when it cannot be written.
    """
    settings = config.settings()
    folder = Folder(data or settings.data)
    if not any(settings.venue(name).enabled for name in VENUES):
        raise BadInput("every venue is disabled in the settings; enable one with venues.NAME.enabled = true")
    serving = folder.serving()
    if serving is not None:
        raise StoreError(f"{folder.path} is being served at {serving.url} (process {serving.pid}), which collects as well")
    folder.create()
    configure(settings.log.format, settings.log.level)
    collector = Collector(settings, folder, lock=threading.RLock(), on_events=lambda events: None)
    asyncio.run(_until_stopped(collector))


async def _until_stopped(collector: Collector) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, collector.stop)
    log().info("collecting begins", folder=str(collector.folder.path), venues=[n for n in VENUES if collector.settings.venue(n).enabled])
    if collector.settings.journal.keep_days:
        log().warning(
            "frames are let go by age, and nothing makes tables of them meanwhile", keep_days=collector.settings.journal.keep_days
        )
    await collector.run()
    log().info("collecting ended", frames=collector.intake.frames)
