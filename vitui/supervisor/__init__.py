"""Who runs what where: the queue worker, one runner an attempt, device leases, and verdicts on how attempts ended."""
