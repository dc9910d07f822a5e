"""Entry point: python -m infra.operations."""

import sys

from infra.operations.command_line import main
from tools.signals import EndedBySignal, end_once

if __name__ == "__main__":
    try:
        end_once()
        sys.exit(main())
    except EndedBySignal as ended:
        print(f"infra.operations: {ended}; run again to go on, nothing is lost or doubled", file=sys.stderr)
        sys.exit(ended.exit_code)
