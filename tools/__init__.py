"""What prepares a checkout: environments, Java, lock files, generated documents. Standard library only."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "functions" / "shared"))  # the core, for the generated documents
