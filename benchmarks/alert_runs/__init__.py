"""The parts of the alerts' benchmark: the policy of the contacts' shop, and its breaches as the export itself says."""
