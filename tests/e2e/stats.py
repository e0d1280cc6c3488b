"""Reads hub.stats and /metrics, so that the tests name what they mean and not where it stands."""

import http_raw
from prometheus import Metrics


def sessions(stats):
    """(attached, detached) sessions."""
    return stats["sessions"]["attached"], stats["sessions"]["detached"]


def metrics(hub):
    response = http_raw.get(hub, "/metrics")
    assert response.status == 200
    return Metrics(response.text)


def limit_hits(hub, limit):
    return metrics(hub).value("hubbub_limit_hits_total", limit=limit)


def closes(hub, code):
    """WebSocket connections that ended with that close code, sent or received."""
    return metrics(hub).value("hubbub_closes_total", code=str(code))
