"""What all tests share."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the collector does."""
    return "asyncio"
