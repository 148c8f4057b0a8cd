"""Builds this folder's package for what installs the root of the repository.

Tools call each of maturin's functions in a process of its own, in the root.
"""

import os

from maturin import *  # noqa: F403

os.chdir("python")
