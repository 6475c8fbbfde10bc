"""Waits where a test's event loop does not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def aside(work: Callable[[], T]) -> T:
    """Does something in a thread of its own, waits for it, and returns what it returns or raises what it raises.

    Home Assistant ends a test that asks over HTTP or waits for a process in the thread of its event loop.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()
