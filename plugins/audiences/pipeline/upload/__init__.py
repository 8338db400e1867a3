"""The upload: planned requests sent to Facebook, each answer on record, unknown fates resolved."""
