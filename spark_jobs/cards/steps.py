"""The steps of a run, of which its card says the seconds: few words that all jobs share (run_labels.py has them)."""

#: From the command line to a session of Spark.
START = "start"
READ = "read"
COMPUTE = "compute"
TRAIN = "train"
JUDGE = "judge"
WRITE = "write"
#: Compaction, and the end of old snapshots.
UPKEEP = "upkeep"
#: For what others do: the archive that is not written yet, a log that has not come to a record.
WAIT = "wait"
#: Of what is written, for the summary.
COUNT = "count"
