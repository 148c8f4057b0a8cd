"""What the tests have in common: small streams, written by hand."""

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IS_SLOW = bool(os.environ.get("SESSIONLINT_SLOW"))


def event(kind, second, **payload):
    """Return an event of a session, as a dict."""
    return {
        "type": f"session.{kind}",
        "timestamp": f"2026-01-01T09:00:{second:02}Z",
        "payload": {"session_id": "ses_1", **payload},
    }


def ndjson(events):
    """Return events as the bytes of a recording."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


@pytest.fixture
def turn():
    """A turn that ends as it should."""
    return [
        event("status", 0, pending=True, status_label="thinking"),
        event("stream.chunk", 1, text="Hello", done=False),
        event("stream.chunk", 2, text="", done=True),
        event("completed", 3, final_message="Hello"),
        event("status", 4, pending=False, status_label="idle"),
    ]


@pytest.fixture
def unfinished():
    """A turn that begins and does not end."""
    return [event("status", 0, pending=True, status_label="thinking")]
