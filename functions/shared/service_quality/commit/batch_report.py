"""What the commit of a batch reports: the counts of its metrics, by their names."""

from collections import Counter

from service_quality.commit.commit_stats import CommitStats


def batch_counts(stats: CommitStats, *, rerouted: int) -> dict[str, int]:
    """The metrics of a batch of which so many records went back on the stream."""
    failed = Counter(failure.stage for failure in stats.failures)
    return {
        "AcceptedEvents": stats.accepted,
        "ScoredEvents": stats.scored,
        "UnscoredEvents": stats.unscored,
        "RejectedEvents": sum(stats.rejected.values()),
        "OddValues": sum(stats.odd.values()),
        "ParkedRecords": stats.parked,
        "WaitingRecords": stats.waiting,
        "DuplicateEvents": stats.duplicates,
        "RedeliveredEvents": stats.already_done,
        "RedeliveredWithoutConflict": stats.redelivered,
        "ReroutedRecords": rerouted,
        "ReachedStages": stats.reached,
        "AcceptedFindings": stats.findings,
        "SilentTimers": stats.silent,
        "AlertMessages": stats.alerts,
        "FailedTasks": failed["task"],
        "FailedRules": failed["rule"],
        "FailedFolds": failed["fold"],
        "CommittedTransactions": stats.transactions,
        "CommitConflicts": stats.conflicts,
        "MissingCalendars": stats.missing_calendars,
    }
