"""Operators' commands: they count, list and put back the records that were set aside."""

import sys
from pathlib import Path

# The core is in the folder of the functions that share it.
sys.path.append(str(Path(__file__).parents[2] / "functions" / "shared"))
