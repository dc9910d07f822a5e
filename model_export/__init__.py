"""Turns a trained model into one that functions can serve: converts, verifies, describes, publishes, promotes."""

import sys
from pathlib import Path

# The core is beside the functions that share it.
sys.path.append(str(Path(__file__).parent.parent / "functions" / "shared"))
