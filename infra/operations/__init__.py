"""Commands for the people who run the system: what lies set aside, and how it goes back."""

import sys
from pathlib import Path

# The core lies beside the functions that share it.
sys.path.append(str(Path(__file__).parents[2] / "functions" / "shared"))
