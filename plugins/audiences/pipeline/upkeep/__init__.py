"""What is done daily beside the runs: expiry, ended campaigns, goals, staging."""
