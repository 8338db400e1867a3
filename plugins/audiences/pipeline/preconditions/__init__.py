"""What must hold before a run goes on, each with the words that tell a person what to do."""
