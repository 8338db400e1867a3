"""From raw values to what Facebook is told: normalised by its rules and hashed, or counted by the reason why not."""
