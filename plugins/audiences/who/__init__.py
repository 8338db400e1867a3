"""Who gets into the audience: rules as SQL, property filters in pandas, control groups, the target cap, the outcomes."""
