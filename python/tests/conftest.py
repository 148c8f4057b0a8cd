"""What the tests have in common: small streams, written by hand."""

import json
import os
import shutil
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

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


@pytest.fixture(scope="session")
def wheel():
    """The wheel that the package was installed from."""
    source = metadata.distribution("sessionlint").read_text("direct_url.json")
    path = Path(url2pathname(urlsplit(json.loads(source or '{"url": ""}')["url"]).path))
    if path.suffix != ".whl" or not path.is_file():
        pytest.skip("the package was not installed from the file of a wheel")
    return path


# Building takes minutes, and was done for the wheel: here the package is built by copying it.
BACKEND = """
import os
import shutil
from pathlib import Path


def build_wheel(folder, config_settings=None, metadata_directory=None):
    assert "GH_TOKEN" not in os.environ
    return Path(shutil.copy({wheel!r}, folder)).name
"""


@pytest.fixture
def checkout(tmp_path, wheel):
    """A checkout of what there is for others to use, whose package builds at once."""
    folder = tmp_path / "a checkout"
    (folder / "python").mkdir(parents=True)
    for name in [".pre-commit-hooks.yaml", "Cargo.lock", "Cargo.toml", "action.yml"]:
        shutil.copy(ROOT / name, folder)
    # The root has the backend of python/, as it has in the repository.
    for path, backend in [("", "python"), ("python", ".")]:
        build = f'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["{backend}"]\n'
        (folder / path / "pyproject.toml").write_text(build)
    (folder / "python" / "backend.py").write_text(BACKEND.format(wheel=str(wheel)))
    return folder
