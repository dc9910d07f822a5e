"""What a machine lacks, in one sentence."""

import errno

from cli.machine_errors import explain_os


def test_refusal_of_the_system_is_explained():
    assert "no permission to write: /x" in str(explain_os(OSError(errno.EROFS, "read-only", "/x")))
    assert "the disk is full" in str(explain_os(OSError(errno.ENOSPC, "full", "/x")))
