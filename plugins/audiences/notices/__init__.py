"""What needs a person: which conditions hold by what is known of a run or an ad account, and how it is told. Pure."""
