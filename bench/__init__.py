"""What repermit costs, beside the least that the same work can cost, both in one run."""
