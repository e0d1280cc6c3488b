"""Fixtures of the end-to-end tests: `hub`, one server a module (settings in the module's HUB_SETTINGS), and
`start_hub`, which starts servers of a test's own. Tests that are coroutines run in an event loop of their own. Every
test has a deadline, so that a hang is a failure and not a stuck build."""

import asyncio
import inspect
import resource
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))  # rawws
from hub import Hub  # noqa: E402

TEST_DEADLINE_S = 120
SLOW_TEST_DEADLINE_S = 400


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds; `-m 'not slow'` leaves it out")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if soft < hard else soft, hard))


def pytest_collection_modifyitems(items):
    """Quick tests first: a plain mistake shows within seconds."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(autouse=True)
def deadline(request):
    """Interrupts a test that hangs, wherever it hangs."""
    seconds = SLOW_TEST_DEADLINE_S if request.node.get_closest_marker("slow") else TEST_DEADLINE_S

    def expire(*_):
        raise TimeoutError(f"the test took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def hub(request):
    server = Hub(getattr(request.module, "HUB_SETTINGS", {})).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def start_hub():
    """start_hub(settings, args=…, env=…, …) starts a server that is stopped, and checked, after the test."""
    servers = []

    def start(settings=None, **kwargs):
        servers.append(Hub(settings, **kwargs))
        return servers[-1].start()

    yield start
    for server in servers:
        if server.process and server.process.returncode is None:
            server.stop()
