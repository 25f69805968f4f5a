"""What all tests share."""

import os

import pytest

for name in ("FEAR_GREED", "FARSIDE", "FRED"):  # no test asks the world; those of the references turn them on against loopback
    os.environ.setdefault(f"DELEVERAGE_REFERENCES__{name}__ENABLED", "false")


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the collector does."""
    return "asyncio"
