"""The runs of the benchmark of one large shop: its events, the job on them, and the memory of the cluster's workers."""
