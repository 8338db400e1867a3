"""Daily upkeep beside the runs: expiry, ended campaigns, goals, staging."""
