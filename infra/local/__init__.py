"""The run without an AWS account: an embedded AWS, the same template deployed to it, events replayed through it."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "functions" / "shared"))
